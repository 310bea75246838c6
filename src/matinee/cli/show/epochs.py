"""The progress of a training run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from ..output import console
from .progress import Display, clock_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...train import Epoch
    from ...train.lists import ListEpoch

_EVERY = 5.0
"""Seconds between two lines if stderr is not a terminal."""


class Progress(Display):
    """Shows each epoch: a bar on a terminal, else a line every few seconds.

    Args:
        planned: How many epochs there may be: see ``Trainable.planned_epochs``.
        list_epochs: Epochs of the network that may order the lists.
        quiet: Whether to print nothing if stderr is not a terminal.
    """

    def __init__(
        self,
        planned: Mapping[tuple[int, int], int],
        *,
        list_epochs: int = 0,
        quiet: bool = False,
    ) -> None:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn

        self.seen: list[Epoch] = []
        self._planned = planned
        self._list_epochs, self._list_rounds = list_epochs, 0
        self._total = sum(planned.values())
        self._members = max(number for number, _ in planned)
        self._started = 0.0
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.fields[place]}"),
            *([BarColumn(bar_width=16)] if console().width >= 110 else []),
            TextColumn("{task.description}"),
            every=_EVERY,
            quiet=quiet,
            total=self._total,
            stage="in the first epoch" if self._total else "choosing what orders the lists",
            place=f"epoch 0/{next(iter(planned.values()))}" if self._total else "fitting",
        )

    def __enter__(self) -> Self:
        super().__enter__()
        self._started = self._printed
        return self

    def __call__(self, epoch: Epoch) -> None:
        """Note an epoch."""
        self._timer.cancel()
        now = time.monotonic()
        if not self.seen:  # the first epoch may include compilation
            self._started = now
        self.seen.append(epoch)
        text, position = self._text(epoch, now), self._position(epoch)
        self._show(
            now,
            f"{position}  {text}",
            completed=self._done(epoch),
            place=position,
            description=text,
        )

    def list_epoch(self, epoch: ListEpoch) -> None:
        """Note an epoch of the network that orders the lists.

        It is trained without the interactions held out, and then on all of them.
        """
        self._timer.cancel()
        self._list_rounds += epoch.epoch == 1
        on = "all interactions" if self._list_rounds > 1 else "held-in interactions"
        position = f"network for lists, epoch {epoch.epoch}/{self._list_epochs}"
        text = f"on {on}  loss {epoch.loss:.4f}  {epoch.seconds:.1f} s/epoch"
        if epoch.score is not None:
            text += f"  held-out nDCG {epoch.score:.4f}"
        self._show(
            time.monotonic(),
            f"{position}  {text}",
            completed=epoch.epoch,
            total=self._list_epochs,
            place=position,
            description=text,
        )

    def _position(self, epoch: Epoch) -> str:
        member = f"member {epoch.member}/{self._members} " if epoch.member else ""
        teachers = max(number for member, number in self._planned if member == epoch.member)
        of = f"{epoch.teacher}/{teachers} " if teachers > 1 else ""
        teacher = f"teacher {of}" if epoch.teacher else ""
        return f"{member}{teacher}epoch {epoch.epoch}/{self._planned[_network(epoch)]}"

    def _done(self, epoch: Epoch) -> int:
        order = list(self._planned)
        before = order[: order.index(_network(epoch))]
        return sum(self._planned[network] for network in before) + epoch.epoch

    def _text(self, epoch: Epoch, now: float) -> str:
        parts = [f"loss {epoch.loss:.4f}"]
        if epoch.valid_rmse is not None:
            parts.append(f"validation RMSE {epoch.valid_rmse:.4f}")
        parts += [f"{name} {rmse:.4f}" for name, rmse in epoch.watched.items()]
        parts.append(f"{_short(epoch.ratings_per_second)} ratings/s")
        n_done = len(self.seen) - 1
        if n_done:
            seconds_left = (now - self._started) / n_done * (self._total - self._done(epoch))
            parts.append(f"{clock_text(seconds_left)} left")
        return "  ".join(parts)


def _network(epoch: Epoch) -> tuple[int, int]:
    return epoch.member, epoch.teacher


def _short(number: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"
