"""The progress of a training run."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ._output import console, note

if TYPE_CHECKING:
    from ..train import Epoch

_EVERY = 5.0
"""Seconds between two lines where stderr is no terminal."""
_PATIENT = 5.0
"""Seconds without an epoch after which a first run is told what takes so long."""
_COMPILING = "in the first epoch; on the first run its kernels are compiled now (about 20 s, once)"


class Progress:
    """Shows each epoch: a bar on a terminal, else a line every few seconds.

    Args:
        *epochs: How many epochs there may be; of an ensemble, for each member.
        quiet: Whether to print nothing where stderr is no terminal.
    """

    def __init__(self, *epochs: int, quiet: bool = False) -> None:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bar

        self.seen: list[Epoch] = []
        self._epochs = epochs
        self._total = sum(epochs)
        screen = console()
        self._terminal = screen.is_terminal
        self._quiet = quiet and not self._terminal
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.fields[place]}"),
            *([BarColumn(bar_width=16)] if screen.width >= 110 else []),
            TextColumn("{task.description}"),
            console=screen,
            transient=True,
            disable=not self._terminal,
        )
        self._task = self._bar.add_task("", total=self._total, place=f"epoch 0/{epochs[0]}")
        self._said = self._started = 0.0
        self._timer = threading.Timer(_PATIENT, self._say_compiling)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._said = self._started = time.monotonic()
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

    def __call__(self, epoch: Epoch) -> None:
        """Note an epoch."""
        self._timer.cancel()
        now = time.monotonic()
        if not self.seen:
            self._started = now  # The first may have compiled: it tells nothing of the others.
        self.seen.append(epoch)
        text = self._text(epoch, now)
        if self._terminal:
            done, place = self._done(epoch), self._place(epoch)
            self._bar.update(self._task, completed=done, place=place, description=text)
        elif not self._quiet and now - self._said >= _EVERY:
            self._said = now
            note(f"{self._place(epoch)}  {text}")

    def _place(self, epoch: Epoch) -> str:
        number = max(epoch.member, 1)
        member = f"member {number}/{len(self._epochs)} " if epoch.member else ""
        return f"{member}epoch {epoch.epoch}/{self._epochs[number - 1]}"

    def _done(self, epoch: Epoch) -> int:
        return sum(self._epochs[: max(epoch.member - 1, 0)]) + epoch.epoch

    def _text(self, epoch: Epoch, now: float) -> str:
        parts = [f"loss {epoch.loss:.4f}"]
        if epoch.valid_rmse is not None:
            parts.append(f"validation RMSE {epoch.valid_rmse:.4f}")
        parts += [f"{name} {rmse:.4f}" for name, rmse in epoch.watched.items()]
        parts.append(f"{_short(epoch.ratings_per_second)} ratings/s")
        done = len(self.seen) - 1
        if done:
            left = (now - self._started) / done * (self._total - self._done(epoch))
            parts.append(f"{_clock(left)} left")
        return "  ".join(parts)

    def _say_compiling(self) -> None:
        if self._terminal:
            self._bar.console.print(f"matinee: {_COMPILING}", highlight=False)
        elif not self._quiet:
            note(f"matinee: {_COMPILING}")


def _short(number: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
