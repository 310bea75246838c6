"""The progress of a study: finished and running runs, and the time left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...lab.study.runs.scheduler import RunListener
from ...models.registry import kind_named
from .progress import Display, clock_text

if TYPE_CHECKING:
    from ...lab.study import EpochRecord, RunRecord
    from ...lab.study.plan import Spec

_EVERY = 30.0
"""Seconds between two lines on running runs if stderr is not a terminal."""


class StudyProgress(Display, RunListener):
    """Shows the progress of a study: a bar on a terminal, else lines.

    Args:
        quiet: Whether to print nothing if stderr is not a terminal.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

        columns = BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.description}")
        super().__init__(*columns, every=_EVERY, quiet=quiet)
        self._running: dict[str, Spec] = {}
        self._epochs: dict[str, int] = {}
        self._costs: dict[str, float] = {}
        self._spent = self._cost_done = 0.0
        self._total = self._done = self._workers = 0

    def planned(self, specs: Sequence[Spec], done: int, workers: int) -> None:
        """See ``RunListener``."""
        self._timer.cancel()  # its message is about a single training
        self._costs = {spec.key: spec.cost for spec in specs}
        self._total, self._done, self._workers = len(specs) + done, done, workers
        what = f"{len(specs)} of {self._total} runs to do, {workers} at a time"
        self._print(f"matinee: {what}" + (f"; {done} are done already" if done else ""))

    def started(self, spec: Spec) -> None:
        """See ``RunListener``."""
        self._running[spec.key] = spec

    def epoch(self, spec: Spec, epoch: EpochRecord) -> None:
        """See ``RunListener``."""
        self._epochs[spec.key] = epoch.epoch

    def finished(self, spec: Spec, record: RunRecord) -> None:
        """See ``RunListener``."""
        self._spent += record.total_seconds
        self._cost_done += spec.cost
        done = record.status == "done"
        text = f"held-out RMSE {record.final['rmse']:.4f}" if done else record.error
        self._end(spec, f"{text}  {record.total_seconds:.1f} s")

    def broken(self, spec: Spec, message: str) -> None:
        """See ``RunListener``."""
        self._end(spec, f"FAILED: {message}")

    def tick(self) -> None:
        """See ``RunListener``."""
        runs = [
            f"{_name(spec)} {f'epoch {self._epochs[key]}' if key in self._epochs else 'beginning'}"
            for key, spec in self._running.items()
        ]
        if runs:
            text = f"running: {'; '.join(runs)}{self._left_text()}"
            bar = {"completed": self._done, "total": self._total}
            self._show(time.monotonic(), text, description=text, **bar)

    def _end(self, spec: Spec, outcome: str) -> None:
        for known in (self._running, self._epochs, self._costs):
            known.pop(spec.key, None)
        self._done += 1
        self._printed = time.monotonic()
        self._print(f"{self._done}/{self._total}  {_name(spec)}  {outcome}{self._left_text()}")

    def _left_text(self) -> str:
        """Return the time left, scaling expected costs by those of finished runs."""
        if not self._cost_done or not self._costs:
            return ""
        left = 0.0
        for key, cost in self._costs.items():
            spec = self._running.get(key)
            planned = kind_named(spec.kind).epochs(spec.settings) if spec else 1
            left += cost * max(1.0 - self._epochs.get(key, 0) / planned, 0.05)
        seconds = left * self._spent / self._cost_done / max(self._workers, 1)
        return f"  about {clock_text(seconds)} left"


def _name(spec: Spec) -> str:
    return f"{spec.arm} on {spec.data_name}, seed {spec.seed}"
