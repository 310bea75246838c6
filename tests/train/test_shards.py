"""Processes that each have the ratings of some users get what one process with all would."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from test_distributed import torchrun

import matinee
import sharded
from matinee.data import Csr
from matinee.errors import UsageError
from matinee.models import preset
from matinee.models.networks.sharded import check_shardable
from matinee.synth import synthesize
from matinee.train import ProcessGroup, RunContext, Shard, ShardedRatings
from matinee.train.shards.reading import _bounds, _fair_shares

SIZES = (2, 3)


@pytest.fixture(scope="module", params=SIZES)
def got(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The folder that several processes read, and what each of them reports."""
    folder = tmp_path_factory.mktemp("sharded")
    tables(folder)
    done = torchrun(Path(sharded.__file__), folder, processes=request.param)
    assert done.returncode == 0, done.stderr
    found = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(request.param)]
    return {"folder": folder, "found": found}


def tables(folder: Path) -> None:
    """Ratings in Parquet files, the first and the last of the same pair, and others as text."""
    data = synthesize(110, 45, 2400, seed=4).ratings
    order = np.random.default_rng(1).permutation(len(data))
    users, items = data.user_ids.ids[data.users][order], data.item_ids.ids[data.items][order]
    times = np.arange(len(data)) + 1_000_000_000
    ratings = 2.0 * data.values[order]  # so that networks are trained in another unit
    table = {"user": users, "item": items, "rating": ratings, "time": times}
    # The first rating of all again, in the last file and at a later time.
    for name, last in (("user", users[0]), ("item", items[0]), ("rating", 1.5), ("time", 2e9)):
        table[name] = np.append(table[name], np.array([last], table[name].dtype))
    (folder / "parquet").mkdir()
    with duckdb.connect() as db:
        for number, some in enumerate(np.array_split(np.arange(len(data) + 1), 7)):
            db.register("part", {name: column[some] for name, column in table.items()})
            db.execute(f"COPY part TO '{folder}/parquet/{number}.parquet' (FORMAT parquet)")
    (folder / "text").mkdir()
    lines = [f"{u},{i},{(u * i) % 5 + 1}" for u in range(12) for i in range(10)]
    for number, prefix in enumerate(("", "", "x")):
        text = "\n".join(["user,item,rating", *(prefix + line for line in lines[number::3])])
        (folder / "text" / f"{number}.csv").write_text(text + "\n")
    (folder / "one.csv").write_text("user,item,rating\n1,2,3\n")
    (folder / "titles.csv").write_text(
        "item,title\n" + "".join(f"{i},Film {i}\n" for i in data.item_ids.ids)
    )


def test_each_process_has_the_ratings_of_consecutive_users(got: dict[str, Any]) -> None:
    whole = matinee.load(got["folder"] / "parquet")
    found = got["found"]
    assert [row for each in found for row in each["own"]] == sharded.rows(whole)
    assert max(len(each["own"]) for each in found) < 1.2 * len(whole) / len(found)
    assert found[0]["bounds"][0] == 0
    assert found[-1]["bounds"][1] == whole.n_users
    for before, after in pairwise(found):
        assert before["bounds"][1] == after["bounds"][0]
        assert max(row[0] for row in before["own"]) < min(row[0] for row in after["own"])


def test_what_the_processes_know_of_all_ratings(got: dict[str, Any]) -> None:
    whole = matinee.load(got["folder"] / "parquet")
    for rank, each in enumerate(got["found"]):
        assert each["size"] == len(whole)
        assert each["fingerprint"] == matinee.data.fingerprint(whole)
        assert each["scale"] == [whole.scale.low, whole.scale.high]
        assert each["collected"] == (sharded.rows(whole) if rank == 0 else None)
        titles = [f"Film {i}" for i in whole.item_ids.ids]
        assert each["titles"] == (titles if rank == 0 else None)


def test_ids_that_are_text_in_one_part_are_text_in_all(got: dict[str, Any]) -> None:
    whole = matinee.load(got["folder"] / "text")
    assert not whole.user_ids.numeric
    assert [row for each in got["found"] for row in each["text"]] == sharded.rows(whole)


def test_a_model_stopped_and_resumed_is_that_of_one_process(got: dict[str, Any]) -> None:
    whole = matinee.load(got["folder"] / "parquet")
    model = matinee.Autoencoder("base", **sharded.OPTIONS).fit(whole, seed=5)
    predicted, std = model.predict(model.user_ids.ids[:40], model.item_ids.ids[:40], with_std=True)
    first = got["found"][0]
    assert np.abs(np.array(first["predicted"]) - predicted).max() < 1e-4
    assert np.abs(np.array(first["std"]) - std).max() < 1e-4
    assert first["n"] == len(whole)
    assert first["list"] == model.recommend(users=model.user_ids.ids[:3])["item_id"].tolist()
    assert all("predicted" not in each for each in got["found"][1:])
    saved = matinee.load_model(got["folder"] / "model")
    assert saved.provenance.fingerprint == model.provenance.fingerprint
    assert saved.provenance.n_ratings == len(whole)
    assert not list((got["folder"] / "run").glob("checkpoint*"))  # removed when it was saved


def test_what_is_refused(got: dict[str, Any]) -> None:
    for each in got["found"]:
        files, relevant, mean = each["refused"]
        assert "1 file for" in files
        assert "--relevant needs all ratings in one process" in relevant
        assert "--repeats mean" in mean


