"""A command in several processes, which torchrun started: only the first prints."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..base.threads import affine_cores
from ..base.torchrun import Launch
from ..errors import ProcessError, UsageError

if TYPE_CHECKING:
    from ..train import ProcessGroup

_ABLE = ("train",)
"""Commands that several processes can share."""
_SHARED = 4.0
"""Seconds within which torchrun ends the other processes after a failure."""
_Result = TypeVar("_Result")


@contextmanager
def first_process_prints(args: Sequence[str]) -> Iterator[None]:
    """Print from the first of several processes only, and report a shared failure once.

    Raises:
        UsageError: A command that several processes cannot share.
    """
    launch = Launch.of_environment()
    if launch.alone:
        yield
        return
    try:
        if args and not args[0].startswith("-") and args[0] not in _ABLE:
            raise UsageError(f"torchrun starts 'matinee train' alone, not 'matinee {args[0]}'")
        if launch.first:
            yield
            return
        with (
            Path(os.devnull).open("w") as devnull,
            redirect_stdout(devnull),
            redirect_stderr(devnull),
        ):
            yield
    except Exception as error:
        # The first process reports errors of all; another process reports its own errors.
        # A process still alive after a while is the only one that knows its error.
        time.sleep(_SHARED * ((not launch.first) + 2 * isinstance(error, ProcessError)))
        raise


def threads_each(requested: int | None) -> int | None:
    """Return the threads of this process: as requested, or its share of the cores; None for all."""
    together = Launch.of_environment().local_size
    if requested is not None or together == 1:
        return requested
    return max(affine_cores() // together, 1)


def in_turn(group: ProcessGroup, read: Callable[[], _Result]) -> _Result:
    """Read in one process per machine first, so that the others find the downloaded files."""
    if group.local_rank > 0:
        group.wait()
    result = read()
    if group.local_rank == 0:
        group.wait()
    return result
