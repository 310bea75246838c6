"""The display of reading a source that takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from ..output import progress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ...data.read.source import Report


@contextmanager
def reading() -> Iterator[Report]:
    """Show a bar on stderr for each reported step; none off a terminal.

    Use as ``with reading() as report: load(source, report=report)``.
    """
    with ExitStack() as stack:
        bars: list[Progress] = []
        steps: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(progress()))
            if step not in steps:
                steps[step] = bars[0].add_task(step, total=total)
            bars[0].update(steps[step], completed=done)

        yield report
