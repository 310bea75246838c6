"""Networks trained side by side: each on its part of the cores, and reported one after the other.

The steps of a network without large matrix products are bound by memory, and partly serial. Two of
them on a thread each take three quarters of the time of one after the other on two threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Protocol

from ...base.threads import kernel_thread_count, kernel_threads
from ...train import Run


class Trainable(Protocol):
    """A ``Trainer``."""

    run: Run

    @property
    def may_train_ahead(self) -> bool:
        """Whether ``train_ahead`` may be called."""

    def train_ahead(self, threads: int, stop: Event) -> int:
        """Train without reporting; see ``Trainer``."""


@contextmanager
def side_by_side(trainers: Sequence[Trainable]) -> Iterator[list[Future[int] | None]]:
    """A block in which the first network is trained by the caller, and others in other threads.

    The weights are those of training one after the other: they do not depend on threads. When the
    block ends by an exception, the others stop after their present step.

    Args:
        trainers: Networks that do not depend on each other.

    Yields:
        For each network, its future; None for one that the caller trains: the first, or all where
        there is nothing to gain.
    """
    most = kernel_thread_count()
    at_once = min(len(trainers), most)
    if at_once < 2 or not all(each.may_train_ahead for each in trainers):
        yield [None] * len(trainers)
        return
    threads, stop = most // at_once, Event()
    # Torch's number of threads is the same for all: it is set once, not by each epoch of each.
    with (
        trainers[0].run.threads(),
        kernel_threads(threads),
        ThreadPoolExecutor(at_once - 1) as pool,
    ):
        try:
            yield [None, *(pool.submit(each.train_ahead, threads, stop) for each in trainers[1:])]
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
