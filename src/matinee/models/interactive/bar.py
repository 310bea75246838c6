"""A progress bar for ``fit``: by rich in a terminal, as updated HTML in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import takewhile
from typing import Any

from markupsafe import escape

from ...train.epoch import Epoch


class Bar(AbstractContextManager["Bar"]):
    """Shows the epochs of a training run.

    Args:
        planned: Largest number of epochs of each network: see ``Trainable.planned_epochs``.
        progress: Whether to show it; None to show it in terminals (stderr) and notebooks.
        on_epoch: Called with each epoch after it is shown.
    """

    def __init__(
        self,
        planned: Mapping[tuple[int, int], int],
        progress: bool | None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> None:
        self._planned, self._on_epoch = dict(planned), on_epoch
        self._total = sum(planned.values())
        self._screen: _Notebook | _Terminal | None = None
        if not self._total or progress is False:
            return
        if in_notebook():
            self._screen = _Notebook(self._total)
        elif progress or (sys.stderr is not None and sys.stderr.isatty()):
            self._screen = _Terminal(self._total)

    def __call__(self, epoch: Epoch) -> None:
        """Show the metrics of an epoch."""
        if self._screen is not None:
            before = takewhile(lambda key: key != (epoch.member, epoch.teacher), self._planned)
            done = epoch.epoch + sum(self._planned[key] for key in before)
            self._screen.show(done, _words(epoch))
        if self._on_epoch is not None:
            self._on_epoch(epoch)

    def __exit__(self, *_: object) -> None:
        if self._screen is not None:
            self._screen.close()


def in_notebook() -> bool:
    """Return whether the code runs in a Jupyter kernel, without importing IPython."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def _words(epoch: Epoch) -> str:
    parts = [f"member {epoch.member}"] if epoch.member else []
    if epoch.teacher:
        parts.append("teacher" if epoch.teacher == 1 else f"teacher {epoch.teacher}")
    parts += [f"epoch {epoch.epoch}", f"loss {epoch.loss:.4f}"]
    if epoch.valid_rmse is not None:
        parts.append(f"validation RMSE {epoch.valid_rmse:.4f}")
    parts += [f"{name} {rmse:.4f}" for name, rmse in epoch.watched.items()]
    return "  ".join(parts)


class _Terminal:
    """A rich progress bar on stderr."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn as Remaining,
        )

        self._bar = Progress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            Remaining(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

    def show(self, epoch: int, words: str) -> None:
        self._bar.update(self._task, completed=epoch, description=words)

    def close(self) -> None:
        self._bar.stop()


class _Notebook:
    """An HTML progress element, replaced at each epoch; needs no widgets."""

    def __init__(self, total: int) -> None:
        display: Any = sys.modules["IPython"].display
        self._total, self._html = total, display.HTML
        self._handle: Any = display.display(self._html(self._page(0, "")), display_id=True)

    def _page(self, epoch: int, words: str) -> str:
        bar = f'<progress value="{epoch}" max="{self._total}" aria-label="training"></progress>'
        return f"{bar} {epoch}/{self._total} &nbsp; {escape(words)}"

    def show(self, epoch: int, words: str) -> None:
        self._handle.update(self._html(self._page(epoch, words)))

    def close(self) -> None:
        pass