def test_the_command(tmp_path: Path) -> None:
    tables(tmp_path)
    options = ["--preset", "base", "--set", "hidden=8", "--set", "batch_size=25", "--epochs", 2]
    done = torchrun("-m", "matinee", "train", tmp_path / "parquet", *options, "--shard",
                    "--test", tmp_path / "text" / "2.csv", "--out", tmp_path / "m")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("matinee: training base on 2,400 ratings by 110 users of 45") == 1
    assert done.stdout.count("scored on test set") == 1
    assert matinee.load_model(tmp_path / "m").n_users == 110


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard"], 'set train.teacher = "none"'),
        (["--shard", "--preset", "accurate"], "a single autoencoder only"),
        (["--shard", "--preset", "base", "--holdout", "0.1"], "--holdout needs all ratings"),
        (
            ["--shard", "--preset", "base", "--from", "m", "--out", "n"],
            "--preset: the settings are",
        ),
        (["--shard", "--preset", "autorec-item"], 'set network.rows = "users"'),
    ],
)
def test_options_that_the_command_refuses(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert matinee.cli.main(["train", "none.parquet", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_repeat_across_parts_that_is_an_error(tmp_path: Path) -> None:
    tables(tmp_path)
    options = ["--preset", "base", "--shard", "--repeats", "error"]
    done = torchrun("-m", "matinee", "train", tmp_path / "parquet", *options)
    assert done.returncode == 1
    assert "twice (1 such); remove one, or keep the last with --repeats last" in done.stderr


def test_settings_that_need_all_ratings() -> None:
    check_shardable(preset("deeprec-full"))
    for changes in (
        {"output": "ordinal"},
        {"half_life": 10.0},
        {"columns": True, "input": "presence"},
    ):
        with pytest.raises(UsageError, match="cannot train this: set"):
            check_shardable(preset("base").replace({"center": "bias", **changes}))


def test_one_process_reads_everything_and_trains_as_usual(tmp_path: Path) -> None:
    tables(tmp_path)
    whole = matinee.load(tmp_path / "parquet")
    alone = matinee.load_shard(tmp_path / "parquet", ProcessGroup())
    assert alone.shard.bounds is None
    model, other = (
        matinee.Autoencoder("base", **sharded.OPTIONS).fit(data, seed=5) for data in (alone, whole)
    )
    assert np.array_equal(
        model.predict(whole.user_ids.ids, 1), other.predict(whole.user_ids.ids, 1)
    )


def test_models_other_than_an_autoencoder(tmp_path: Path) -> None:
    tables(tmp_path)
    whole = matinee.load(tmp_path / "parquet")
    some = ShardedRatings(whole, Shard(ProcessGroup(), (0, whole.n_users)), len(whole))
    with pytest.raises(UsageError, match="only a single autoencoder is trained by processes"):
        matinee.model("ease").fit(some)
    with pytest.raises(UsageError, match="cannot watch a test part"):
        matinee.Autoencoder("base", **sharded.OPTIONS).fit(some, watch={"test": whole})


def test_a_shard_of_one_process_is_everything() -> None:
    data = synthesize(30, 20, 200, seed=1).ratings
    csr = data.by_user
    model = matinee.Autoencoder("base", **sharded.OPTIONS)
    one = ShardedRatings(data, Shard(ProcessGroup(), (0, data.n_users)), len(data))
    answers = model.fit(one, seed=1).predict(data.user_ids.ids, data.item_ids.ids[0])
    again = matinee.Autoencoder("base", **sharded.OPTIONS).fit(data, seed=1)
    assert np.array_equal(answers, again.predict(data.user_ids.ids, data.item_ids.ids[0]))
    model._train_shards(one, 1, RunContext())  # without the fit that takes the network
    other = model.fit(data, seed=2).predict(data.user_ids.ids, data.item_ids.ids[0])
    again.fit(data, seed=2)
    assert np.array_equal(other, again.predict(data.user_ids.ids, data.item_ids.ids[0]))
    rows = np.array([7, 3, 7, 12])
    some, at = Shard(ProcessGroup(), (0, 30)).rows_of(csr, rows, csr.counts)
    assert isinstance(some, Csr)
    for place, row in zip(at, rows, strict=True):
        own, wanted = slice(*some.indptr[place : place + 2]), slice(*csr.indptr[row : row + 2])
        assert np.array_equal(some.indices[own], csr.indices[wanted])
        assert np.array_equal(some.values[own], csr.values[wanted])


def test_blocks_and_users_are_divided_by_size() -> None:
    groups = [ProcessGroup(rank, 3) for rank in range(3)]
    blocks = [(Path(str(n)), 0, size) for n, size in enumerate((5, 1, 1, 1, 7, 3))]
    shares = _fair_shares(blocks, 3)
    assert [block for share in shares for block in share] == blocks
    assert [sum(size for *_, size in share) for share in shares] == [6, 9, 3]
    counts = np.array([100, 1, 1, 1, 1, 1])
    assert [_bounds(counts, group) for group in groups] == [(0, 0), (0, 1), (1, 6)]
    even = np.ones(9, dtype=np.int64)
    assert [_bounds(even, group) for group in groups] == [(0, 3), (3, 6), (6, 9)]
