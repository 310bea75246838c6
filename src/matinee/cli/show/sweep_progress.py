"""The progress of a sweep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .progress import Display, clock_text

if TYPE_CHECKING:
    from ...lab.tune import Trial
    from ...lab.tune.search import Step

_EVERY = 15.0
"""Seconds of training after which a line is printed if stderr is not a terminal."""


class SweepProgress(Display):
    """Shows the progress of a sweep: a bar on a terminal, else lines.

    Args:
        trials: How many there may be, or None.
        quiet: Whether to print nothing if stderr is not a terminal.
    """

    def __init__(self, trials: int | None, *, quiet: bool = False) -> None:
        from rich.progress import SpinnerColumn, TextColumn

        self._of = "" if trials is None else f" of {trials}"
        columns = SpinnerColumn(), TextColumn("{task.description}")
        super().__init__(*columns, every=_EVERY, quiet=quiet)

    def __call__(self, step: Step) -> None:
        """Note an epoch."""
        self._timer.cancel()
        text = self._text(step)
        self._show(time.monotonic(), text, description=text)

    def trial(self, trial: Trial, best: Trial | None) -> None:
        """Note the end of a trial."""
        self._printed = time.monotonic()
        if trial.rmse is not None:
            how = f"validation RMSE {trial.rmse:.4f}" + ("  (the best yet)" * (trial is best))
        else:
            how = f"{trial.state}: {trial.reason}" if trial.reason else "behind the others, cut"
        values = ", ".join(
            f"{key.rsplit('.', 1)[-1]} {value_text(value)}" for key, value in trial.values.items()
        )
        self._print(f"trial {trial.number}{self._of}  {how}  {trial.seconds:.1f} s  ({values})")

    def _text(self, step: Step) -> str:
        teacher = "its teacher, " if step.epoch.teacher else ""
        parts = [f"{step.training}  {teacher}epoch {step.epoch.epoch}/{step.epochs}"]
        if step.rmse is not None:
            parts.append(f"validation RMSE {step.rmse:.4f}")
        if step.best is not None and step.best.rmse is not None:
            parts.append(f"best {step.best.rmse:.4f} (trial {step.best.number})")
        if step.left is not None and not step.training.startswith("judging"):
            parts.append(f"{clock_text(step.left)} left to search")
        return "  ".join(parts)


def value_text(value: Any) -> str:
    """Return a setting's value in a few characters."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return "-".join(map(str, value))
    return str(value)
