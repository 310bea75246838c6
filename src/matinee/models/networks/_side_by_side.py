"""Networks trained concurrently, each on a share of the cores, and reported one by one.

Without large matrix products, training steps are memory-bound and partly serial: training two
networks on one thread each takes three quarters of the time of one after the other on two threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Protocol

from ...base.threads import kernel_thread_count, kernel_threads
from ...train import Run


class Ahead(Protocol):
    """A ``Trainer``, which cannot be imported here."""

    run: Run

    @property
    def may_train_ahead(self) -> bool:
        """Whether ``train_ahead`` may be called."""

    def train_ahead(self, threads: int, stop: Event) -> int:
        """Train without reporting; see ``Trainer``."""


@contextmanager
def side_by_side(trainers: Sequence[Ahead]) -> Iterator[list[Future[int] | None]]:
    """Train networks in other threads while the caller trains the first.

    The weights do not depend on threads. If the block ends with an exception, the other networks
    stop after their current step.

    Args:
        trainers: Networks that do not depend on each other.

    Yields:
        A future for each network; None if the caller must train it: the first network, or all if
        concurrency has no benefit.
    """
    most = kernel_thread_count()
    at_once = min(len(trainers), most)
    if at_once < 2 or not all(each.may_train_ahead for each in trainers):
        yield [None] * len(trainers)
        return
    threads, stop = most // at_once, Event()
    # Torch's number of threads is global: it is set once, not in every epoch of each network.
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
