"""What the displays of training and of a sweep have in common."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from ..output import bar_of, note

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

_PATIENT = 5.0
"""Seconds without an epoch until a message about compilation is shown."""
_COMPILING = "on the first run its kernels are compiled now, once"


class Display:
    """A bar on a terminal, else a line every few seconds.

    If the first epoch takes long, a message states that kernels are compiled.

    Args:
        *columns: Of the bar.
        every: Seconds between two lines if stderr is not a terminal.
        quiet: Whether to print nothing then.
        stage: What is under way before the first epoch is done.
        **task: What the bar is of.
    """

    def __init__(
        self,
        *columns: ProgressColumn,
        every: float,
        quiet: bool,
        stage: str = "in the first epoch",
        **task: Any,
    ) -> None:
        self._bar = bar_of(*columns)
        self._terminal = self._bar.console.is_terminal
        self._quiet = quiet and not self._terminal
        self._every = every
        self._task = self._bar.add_task("", **task)
        self._printed = 0.0
        self._timer = threading.Timer(_PATIENT, self._print, [f"matinee: {stage}; {_COMPILING}"])
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._printed = time.monotonic()
        self._bar.start()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._bar.stop()

    def _show(self, now: float, line: str, **bar: Any) -> None:
        """Move the bar, or print the line if one is due."""
        if self._terminal:
            self._bar.update(self._task, **bar)
        elif not self._quiet and now - self._printed >= self._every:
            self._printed = now
            note(line)

    def _print(self, text: str) -> None:
        """A line that stays."""
        if self._terminal:
            self._bar.console.print(text, highlight=False, markup=False)
        elif not self._quiet:
            note(text)


def clock_text(seconds: float) -> str:
    """Seconds as minutes and seconds, or hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
