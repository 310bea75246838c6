"""``matinee train`` as people run it."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.base.locks import locked
from matinee.data import split_files
from matinee.errors import UsageError
from matinee.models import read_manifest
from matinee.recommend.interest import choose
from matinee.synth import synthesize

SMALL = ["--set", "hidden=8", "--set", "batch_size=32", "--set", "score_every=1"]
KEYS = (
    *("model", "dataset", "n_users", "n_items", "n_train", "n_valid", "n_test", "rmse", "mae"),
    *("baselines", "epochs_run", "best_epoch", "train_seconds", "seconds_per_epoch", "seed"),
    *("preset", "config", "curve"),
)


def test_json_is_one_object_with_all_there_is_to_say(shell: Any, catalogue: Path) -> None:
    args = ["train", catalogue / "ratings", "--holdout", "0.2", "--seed", "3", "--watch", *SMALL]
    done = shell.real(
        *args, "--set", "validation=0.1", "--set", "keep=best", "--epochs", "3", "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert [key for key in KEYS if key not in answer] == []
    assert (answer["model"], answer["preset"], answer["seed"]) == ("autoencoder", "default", 3)
    assert answer["n_train"] + answer["n_valid"] + answer["n_test"] == 4000
    assert answer["n_test"] == 800
    assert answer["n_valid"] > 200
    assert answer["config"]["network"]["hidden"] == [8]
    assert set(answer["baselines"]) == {"global_mean", "item_mean", "bias"}
    assert 0.6 < answer["baselines"]["bias"]["rmse"] < answer["baselines"]["global_mean"]["rmse"]
    curve = answer["curve"]
    assert [row["epoch"] for row in curve] == [1, 2, 3]
    best = min(curve, key=lambda row: row["valid_rmse"])
    assert answer["best_epoch"] == best["epoch"]
    # Every test user and item is known here, or nearly, so the curve says what the score does.
    assert best["test_rmse"] == pytest.approx(answer["rmse"], abs=0.01)
    assert answer["train_seconds"] >= sum(row["seconds"] for row in curve)

    manifest = read_manifest(shell.folder / answer["folder"])
    assert manifest["split"] == {"by": "random", "holdout": 0.2, "seed": 3}
    assert manifest["metrics"]["rmse"] == answer["rmse"]
    assert manifest["record"]["training"]["preset"] == "default"
    lines = (shell.folder / answer["folder"] / "metrics.jsonl").read_text().splitlines()
    values = [json.loads(line) for line in lines]
    assert [epoch["epoch"] for epoch in values if epoch["teacher"]] == [1, 2, 1, 2]
    of_student = [epoch["valid_rmse"] for epoch in values if not epoch["teacher"]]
    assert of_student == [row["valid_rmse"] for row in curve]


def test_the_test_rows_are_left_out_of_training(train: Any, shell: Any, catalogue: Path) -> None:
    parts = catalogue / "parts"
    done = train(catalogue / "ratings", "--test", parts / "test.parquet", "--out", "a")
    assert "800 ratings of ratings are in the test set; training on the other 3,200" in done.stderr
    assert "800 ratings" in done.stdout
    # The same as training on the train part: the same pairs, so the same score.
    left_out = shell.json("evaluate", "a", "--test", parts)
    assert left_out["overlap"]["count"] == 0
    assert left_out["n_train"] + left_out["n_valid"] == 3200
    train(parts / "train.parquet", "--test", parts / "test.parquet", "--out", "b")
    assert shell.json("evaluate", "b", "--test", parts)["rmse"] == left_out["rmse"]


def test_the_summary(train: Any, catalogue: Path) -> None:
    out = train(catalogue / "ratings", "--holdout", "0.25", "--by", "last", "--seed", "5").stdout
    for text in (
        "trained 4 epochs",
        "scored on the latest 25% of each user's ratings, with seed 5: ",
        "RMSE  95% interval",
        "global_mean",
        "item_mean",
        "bias",
        "model: models/ratings-default",
        "recommend models/ratings-default --user 1",
    ):
        assert text in out, out
    assert Path("models/ratings-default/manifest.json").exists()


def test_the_summary_of_training_that_stopped_early(train: Any, catalogue: Path) -> None:
    options = ("patience=1", "weight_decay=0", "score_every=1")
    out = train(catalogue / "ratings", *(f"--set={option}" for option in options)).stdout
    assert re.search(r"trained [23] of 4 epochs \(chosen by validation: \d\)", out), out


def test_without_a_test_part_there_is_no_score(train: Any, shell: Any, catalogue: Path) -> None:
    done = train(catalogue / "ratings", "--out", "all")
    assert "no held-out score was computed" in done.stdout
    assert "bias" not in done.stdout
    answer = json.loads(train(catalogue / "ratings", "--out", "all", "--json").stdout)
    assert (answer["rmse"], answer["mae"], answer["baselines"], answer["n_test"]) == (None,) * 3 + (
        0,
    )
    assert answer["n_train"] + answer["n_valid"] == 4000


def test_the_same_seed_gives_the_same_weights(train: Any, catalogue: Path) -> None:
    def weights(seed: int) -> bytes:
        args = (catalogue / "ratings", "--holdout", "0.1", "--seed", seed, "--out", "m")
        train(*args)
        return Path("m/weights.safetensors").read_bytes()

    assert weights(1) == weights(1) != weights(2)


def test_a_split_brings_its_own_test_part(train: Any, shell: Any, catalogue: Path) -> None:
    answer = json.loads(train(catalogue / "parts", "--json").stdout)
    assert (answer["n_train"] + answer["n_valid"], answer["n_test"]) == (3200, 800)
    assert answer["split"] == {"by": "name", "name": str(catalogue / "parts")}
    message = shell.error("train", catalogue / "parts", "--user", "uid", code=2)
    assert "--user 'uid': no such column" in message
    message = shell.error("train", catalogue / "parts", "--k-core", "2", code=2)
    assert "--k-core" in message
    message = shell.error("train", "ml-100k/u1", "--delimiter", "tab", code=2)
    assert "--delimiter: ml-100k/u1 is a split that is read in one way" in message

    split_files(synthesize(120, 90, 4000).ratings, "people", 0.2, by="users")
    answer = json.loads(train("people", "--out", "p", "--json").stdout)
    # People held out of training are judged by what they gave, so the model knows them.
    assert answer["coverage"]["unknown_users"] == 0
    assert answer["n_test_users"] == 24
    assert shell.json("evaluate", "p", "--test", "people")["rmse"] == answer["rmse"]
    alone = shell.json("evaluate", "p", "--test", "people/test.parquet")
    assert alone["coverage"]["unknown_users"] == 24
    option = ("--given", "people/given.parquet")
    together = shell.json("evaluate", "p", "--test", "people/test.parquet", *option)
    assert together["rmse"] == answer["rmse"]


def test_a_query_and_a_preset_of_ones_own(shell: Any, catalogue: Path) -> None:
    toml = shell("presets", "base").stdout.replace("hidden = [128, 128, 128]", "hidden = [4]")
    Path("mine.toml").write_text(toml)
    query = (
        f"select user_id, item_id, rating from '{catalogue}/ratings/r*.parquet' where user_id<60"
    )
    done = shell.json(
        "train", "--sql", query, "--preset", "mine.toml", "--epochs", 1, "--holdout", 200
    )
    assert done["n_users"] == 59
    assert done["n_test"] == 200
    assert done["config"]["network"]["hidden"] == [4]
    assert done["config"]["network"]["activation"] == "sigmoid"
    assert Path("models/ratings-mine/manifest.json").exists()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--test", "x.csv", "--holdout", "0.2"], 2, ["--test", "--holdout"]),
        (["--by", "user"], 2, ["--holdout"]),
        (["--by", "usr", "--holdout", "0.2"], 2, ["'user'"]),
        (["--holdout", "1.5"], 2, ["1.5"]),
        (["--set", "epoch=3"], 2, ["epoch", "epochs"]),
        (["--set", "learning_rate=-1"], 2, ["learning_rate", "-1"]),
        (["--set", "epochs"], 2, ["key=value"]),
        (["--epochs", "0"], 2, ["--epochs", "epochs"]),
        (["--preset", "tunde"], 2, ["tuned"]),
        (["--preset", "none.toml"], 2, ["none.toml"]),
        (["--watch"], 2, ["--watch", "--holdout"]),
        (["--threads", "0"], 2, ["--threads"]),
        (["--device", "cdua"], 2, ["cdua", "cuda"]),
        (["--sql", "select 1"], 2, ["--sql"]),
        (["--resume", "--out", "new"], 2, ["checkpoint"]),
        (["--test", "absent.csv"], 1, ["absent.csv"]),
        (["--out", "taken"], 2, ["taken", "letter.txt"]),
    ],
)
def test_wrong_requests(
    args: list[str], code: int, words: list[str], shell: Any, catalogue: Path
) -> None:
    Path("taken").mkdir()
    Path("taken/letter.txt").write_text("mine")
    result = shell("train", catalogue / "ratings", *args, code=code)
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr
    assert Path("taken/letter.txt").read_text() == "mine"


def test_a_model_is_replaced_aloud(train: Any, catalogue: Path) -> None:
    assert "replace" not in train(catalogue / "ratings", "--out", "m").stderr
    assert "will replace the model there" in train(catalogue / "ratings", "--out", "m").stderr


def test_two_trainings_into_one_folder_are_refused(train: Any, catalogue: Path) -> None:
    with locked(Path("m"), "training into it"):
        refused = train(catalogue / "parts", "--out", "m", code=1)
    assert "m: another process is training into it" in refused.stderr
    assert not Path("m").exists()


def _interrupt_in_epoch(folder: Path, process: subprocess.Popen[str], how: int) -> tuple[str, str]:
    metrics = folder / "metrics.jsonl"
    limit = time.monotonic() + 600  # it hangs
    while not (metrics.exists() and metrics.read_text().count("\n") >= 3):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    process.send_signal(how)
    return process.communicate(timeout=600)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C reaches a child process otherwise there")
def test_ctrl_c_saves_and_says_how_to_go_on(
    shell: Any, catalogue: Path, train: Callable[..., Any]
) -> None:
    executable = Path(sys.executable).with_name("matinee")
    size = ["--set", "hidden=8", "--set", "batch_size=2", "--set", "teachers=1", "--epochs", "50"]
    args = ["train", catalogue / "parts", *size, "--out", "m m"]
    process = subprocess.Popen(
        [executable, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell in the background may have had the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    out, err = _interrupt_in_epoch(Path("m m"), process, signal.SIGINT)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    command = next(line for line in err.splitlines() if line.endswith(" --resume"))
    assert shlex.split(command)[1:] == [*map(str, args), "--resume"]
    assert "interrupted here" in shell.error("evaluate", "m m", "--test", "x", code=1)
    # Another run is not gone on with, and the same one is.
    refused = shell.error(*args[:-2], "--out", "m m", "--resume", "--seed", "1", code=2)
    assert "seed" in refused
    done = len(Path("m m/metrics.jsonl").read_text().splitlines())
    answer = shell.json(*args, "--resume")
    assert done < 50 == answer["epochs_run"] == len(answer["curve"])
    whole = shell.json(*args[:-1], "whole")
    assert answer["rmse"] == whole["rmse"]
    assert [row["loss"] for row in answer["curve"]] == [row["loss"] for row in whole["curve"]]


@pytest.mark.parametrize("resume", [False, True])
def test_an_unfinished_run_is_dropped_aloud(train: Any, catalogue: Path, resume: bool) -> None:
    Path("m").mkdir()
    Path("m/checkpoint.safetensors").write_bytes(b"damaged")
    args = (catalogue / "parts", "--out", "m")
    if resume:
        assert "damaged" in train(*args, "--resume", code=1).stderr
    else:
        assert "--resume would go on with it" in train(*args).stderr
        assert not Path("m/checkpoint.safetensors").exists()


def test_python_loads_what_the_command_saved(trained: Path, catalogue: Path) -> None:
    model = matinee.load_model(trained)
    test = matinee.load(catalogue / "parts" / "test.parquet")
    assert model.record["metrics"]["rmse"] == pytest.approx(model.evaluate(test).rmse, abs=1e-12)


def test_the_lists_are_scored_beside_popularity(
    train: Callable[..., Any], shell: Any, catalogue: Path, tmp_path: Path
) -> None:
    out = train(catalogue / "parts", "--out", tmp_path / "m").stdout
    assert "lists of 10" in out
    assert "that of popularity" in out
    answer = shell.json(
        "train", *SMALL, "--epochs", "2", catalogue / "parts", "--out", tmp_path / "m", "--json"
    )["lists"]
    again = matinee.load_model(tmp_path / "m")
    test = matinee.load(catalogue / "parts" / "test.parquet")
    assert answer["ndcg@10"] == pytest.approx(
        again.evaluate_lists(test, k=10).value("ndcg", 10), abs=1e-3
    )
    assert again.record["lists"]["ndcg@10"] == answer["ndcg@10"]


def test_a_split_of_interactions_is_scored_by_its_lists(
    shell: Any, catalogue: Path, tmp_path: Path
) -> None:
    folder, liked = tmp_path / "m", tmp_path / "liked"
    steps = ("--relevant", "4", "--k-core", "3", "--by", "user", "--holdout", "0.2")
    shell("data", "split", catalogue / "ratings", *steps, "--out", liked)
    args = ("train", liked, "--preset", "ease", "--out", folder)
    out = shell(*args).stdout
    assert "interactions" in out
    assert "lists of 10" in out
    assert "that of popularity" in out
    assert "RMSE" not in out
    answer = shell.json(*args, "--json")
    test = matinee.load(liked / "test.parquet")
    assert test.implicit
    assert (answer["rmse"], answer["n_test"]) == (None, len(test))
    again = matinee.load_model(folder).evaluate_lists(test, k=10)
    assert answer["lists"]["ndcg@10"] == pytest.approx(again.value("ndcg", 10), abs=1e-9)
    assert answer["lists"]["baselines"].keys() == {"popularity"}
    assert "--watch" in shell(*args, "--watch", code=2).stderr
    ratings = shell.folder / "rated.csv"
    pairs = zip(test.user_ids.decode(test.users), test.item_ids.decode(test.items), strict=True)
    ratings.write_text("user,item,rating\n" + "".join(f"{u},{i},5\n" for u, i in pairs))
    for source in (liked, ratings):  # by predictions of interactions there is nothing to score
        done = shell("evaluate", folder, "--test", source)
        assert "scoring the lists" in done.stderr
        assert "RMSE" not in done.stdout
    with pytest.raises(UsageError, match="evaluate_lists"):
        matinee.load_model(folder).evaluate(matinee.load(ratings))
    shell("report", folder, "--out", "page.html")
    page = (shell.folder / "page.html").read_text("utf-8")
    assert f"{again.value('ndcg', 10):.4f}" in page


def test_epochs_of_the_network_that_orders_lists_are_shown(
    shell: Any, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.cli.show.epochs._EVERY", 0.0)
    network = ("interest=network", "net.epochs=2", "net.hidden=[4]")
    options = [part for each in network for part in ("--set", f"lists.{each}")]
    shown = shell(
        "train", catalogue / "ratings", "--preset", "lists", *options, "--out", "m"
    ).stderr
    lines = [line for line in shown.splitlines() if line.startswith("network for lists")]
    assert [line.split("  ")[:2] for line in lines] == [
        [f"network for lists, epoch {epoch}/2", f"on {which} interactions"]
        for which in ("held-in", "all")
        for epoch in (1, 2)
    ]


def test_a_test_set_of_one_user_will_do(shell: Any, tmp_path: Path) -> None:
    """One rating of one user is enough to audit, to train beside, and to score by."""
    folder = tmp_path / "split"
    folder.mkdir()
    rows = [
        f"{user},{item},{1 + (user * item) % 5}" for user in range(1, 6) for item in range(1, 6)
    ]
    (folder / "train.csv").write_text("\n".join(["user,item,rating", *rows]) + "\n")
    (folder / "test.csv").write_text("user,item,rating\n1,9,4\n")
    train, test = folder / "train.csv", folder / "test.csv"
    assert shell.json("data", "audit", train, test)["n_test"] == 1
    assert shell.json("data", "audit", folder)["n_test"] == 1
    kind = ["--set", "kind=bias"]
    by_file = shell.json("train", train, "--test", test, *kind, "--out", "a")
    by_name = shell.json("train", folder, *kind, "--out", "b")
    assert by_file["n_test"] == by_name["n_test"] == 1
    assert shell.json("evaluate", "a", "--test", test)["rmse"] == by_file["rmse"]


def test_a_model_of_another_kind_than_the_preset_has_the_name_of_its_kind(
    shell: Any, catalogue: Path
) -> None:
    shown = shell("train", catalogue / "parts" / "train.parquet", "--set", "kind=bias")
    assert "training bias on" in shown.stderr
    assert "model: models/train-bias" in shown.stdout


def test_an_update_goes_on_from_a_model(
    shell: Any, trained: Path, catalogue: Path, tmp_path: Path
) -> None:
    test = catalogue / "parts" / "test.parquet"
    out = tmp_path / "newer"
    answer = shell.json("train", test, "--from", trained, "--out", out, "--epochs", "1")
    assert (answer["n_train"] + answer["n_valid"], answer["epochs_run"]) == (4000, 1)
    model = matinee.load_model(out)
    before = matinee.load_model(trained)
    assert model.record["updates"][0]["n_added"] == 800
    assert model.record["training"]["preset"] == before.record["training"]["preset"]
    assert len(model.leak_guard) == 4000
    assert "test pairs" in shell.error("evaluate", out, "--test", test, code=1)
    single = tmp_path / "single.csv"
    single.write_text("user,item,rating\n1,1,5\n")
    shown = shell("train", single, "--from", trained, "--out", out)
    assert f"{trained} further on 1 ratings by 1 users" in shown.stderr
    assert "of single added to" in shown.stderr
    again = shell("train", test, "--from", out, "--out", tmp_path / "newest", "--epochs", "1")
    assert "of test added to" in again.stderr
    assert "of single added to" not in again.stderr  # the notes of earlier trainings
    for more, message in (
        (("--out", out, "--set", "hidden=[4]"), "--set: the settings are those of"),
        (("--out", out, "--preset", "base"), "--preset: the settings are those of"),
        ((), "--from needs --out"),
    ):
        assert message in shell.error("train", test, "--from", trained, *more, code=2)


def test_what_lists_leave_out_of_large_data_is_noted(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    users, items = np.nonzero(rng.random((80, 30)) < 0.25)
    pairs = [f"{user},{item}\n" for user, item in zip(users, items, strict=True)
             if user % 2 == item % 2]  # fmt: skip
    (shell.folder / "clicks.csv").write_text("user_id,item_id\n" + "".join(pairs))
    for name, value in (("AUTO_SIDE", 10), ("LEAST_ROW", 2.0)):
        monkeypatch.setattr(choose, name, value)
    done = shell("train", "clicks.csv", "--preset", "lists", "--out", "model",
                 "--set", "max_gib=1e-9")  # fmt: skip
    assert "(--preset ease --set lists.linear.max_gib=1)" in done.stderr


def test_all_columns_where_there_are_none_are_noted(shell: Any) -> None:
    rows = [f"{at % 20},{at % 7},{at % 5 + 1}\n" for at in range(140)]
    (shell.folder / "r.csv").write_text("user,item,rating\n" + "".join(rows))
    args = ("train", "r.csv", "--set", "columns=true", "--preset")
    network, bayesian = ("default", *SMALL), ("bayesian", "--set", "sweeps=4", "--set", "burn_in=2")
    noted = "columns = true, and the data has none"
    assert noted in shell(*args, *bayesian).stderr
    people = "".join(f"{at},{'ab'[at % 2]}\n" for at in range(20))
    (shell.folder / "people.csv").write_text("user,town\n" + people)
    assert noted not in shell(*args, *bayesian).stderr
    assert noted in shell(*args, *network, "--epochs", "1").stderr


def test_ordinal_outputs_by_the_executable(shell: Any, catalogue: Path) -> None:
    args = ["train", catalogue / "ratings", "--holdout", "0.2", "--out", "model", *SMALL]
    args += ["--set", "output=ordinal", "--set", "teacher=none", "--epochs", "3", "--json"]
    done = shell.real(*args)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["config"]["network"]["output"] == "ordinal"
    assert answer["rmse"] < answer["baselines"]["global_mean"]["rmse"]
    user = matinee.load_model(shell.folder / "model").user_ids.ids[0]
    shell("recommend", "model", "--user", user, "-k", "5", "--out", "list.csv")
    with (shell.folder / "list.csv").open(newline="") as file:
        predicted = [float(row["predicted"]) for row in csv.DictReader(file)]
    assert len(predicted) == 5
    assert all(1 < rating < 5 for rating in predicted)

    rng = np.random.default_rng(0)
    rows = [f"{n % 30},{n // 30},{value:.4f}" for n, value in enumerate(rng.uniform(0, 9, 600))]
    (shell.folder / "reals.csv").write_text("\n".join(["user,item,rating", *rows]))
    args = ["train", "reals.csv", "--set", "output=ordinal"]
    refused = shell.error(*args, *SMALL, code=2)
    assert "output = 'ordinal' needs ratings of 2 to 20 levels; these have" in refused
    refused = shell.error(*args, "--set", "refeed=dense", code=2)
    assert "with output = 'ordinal' set it off" in refused
