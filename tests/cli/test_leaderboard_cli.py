"""``matinee leaderboard``, piece by piece, on a study of generated ratings."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Shell

STUDY = """
name = "board"
title = "Board"
preset = "base"
set = { hidden = [8], epochs = 2 }
seeds = [0, 1]
base = "simple/bias"
figures = ["valid"]

[[data]]
name = "one"
synthetic = { users = 100, items = 40, ratings = 2000 }
holdout = 0.2
resplit = true

[[data]]
name = "two"
synthetic = { users = 90, items = 40, ratings = 1800 }
holdout = 0.2
seeds = [0]

[[data]]
name = "gone"
source = "ml-1m"
holdout = 0.1

[[groups]]
name = "simple"
title = "Simple"
arms = [{ name = "bias", model = "bias" }, { name = "user-mean", model = "user-mean" }]

[[groups]]
name = "nets"
title = "Networks"
arms = [{ name = "small" }]

[[literature]]
model = "Paper"
data = ["one"]
rmse = 0.1
source = "Somebody"
year = 2015

[quick]
data = ["two"]
"""


@pytest.fixture
def board(shell: Shell) -> Shell:
    (shell.folder / "board.toml").write_text(STUDY, "utf-8")
    return shell


COMMON = ("leaderboard", "--study", "board.toml", "--workers", "1", "--out", "runs")


@pytest.mark.slow
def test_piece_by_piece(board: Shell) -> None:
    first = board(*COMMON, "--data", "one", "--models", "bias", "--seeds", "0")
    assert "gone is left out: ml-1m is not on this machine" in first.stderr
    assert "one: generated, 20% held out" in first.stdout
    assert "two:" not in first.stdout
    assert "Paper" in first.stdout
    assert "Not run yet: user-mean, small." in first.stdout
    answer = board.json(*COMMON, "--models", "simple", "--table", "table.md")
    assert (answer["run"]["done"], answer["run"]["before"]) == (5, 1)
    rows = {(row["data"], row["model"]): row for row in answer["rows"]}
    assert rows["one", "bias"]["seeds"] == 2
    assert rows["two", "user-mean"]["gain"] < 0
    assert rows["one", "Paper"]["status"] == "published"
    assert ("one", "small") not in rows
    last = board(*COMMON, "--data", "two")
    assert "Not run yet" not in last.stdout
    with Path("runs/leaderboard.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert {(row["data"], row["model"]) for row in written} == {
        *((data, model) for data in ("one", "two") for model in ("bias", "user-mean")),
        ("two", "small"),
        ("one", "Paper"),
    }
    assert Path("table.md").read_text("utf-8").startswith("### one\n")
    assert "| Paper | 0.1 |" in Path("runs/leaderboard.md").read_text("utf-8")
    assert "user-mean" in Path("runs/report.html").read_text("utf-8")
    shown = board.json(*COMMON, "--show")
    assert shown["run"] is None
    assert len(shown["rows"]) == 6


@pytest.mark.slow
def test_further_seeds_add_to_the_others(board: Shell) -> None:
    board(*COMMON, "--data", "one", "--models", "bias")
    answer = board.json(*COMMON, "--data", "one", "--models", "bias", "--seeds", "5")
    assert (answer["run"]["done"], answer["run"]["before"]) == (1, 0)
    [bias] = [row for row in answer["rows"] if row["model"] == "bias"]
    assert bias["seeds"] == 3


def test_quick_has_a_folder_of_its_own(board: Shell) -> None:
    answer = board.json("leaderboard", "--study", "board.toml", "--quick", "--models", "bias")
    assert answer["quick"] is True
    assert Path("studies/board-quick/leaderboard.md").read_text("utf-8").startswith("*The quick")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "bais"], "--models 'bais': there is none; did you mean 'bias'"),
        (["--data", "three"], "--data 'three': there is none"),
        (["--seeds", "x"], "--seeds 'x': write whole numbers"),
        (["--workers", "0"], "--workers 0: must be at least 1"),
    ],
)
def test_wrong_requests(board: Shell, options: list[str], message: str) -> None:
    assert message in board.error(*COMMON[:3], *options, code=2)


def test_data_that_is_asked_for_and_not_there(board: Shell) -> None:
    message = board.error(*COMMON, "--data", "gone", code=1)
    assert "gone: ml-1m is not on this machine; `matinee data get ml-1m` brings it" in message


def test_nothing_to_show(board: Shell) -> None:
    assert "no study was run here" in board.error(*COMMON, "--show", code=1)
