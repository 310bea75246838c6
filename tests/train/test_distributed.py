"""Two processes train what one does: step by step in float64, and as the command."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import together
import torch
from problems import parts, ratings, run, settings
from safetensors.numpy import load_file

import matinee
from matinee.cli import main
from matinee.errors import UsageError
from matinee.nn import Batch
from matinee.synth import synthesize
from matinee.train import ProcessGroup, Shard

SECONDS = 400  # on a machine that does much else


def torchrun(*args: object, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """Run something in several processes, on a port that is free."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), *map(str, args)]
    one_thread = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "GOMP_SPINCOUNT": "0"}
    return subprocess.run(
        command,
        env={**os.environ, **one_thread},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, np.ndarray]]:
    """What each of two processes got, and last, what it said of the other."""
    folder = tmp_path_factory.mktemp("together")
    done = torchrun(Path(together.__file__), "equal", folder)
    assert done.returncode == 0, done.stderr
    states = [dict(np.load(folder / f"{rank}.npz")) for rank in (0, 1)]
    for rank, arrays in enumerate(states):
        arrays["said"] = np.array(json.loads((folder / f"{rank}.json").read_text()))
        arrays["threads"] = np.array(json.loads((folder / f"{rank}-threads.json").read_text()))
    return states


@pytest.mark.parametrize("name", [*together.NAMES, *(f"sharded {n}" for n in together.SHARDED)])
def test_the_weights_of_one_process(name: str, both: list[dict[str, np.ndarray]]) -> None:
    weights, history = together.trained(name.removeprefix("sharded "), ProcessGroup())
    first, second = both
    assert len(weights) > 3
    for key, array in weights.items():
        assert np.abs(first[f"{name}/{key}"] - array).max() < 1e-9, key
        assert np.array_equal(first[f"{name}/{key}"], second[f"{name}/{key}"]), key
    wanted = np.array(together.figures(history))
    assert first[f"{name}/history"].shape == wanted.shape
    assert np.abs(first[f"{name}/history"] - wanted).max() < 1e-9


@pytest.mark.parametrize("kind", ["autoencoder", "ensemble"])
def test_fit_stopped_and_resumed_in_two(kind: str, both: list[dict[str, np.ndarray]]) -> None:
    alone = together.predicted(kind, ProcessGroup())
    assert np.ptp(alone) > 1
    for result in both:
        assert np.abs(result[kind] - alone).max() < 1e-4


def test_processes_that_were_given_different_things(both: list[dict[str, np.ndarray]]) -> None:
    for result in both:
        assert "different data;" in str(result["said"])


def table(path: Path) -> Path:
    data = synthesize(120, 50, 2500, seed=4).ratings
    rows = zip(
        data.user_ids.ids[data.users], data.item_ids.ids[data.items], data.values, strict=True
    )
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("user", "item", "rating"), *rows])
    return path


def command(out: Path, source: Path) -> Sequence[object]:
    sizes = ["--set", "hidden=12,6,12", "--set", "batch_size=16", "--set", "validation=0.1"]
    sizes += ["--set", "score_every=1"]
    more = ["--set", "code_dropout=0.3", "--epochs", 4, "--watch", "--holdout", 0.2]
    return ["train", source, "--out", out, *sizes, *more]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = table(tmp_path / "ratings.csv")
    one, two = tmp_path / "one", tmp_path / "two"
    assert main([*map(str, command(one, source))]) == 0
    alone = capsys.readouterr().out
    done = torchrun("-m", "matinee", *command(two, source))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("matinee: training default") == 1
    assert "in 2 processes" in done.stderr
    assert done.stdout.count("scored on 20%") == alone.count("scored on 20%") == 1
    for epoch, wanted in zip(epochs(two), epochs(one), strict=True):
        for key in ("loss", "train_rmse", "valid_rmse", "learning_rate"):
            assert epoch[key] == pytest.approx(wanted[key], rel=1e-5)
        assert epoch["watched"] == pytest.approx(wanted["watched"], rel=1e-5)
        assert epoch["teacher"] or epoch["watched"]["test"] > 0
    left, right = (load_file(folder / "weights.safetensors") for folder in (one, two))
    assert left.keys() == right.keys()
    for key, array in left.items():
        assert np.allclose(array, right[key], rtol=0, atol=1e-4), key


