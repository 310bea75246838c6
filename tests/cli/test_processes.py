"""Under torchrun one process speaks; ``tests/train/test_distributed.py`` has the real thing."""

from __future__ import annotations

import os
import time

import pytest

from matinee.cli import main
from matinee.cli.output import echo, note
from matinee.cli.processes import first_process_prints, threads_each
from matinee.errors import DataError, ProcessError


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """In the second of two processes on this machine, with what it sleeps."""
    names = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    for name, value in {**names, "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


@pytest.mark.parametrize(("rank", "spoken"), [("0", "result"), ("1", "")])
def test_the_first_alone_speaks(
    rank: str,
    spoken: str,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RANK", rank)
    with first_process_prints(["train", "ratings.csv"]):
        echo("result")
        note("progress")
    out, err = capsys.readouterr()
    assert out.strip() == spoken
    assert bool(err) == bool(spoken)
    assert slept == []


def test_a_process_without_the_cause_waits_longest(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        for error in (DataError, ProcessError):
            with pytest.raises(error), first_process_prints(["train"]):
                raise error("no")
    first, lost, others, both = slept
    assert first == 0 < others < lost < both


def test_other_commands_are_refused(
    slept: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "0")
    assert main(["presets"]) == 2
    assert "torchrun starts 'matinee train' alone, not 'matinee presets'" in capsys.readouterr().err
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert main(["presets"]) == 0


def test_the_cores_are_shared(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    assert threads_each(None) == 4
    assert threads_each(3) == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "12")
    assert threads_each(None) == 1
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    assert threads_each(None) is None
