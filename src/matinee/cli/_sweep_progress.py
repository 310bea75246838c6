"""The progress of a sweep."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ._output import console, note

if TYPE_CHECKING:
    from ..study import SearchSpace, Trial
    from ..study._sweep_search import Step

_EVERY = 15.0
"""Seconds within a training after which a line is due where stderr is no terminal."""
_PATIENT = 5.0
_COMPILING = "in the first epoch; on the first run its kernels are compiled now (about 20 s, once)"


class SweepProgress:
    """Shows each trial as it ends, and what goes on: on a terminal a bar, else a line at times.

    Args:
        trials: How many there may be, or None.
        quiet: Whether to print nothing where stderr is no terminal.
    """

    def __init__(self, trials: int | None, *, quiet: bool = False) -> None:
        from rich.progress import Progress as Bar
        from rich.progress import SpinnerColumn, TextColumn

        self._of = "" if trials is None else f" of {trials}"
        screen = console()
        self._terminal = screen.is_terminal
        self._quiet = quiet and not self._terminal
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            console=screen,
            transient=True,
            disable=not self._terminal,
        )
        self._task = self._bar.add_task("")
        self._said = 0.0
        self._timer = threading.Timer(_PATIENT, self._say, [f"matinee: {_COMPILING}"])
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._said = time.monotonic()
        self._bar.start()
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._bar.stop()

    def __call__(self, step: Step) -> None:
        """Note an epoch."""
        self._timer.cancel()
        now = time.monotonic()
        if self._terminal:
            self._bar.update(self._task, description=self._text(step))
        elif not self._quiet and now - self._said >= _EVERY:
            self._said = now
            note(self._text(step))

    def trial(self, trial: Trial, best: Trial | None) -> None:
        """Note the end of a trial."""
        self._said = time.monotonic()
        if trial.rmse is not None:
            how = f"validation RMSE {trial.rmse:.4f}" + ("  (the best yet)" * (trial is best))
        else:
            how = f"{trial.state}: {trial.reason}" if trial.reason else "behind the others, cut"
        values = ", ".join(
            f"{key.rsplit('.', 1)[-1]} {value_text(value)}" for key, value in trial.values.items()
        )
        self._say(f"trial {trial.number}{self._of}  {how}  {trial.seconds:.1f} s  ({values})")

    def _text(self, step: Step) -> str:
        parts = [f"{step.what}  epoch {step.epoch.epoch}/{step.epochs}"]
        if step.rmse is not None:
            parts.append(f"validation RMSE {step.rmse:.4f}")
        if step.best is not None and step.best.rmse is not None:
            parts.append(f"best {step.best.rmse:.4f} (trial {step.best.number})")
        if step.left is not None and not step.what.startswith("judging"):
            parts.append(f"{clock_text(step.left)} left to search")
        return "  ".join(parts)

    def _say(self, text: str) -> None:
        if self._terminal:
            self._bar.console.print(text, highlight=False, markup=False)
        elif not self._quiet:
            note(text)


def values_text(trial: Trial, space: SearchSpace) -> Iterator[str]:
    """The values of a trial, as a table shows them."""
    return (value_text(trial.values[key]) for key in space.dimensions)


def value_text(value: Any) -> str:
    """A setting's value in a few characters."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return "-".join(map(str, value))
    return str(value)


def clock_text(seconds: float) -> str:
    """Seconds as minutes and seconds, or hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
