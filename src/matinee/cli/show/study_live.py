"""The progress of a study: what is done, what runs, and the time left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from ...lab.study.runs.scheduler import RunListener
from ...models.registry import kind_named
from ..output import console, note
from .progress import clock_text

if TYPE_CHECKING:
    from ...lab.study import EpochRecord, RunRecord
    from ...lab.study.plan import Spec

_EVERY = 30.0
"""Seconds between two lines on what is running, where stderr is no terminal."""
_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = ("held_out", "valid", "batch_mean")


class StudyProgress(RunListener):
    """Shows the progress of a study: live on a terminal, else as lines.

    Args:
        quiet: Whether to print nothing where stderr is no terminal.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._screen = console()
        self._terminal = self._screen.is_terminal
        self._quiet = quiet and not self._terminal
        self._live: Any = None
        self._curves: dict[str, list[EpochRecord]] = {}
        self._running: dict[str, Spec] = {}
        self._costs: dict[str, float] = {}
        self._spent = self._cost_done = 0.0
        self._total = self._done = self._before = self._workers = 0
        self._recent: list[str] = []
        self._said = 0.0

    def __enter__(self) -> Self:
        if self._terminal:
            from rich.live import Live

            self._live = Live(
                console=self._screen,
                transient=True,
                refresh_per_second=4,
                get_renderable=self._draw,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def planned(self, specs: Sequence[Spec], done: int, workers: int) -> None:
        """See ``RunListener``."""
        self._costs = {spec.key: spec.cost for spec in specs}
        self._total, self._before, self._workers = len(specs) + done, done, workers
        self._done = done
        what = f"{len(specs)} of {self._total} runs to do, {workers} at a time"
        self._line(f"matinee: {what}" + (f"; {done} are done already" if done else ""))

    def started(self, spec: Spec) -> None:
        """See ``RunListener``."""
        self._running[spec.key] = spec
        self._curves[spec.key] = []

    def epoch(self, spec: Spec, epoch: EpochRecord) -> None:
        """See ``RunListener``."""
        self._curves.setdefault(spec.key, []).append(epoch)

    def finished(self, spec: Spec, record: RunRecord) -> None:
        """See ``RunListener``."""
        self._end(spec)
        self._spent += record.total_seconds
        self._cost_done += spec.cost
        if record.status == "done":
            text = f"held-out RMSE {record.final['rmse']:.4f}"
        else:
            text = record.error
        self._line(
            f"{self._done}/{self._total}  {_name(spec)}  {text}  "
            f"{record.total_seconds:.1f} s{self._left_text()}"
        )

    def broken(self, spec: Spec, message: str) -> None:
        """See ``RunListener``."""
        self._end(spec)
        self._line(f"{self._done}/{self._total}  {_name(spec)}  FAILED: {message}")

    def tick(self) -> None:
        """See ``RunListener``."""
        now = time.monotonic()
        if self._terminal or self._quiet or now - max(self._said, 0.0) < _EVERY:
            return
        parts = []
        for key, spec in self._running.items():
            curve = self._curves.get(key, [])
            at = f"epoch {curve[-1].epoch}" if curve else "beginning"
            parts.append(f"{_name(spec)} {at}")
        if parts:
            self._said = now
            note(f"running: {'; '.join(parts)}{self._left_text()}")

    def _end(self, spec: Spec) -> None:
        self._running.pop(spec.key, None)
        self._curves.pop(spec.key, None)
        self._costs.pop(spec.key, None)
        self._done += 1

    def _line(self, text: str) -> None:
        if self._terminal:
            self._recent = [*self._recent, text][-6:]
        elif not self._quiet:
            self._said = time.monotonic()
            note(text)

    def _left(self) -> float | None:
        """Seconds left, from what finished runs cost against what was expected of them."""
        if not self._cost_done:
            return None
        seconds = 0.0
        for key, cost in self._costs.items():
            curve, spec = self._curves.get(key), self._running.get(key)
            share = len(curve) / _epochs(spec) if curve and spec else 0.0
            seconds += cost * max(1.0 - share, 0.05)
        return seconds * self._spent / self._cost_done / max(self._workers, 1)

    def _left_text(self) -> str:
        seconds = self._left()
        return "" if seconds is None or not self._costs else f"  about {clock_text(seconds)} left"

    def _draw(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Text(f"{self._done} of {self._total} runs done", style="bold")
        if self._before:
            head.append(f" ({self._before} of them before)", style="not bold")
        head.append(self._left_text(), style="not bold")
        rows = Table.grid(padding=(0, 2))
        width = max(10, min(30, self._screen.width - 70))
        for key, spec in self._running.items():
            curve = self._curves.get(key, [])
            values, figure = shown(curve)
            at = f"epoch {curve[-1].epoch}/{_epochs(spec)}" if curve else "beginning"
            last = f"{figure} {values[-1]:.4f}" if values else ""
            rows.add_row(_name(spec), at, Text(sparkline(values, width)), last)
        bar = ProgressBar(total=max(self._total, 1), completed=self._done, width=width + 20)
        return Group(*(Text(line) for line in self._recent), head, bar, rows)


def _name(spec: Spec) -> str:
    return f"{spec.arm} on {spec.data_name}, seed {spec.seed}"


def _epochs(spec: Spec) -> int:
    return kind_named(spec.kind).epochs(spec.settings)


def shown(curve: Sequence[EpochRecord]) -> tuple[list[float], str]:
    """The figure of a curve to show, by epoch, and its label."""
    for figure in _SHOWN:
        values = [epoch.figures[figure] for epoch in curve if figure in epoch.figures]
        if values:
            return values, figure.replace("_", "-")
    return [], ""


def sparkline(values: Sequence[float], width: int) -> str:
    """A curve as a row of bars: the last ``width`` values, between their lowest and highest."""
    last = [value for value in values[-width:] if value == value]
    if not last:
        return ""
    low, high = min(last), max(last)
    span = (high - low) or 1.0
    return "".join(_BARS[min(int((value - low) / span * len(_BARS)), 7)] for value in last)
