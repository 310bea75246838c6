"""The lines of progress where stderr is no terminal."""

from __future__ import annotations

import io
import sys
import time
from typing import Any

import pytest

from matinee.cli import output as _output
from matinee.cli.show import epochs as _epochs, progress as _progress
from matinee.train import Epoch


def epoch(number: int, valid: float | None = 0.9, **watched: float) -> Epoch:
    return Epoch(number, 0.81234, 0.9, valid, watched, 1e-3, 0.5, 2_345_678.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(_epochs.time, "monotonic", lambda: now[0])
    return now


def test_a_line_every_few_seconds(clock: list[float], capsys: Any) -> None:
    with _epochs.Progress({(0, False): 200}) as progress:
        for number in range(1, 41):
            clock[0] += 1.0
            progress(epoch(number, test=0.95))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 8
    assert lines[0] == (
        "epoch 5/200  loss 0.8123  validation RMSE 0.9000  test 0.9500  2.3M ratings/s  3:15 left"
    )
    assert [line.split()[1] for line in lines][:3] == ["5/200", "10/200", "15/200"]


def test_the_first_epoch_does_not_spoil_the_time_left(clock: list[float], capsys: Any) -> None:
    with _epochs.Progress({(0, False): 11}) as progress:
        for number, seconds in enumerate([60.0, 6.0, 6.0], start=1):
            clock[0] += seconds
            progress(epoch(number, valid=None))
    first, *_, last = capsys.readouterr().err.splitlines()
    assert "left" not in first
    assert "validation" not in last
    assert last.endswith("0:48 left")


def test_quiet_is_quiet(clock: list[float], capsys: Any) -> None:
    with _epochs.Progress({(0, False): 9}, quiet=True) as progress:
        clock[0] += 60.0
        progress(epoch(1))
    assert capsys.readouterr().err == ""
    assert len(progress.seen) == 1


@pytest.mark.parametrize("quiet", [False, True])
def test_a_slow_first_epoch_is_explained(
    quiet: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(_progress, "_PATIENT", 0.01)
    with _epochs.Progress({(0, False): 9}, quiet=quiet) as progress:
        time.sleep(0.2)
        progress(epoch(1))
    assert ("compiled" in capsys.readouterr().err) is not quiet


def test_it_stops_the_clock_when_training_fails(capsys: Any) -> None:
    progress = _epochs.Progress({(0, False): 9})
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    assert progress._timer.finished.is_set()


def test_a_closed_stderr_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    _output.note("epoch 1")