def epochs(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_failure_of_all_is_reported_once(tmp_path: Path) -> None:
    done = torchrun("-m", "matinee", "train", tmp_path / "missing.csv")
    assert done.returncode == 1
    assert done.stderr.count("matinee: error:") == 1
    assert "missing.csv" in done.stderr


def test_no_thread_of_the_group_outlives_it(both: list[dict[str, np.ndarray]]) -> None:
    # One that does may abort the process at its exit.
    for arrays in both:
        assert not [name for name in arrays["threads"].tolist() if "gloo" in name]


def test_a_process_that_is_lost_ends_the_others(tmp_path: Path) -> None:
    done = torchrun(Path(together.__file__), "lost", tmp_path)
    assert done.returncode == 1


def test_what_several_processes_cannot_do() -> None:
    two = ProcessGroup(0, 2)
    with pytest.raises(UsageError, match="batch_norm needs statistics over a whole batch"):
        replace(run(settings(batch_norm=True, batch_size=8)), shard=Shard(two))
    data = synthesize(20, 10, 90, seed=1).ratings
    for model in (matinee.BiasedMF(), matinee.SparseFC()):
        with pytest.raises(UsageError, match=f"{model.kind} trains in one process"):
            model.fit(data, group=two)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_row_has_one_process_and_the_work_is_shared(size: int) -> None:
    for indptr in (ratings().indptr, np.array([0]), np.array([4, 5]), np.array([0, 0, 9, 9])):
        shares = [ProcessGroup(rank, size).rows(indptr) for rank in range(size)]
        assert [share.start for share in shares[1:]] == [share.stop for share in shares[:-1]]
        assert (shares[0].start, shares[-1].stop) == (0, len(indptr) - 1)
    indptr = np.cumsum([0, *np.random.default_rng(0).lognormal(4, 1.2, 600).astype(np.int64)])
    even = np.diff([indptr[ProcessGroup(rank, size).rows(indptr).start] for rank in range(size)])
    assert np.all(np.abs(even / (indptr[-1] / size) - 1) < 0.2)


@pytest.mark.parametrize("kind", ["ratings", "presence"])
def test_part_of_a_batch(kind: str) -> None:
    csr = ratings()
    _, inputs = parts(settings(input=kind, center="mean"), csr)
    rows = np.array([5, 0, 33, 2, 17, 40])
    known = (csr.indptr, csr.indices, csr.values)
    whole = inputs.batch(*known, rows)
    assert whole.take(slice(0, 6)) is whole
    for some in (slice(0, 2), slice(2, 5), slice(5, 6), slice(3, 3)):
        part, wanted = whole.take(some), inputs.batch(*known, rows[some])
        for name in Batch.__dataclass_fields__:
            assert np.array_equal(getattr(part, name), getattr(wanted, name)), name
        assert (part.source is part.column) == (kind == "ratings")


def test_part_of_a_dropout_mask() -> None:
    masks = []
    for span in (None, (0, 9), (4, 9), (9, 9)):
        network, _ = parts(settings(code_dropout=0.5), ratings())
        rows = 9 - (span[0] if span else 0)
        masks.append(network.dropout_mask(torch.ones(rows, 4), span))
        masks.append(network.dropout_mask(torch.ones(9, 4)))  # the generator stands where it would
    whole, after = masks[:2]
    assert whole is not None
    for part, later in zip(masks[2::2], masks[3::2], strict=True):
        assert part is not None
        assert torch.equal(part, whole[9 - len(part) :])
        assert torch.equal(later, after)


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with ProcessGroup.join() as group:
        assert group == ProcessGroup()
        assert group.alone
        assert group.first
    for name, value in zip(("RANK", "WORLD_SIZE", "LOCAL_RANK"), "130", strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert ProcessGroup.of_environment() == ProcessGroup(1, 3, 0, 2)
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(UsageError, match=r"RANK='first'.*start with torchrun"):
        ProcessGroup.of_environment()
