"""Commands that are killed while they write a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import TRAIN, Shell

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")

KILLED = """
import itertools, os, signal, sys, threading
from matinee.base import atomic
from matinee.cli import main
from matinee.train import checkpoint

moment, at = sys.argv[1], int(sys.argv[2])
checkpoint.SECONDS = 0.0  # a checkpoint after every epoch
sync, put = atomic._sync, atomic._put
numbers, write = itertools.count(1), threading.local()  # teachers write from threads

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def synced(path):
    write.number = next(numbers)
    if (moment, at) == ("half", write.number):
        file = min((f for f in (path, *path.rglob("*")) if f.is_file()), default=None)
        if file is not None:
            os.truncate(file, file.stat().st_size // 2)
        kill()
    sync(path)

def placed(temporary, target):
    if (moment, at) == ("synced", write.number):
        kill()
    put(temporary, target)
    if (moment, at) == ("placed", write.number):
        kill()

atomic._sync, atomic._put = synced, placed
sys.exit(main(sys.argv[3:]))
"""
"""Runs matinee, killed at a moment of the atomic write of that number."""


def kill(moment: str, at: int, *args: object) -> None:
    command = [sys.executable, "-c", KILLED, moment, str(at), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == -9, done.stdout + done.stderr


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.name.startswith(".")]


def check_training(shell: Shell, moment: str, at: int, *args: object) -> None:
    kill(moment, at, *args, "--out", "killed")
    checkpoints = list(Path("killed").glob("checkpoint*.safetensors"))
    shell(*args, "--out", "killed", *(["--resume"] if checkpoints else []))
    shell(*args, "--out", "whole")
    same_weights("killed", "whole")
    assert hidden(shell.folder) == []


def same_weights(one: str, other: str) -> None:
    files = [Path(name, "weights.safetensors").read_bytes() for name in (one, other)]
    assert files[0] == files[1]


def test_leftovers_of_a_kill_are_removed(shell: Any, catalogue: Path) -> None:
    """The kill of issue 17, by hand: files of an earlier version, and of safetensors."""
    kill("half", 4, *TRAIN, catalogue / "parts", "--out", "m")
    Path("m/.checkpoint.safetensors.deadbeef.tmp").touch()
    Path("m/.tmpuM7ua5").touch()
    shell(*TRAIN, catalogue / "parts", "--out", "m", "--resume")
    assert hidden(shell.folder) == []


# Writes of a training of four epochs: the metrics, four checkpoints, the model.
@pytest.mark.parametrize(("moment", "at"), [("half", 1), ("half", 3), ("placed", 6)])
def test_training_goes_on_after_a_kill(shell: Any, catalogue: Path, moment: str, at: int) -> None:
    check_training(shell, moment, at, *TRAIN, catalogue / "parts")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["half", "synced", "placed"])
@pytest.mark.parametrize("at", range(1, 7))
def test_training_goes_on_after_any_kill(shell: Any, catalogue: Path, moment: str, at: int) -> None:
    check_training(shell, moment, at, *TRAIN, catalogue / "parts")


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2, 4, 6, 9, 11])
def test_a_teacher_or_an_ensemble_goes_on_after_a_kill(
    shell: Any, catalogue: Path, at: int
) -> None:
    ensemble = ["--preset", "accurate", *TRAIN[1:], catalogue / "parts"]
    check_training(shell, "half", at, "train", *ensemble)


@pytest.mark.parametrize("moment", ["half", "placed"])
def test_lists_and_exports_are_whole_or_absent(shell: Any, trained: Path, moment: str) -> None:
    lists = ("recommend", trained, "--all-users", "--out", "lists.csv")
    Path("lists.csv").write_text("old\n")
    kill(moment, 1, *lists)
    text = Path("lists.csv").read_text()
    assert (text == "old\n") == (moment == "half")
    shell(*lists)
    assert hidden(shell.folder) == []
    if moment == "placed":
        assert Path("lists.csv").read_text() == text


@pytest.mark.parametrize("moment", ["half", "placed"])
def test_a_split_is_whole_or_absent(shell: Any, catalogue: Path, moment: str) -> None:
    args = ("data", "split", catalogue / "ratings", "--out", "s")
    kill(moment, 4, *args)
    assert Path("s").exists() == (moment == "placed")
    shell(*args)
    assert hidden(shell.folder) == []
    assert Path("s/manifest.json").exists()


STUDY = """
name = "mine"
title = "Mine"
text = "Which batch size?"
preset = "base"
set = { hidden = [4], epochs = 1 }
seeds = [0]
base = "batch/16"
figures = ["held_out"]

[[data]]
name = "w"
synthetic = { users = 60, items = 30, ratings = 900 }
holdout = 0.2

[[groups]]
name = "batch"
title = "Batch"
key = "batch_size"
values = [16, 64]
"""
SWEPT = ["--out", "best.toml", "--table", "trials.csv"]
COMMANDS: dict[str, list[list[str]]] = {
    "report": [["report", "TRAINED", "--out", "r.html"]],
    "export": [["export", "TRAINED", "--items", "vectors.parquet"]],
    "data add": [["data", "add", "mine", "RATINGS"]],
    "study": [
        ["study", "run", "mine.toml", "--workers", "1", "--threads", "1", "--out", "study"],
        ["study", "report", "study", "--out", "study.html"],
    ],
    "sweep": [
        ["sweep", "RATINGS", "--trials", "1", "--set", "hidden=4", "--set", "epochs=1", *SWEPT],
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["half", "synced", "placed"])
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("name", COMMANDS)
def test_other_commands_are_run_again_after_a_kill(
    shell: Any, trained: Path, catalogue: Path, name: str, moment: str, at: int
) -> None:
    """The same command again does what it would have done, and leaves no temporaries."""
    Path("mine.toml").write_text(STUDY)
    paths = {"TRAINED": str(trained), "RATINGS": str(catalogue / "ratings")}
    commands = [[paths.get(arg, arg) for arg in command] for command in COMMANDS[name]]
    killed = [sys.executable, "-c", KILLED, moment, str(at), *commands[0]]
    done = subprocess.run(killed, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode in (0, -9), done.stdout + done.stderr
    if done.returncode == 0:
        pytest.skip(f"{name} writes fewer than {at} files by itself")
    for command in commands:
        shell(*command)
    assert hidden(shell.folder) == []
    assert {path.suffix for path in shell.folder.rglob("*")}.isdisjoint({".tmp", ".stage"})
