"""Results as plain files: what is read back is what was written, and says the same."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest

from matinee.errors import DataError
from matinee.lab.study import (
    EpochRecord,
    Results,
    RunRecord,
    Study,
    judge,
    load_results,
    read_archive,
    summarise,
    write_archive,
)

STUDY = Study.make(
    {
        "name": "small",
        "title": "A small one",
        "preset": "base",
        "seeds": [0, 1],
        "base": "rate/0.001",
        "data": [{"name": "some, data", "source": "ml-100k/u1"}],
        "groups": [
            {"name": "rate", "title": "Rate", "key": "learning_rate", "values": [1e-3, 1e-2]},
            {"name": "again", "title": "Again", "arms": [{"name": "same"}, {"name": "lost"}]},
        ],
        "claims": [
            {
                "id": "1",
                "text": "Slow is better.",
                "checks": [{"kind": "better", "arms": ["rate/0.001"], "than": ["rate/0.01"]}],
            }
        ],
    }
)


def record(key: str, seed: int, held: list[float], **more: object) -> RunRecord:
    epochs = tuple(
        EpochRecord(at, 0.123456, {"held_out": v, "batch_mean": v / 3})
        for at, v in enumerate(held, 1)
    )
    plain = RunRecord(
        key=key * 4,
        settings={"model": "autoencoder"},
        data="some, data",
        seed=seed,
        status="done",
        error="",
        epochs=epochs,
        final={"rmse": held[-1] if held else 0.9, "train_ratings": 80000.0, "protocol.global": 0.9},
        parameters=1234,
        peak_mib=100.5,
        seconds=1.23456,
        total_seconds=2.0,
        versions={"numpy": "2.0", "system": "Linux x86_64"},
    )
    return replace(plain, **more)  # type: ignore[arg-type]


@pytest.fixture
def results() -> Results:
    name = "some, data"
    good = [record(f"good{seed}", seed, [1.0, 0.9123456 + seed / 1e3]) for seed in (0, 1)]
    bad = [record(f"badx{seed}", seed, [1.0, 0.95 + seed / 1e3]) for seed in (0, 1)]
    lost = record("lost0", 0, [], status="failed", error="diverged\nat epoch 3", final={})
    runs = {("rate/0.01", name, seed): bad[seed] for seed in (1, 0)}
    runs |= {("rate/0.001", name, seed): good[seed] for seed in (0, 1)}
    runs |= {("again/same", name, seed): good[seed] for seed in (0, 1)}
    runs["again/lost", name, 0] = lost
    return Results(STUDY, runs, 8)


def test_it_reads_back(results: Results, tmp_path: Path) -> None:
    files = write_archive(results, tmp_path)
    assert [file.name for file in files] == ["study.toml", "runs.csv", "curves.csv"]
    back = read_archive(tmp_path)
    assert back.study == STUDY
    assert (back.study.cut, back.expected) == (None, 8)
    assert set(back.runs) == set(results.runs)
    for name, record in results.runs.items():
        result = back.runs[name]
        assert result.final == pytest.approx(record.final)
        assert result.versions == record.versions
        assert (result.status, result.parameters) == (record.status, record.parameters)
        assert len(result.epochs) == len(record.epochs)
        for one, other in zip(result.epochs, record.epochs, strict=True):
            assert one.figures == pytest.approx(other.figures, abs=1e-6)
    # Arms that coincide still share their run, or differences would be taken twice.
    assert back.runs["again/same", "some, data", 0] is back.runs["rate/0.001", "some, data", 0]


def test_it_says_the_same(results: Results, tmp_path: Path) -> None:
    write_archive(results, tmp_path)
    back = load_results(tmp_path)
    assert [j.verdict for j in judge(back)] == [j.verdict for j in judge(results)]
    for one, other in zip(summarise(back).arms, summarise(results).arms, strict=True):
        assert one.arm == other.arm
        assert one.diverged == other.diverged
        assert (one.difference is None) == (other.difference is None)
        if one.difference and other.difference and math.isfinite(other.difference.mean):
            assert one.difference.mean == pytest.approx(other.difference.mean, abs=1e-5)


def test_writing_what_was_read_changes_nothing(results: Results, tmp_path: Path) -> None:
    tie = record("tied", 0, [0.90000049, 0.90000012])  # one after rounding: the best is the first
    results.runs["rate/0.01", "some, data", 0] = tie
    write_archive(results, tmp_path / "one")
    write_archive(read_archive(tmp_path / "one"), tmp_path / "two")
    for name in ("study.toml", "runs.csv", "curves.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_rows_are_in_the_order_of_the_study(results: Results, tmp_path: Path) -> None:
    write_archive(results, tmp_path)
    with (tmp_path / "runs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["arm"], row["seed"]) for row in rows][:4] == [
        ("rate/0.001", "0"),
        ("rate/0.001", "1"),
        ("rate/0.01", "0"),
        ("rate/0.01", "1"),
    ]
    assert rows[0]["last.held_out"] == "0.912346"
    assert rows[-1]["error"] == "diverged at epoch 3"
    with (tmp_path / "curves.csv").open(encoding="utf-8", newline="") as file:
        epochs = list(csv.DictReader(file))
    assert len(epochs) == 8  # four runs of two epochs, each once


def test_keys_that_begin_alike_are_distinguished(results: Results, tmp_path: Path) -> None:
    name = "some, data"
    results.runs["rate/0.001", name, 0] = replace(record("x", 0, [0.9]), key="abcdefgh1")
    results.runs["rate/0.001", name, 1] = replace(record("x", 1, [0.8]), key="abcdefgh2")
    write_archive(results, tmp_path)
    back = read_archive(tmp_path)
    assert [r.last("held_out") for r in back.of("rate/0.001")] == [0.9, 0.8]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("curves.csv", "0.912346", "high", "line 3"),
        ("runs.csv", ",1234,", ",many,", "line 2"),
        ("runs.csv", "arm,", "arms,", "line 2"),
    ],
)
def test_a_spoilt_file_is_named(
    results: Results, tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    write_archive(results, tmp_path)
    text = (tmp_path / file).read_text("utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(DataError, match=f"{file}, {message}"):
        read_archive(tmp_path)
