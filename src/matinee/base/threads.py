"""Threads that compute the rows of kernels, and their number.

Kernels give identical results on any number of threads, so it may change between calls. One
thread is faster than several for short work, and wherever other programs occupy the cores, since a
thread then may wait a whole time slice of the scheduler for the others. Neither is known
beforehand, so ``ThreadTuner`` measures both.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread, local
from types import TracebackType
from typing import Any

SHORT_WAITS = {"GOMP_SPINCOUNT": "3000", "OPENBLAS_THREAD_TIMEOUT": "18"}
"""How long idle threads wait actively before they sleep, by environment variable: rounds of GNU
OpenMP, and the logarithm of the clock cycles of OpenBLAS. By default they wait for many
milliseconds, which blocks other threads on shared cores: a fit of 2 s then takes 40 to 70 s beside
two or four busy programs (benchmarks/busy.py)."""


def use_short_waits() -> None:
    """Make idle threads of OpenMP and OpenBLAS sleep soon, in libraries loaded after this call."""
    for name, value in SHORT_WAITS.items():
        os.environ.setdefault(name, value)


def affine_cores() -> int:
    """Return the cores of this process's affinity; all where the system has none."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def cores() -> int:
    """Cores that this process may use: by its affinity, its container, and ``OMP_NUM_THREADS``."""
    count = affine_cores()
    for limit in (_quota(), _requested()):
        if limit is not None:
            count = min(count, limit)
    return max(count, 1)


def _requested() -> int | None:
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _quota(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """CPU quota of the container (cgroup) in cores, rounded up; None for no limit."""
    try:  # version 2, then version 1
        if (root / "cpu.max").exists():
            quota, period = (root / "cpu.max").read_text().split()
        else:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        return None if quota in ("max", "-1") else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return None


class ThreadTuner:
    """Chooses the number of threads for a series of tasks of one kind, by timing them.

    ``with tuner.session():`` encloses the series, ``with tuner(size):`` each task. A trial runs
    tasks alternately on one thread and on all, until one is clearly faster per unit of size or each
    has run five; later tasks use the faster. The trial is repeated after fifty times its duration,
    at least 0.25 s and at most a minute, or sooner when a task is several times slower than
    measured.

    Args:
        most: Number of threads available.
        use: Sets the number of threads.
        clock: Seconds, for tests.
    """

    _LEAST, _PAIRS = 2, 5
    """Minimum and maximum number of tasks of each kind in a trial."""
    _CLEAR = 2.0
    """Ratio of the two rates at which a trial ends early."""
    _SLOW = 4.0
    """Ratio of a task's rate to the measured one at which a new trial starts."""

    def __init__(
        self,
        most: int,
        use: Callable[[int], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._counts = (1, most) if most > 1 else (most,)
        self._use, self._clock = use, clock
        self._most = self._current = most
        self._best = 1
        self._seen: dict[int, list[float]] = {count: [] for count in self._counts}
        self._trial = [1]  # the first task is not counted: it compiles kernels
        self._warm = True
        self._next = self._soonest = self._began = self._start = 0.0
        self._rate = 0.0  # seconds per unit of size, of the last trial
        self._size = 1

    @property
    def threads(self) -> int:
        """Number of threads of the present task, or of the next."""
        return self._current

    @contextmanager
    def session(self) -> Iterator[None]:
        """Encloses a series of tasks, after which the number of threads is restored."""
        try:
            yield
        finally:
            self._set(self._most)

    def __call__(self, size: int) -> ThreadTuner:
        """Set the size of the next task, in any unit."""
        self._size = max(size, 1)
        return self

    def __enter__(self) -> None:
        if len(self._counts) == 1:
            return
        self._set(self._trial[0] if self._trial else self._best)
        self._start = self._clock()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if len(self._counts) == 1 or kind is not None:
            return
        now = self._clock()
        rate = (now - self._start) / self._size
        if self._trial:
            self._seen[self._trial.pop(0)].append(rate)
            if not self._trial:
                self._evaluate(now)
        elif now >= self._next or (rate > self._SLOW * self._rate and now >= self._soonest):
            self._trial, self._began = [*self._counts], now

    def _evaluate(self, now: float) -> None:
        """After a pair of tasks: end the trial, or continue it with another pair."""
        if self._warm:
            self._warm = False
            self._seen[1].clear()
            self._trial, self._began = [*self._counts], now
            return
        # Compare the fastest tasks: another program may have used a core during others.
        rates = {count: min(seen) for count, seen in self._seen.items()}
        low, high = sorted(rates.values())
        pairs = len(self._seen[1])
        if pairs < self._LEAST or (pairs < self._PAIRS and high < self._CLEAR * low):
            self._trial = [*self._counts]
            return
        self._best, self._rate = min(rates, key=lambda count: rates[count]), low
        for seen in self._seen.values():
            seen.clear()
        spent = now - self._began
        self._next = now + min(max(50.0 * spent, 0.25), 60.0)
        self._soonest = now + 5.0 * spent

    def _set(self, count: int) -> None:
        if count != self._current:
            self._use(count)
            self._current = count


class RowCost:
    """What a row of a kernel costs one thread.

    Attributes:
        seconds: As last measured; infinite at first.
    """

    def __init__(self) -> None:
        self.seconds = math.inf

    def call(self, call: Callable[..., Any], first: int, last: int, args: tuple[Any, ...]) -> None:
        """Run ``call(first, last, *args)``, and measure the cost of a row."""
        started = time.perf_counter()
        call(first, last, *args)
        self.seconds = (time.perf_counter() - started) / max(last - first, 1)


class _Work:
    """A range of rows that several threads compute in parts."""

    def __init__(
        self,
        call: Callable[..., Any],
        parts: list[tuple[int, int]],
        args: tuple[Any, ...],
        cost: RowCost,
    ) -> None:
        self._call, self._parts, self._args, self._cost = call, parts, args, cost
        self._left, self._done, self._errors = [None] * len(parts), Lock(), list[BaseException]()
        self._done.acquire()

    def join_in(self) -> None:
        """Compute parts until none is left."""
        while True:
            try:  # a list's own methods are atomic
                first, last = self._parts.pop()
            except IndexError:
                return
            try:
                self._cost.call(self._call, first, last, self._args)
            except BaseException as error:
                self._errors.append(error)
            self._left.pop()
            if not self._left:
                with suppress(RuntimeError):  # two threads may see the end
                    self._done.release()

    def finish(self) -> None:
        """Wait for the parts that others compute."""
        self.join_in()
        try:
            self._done.acquire()
        except BaseException as error:  # Ctrl-C, while others still write to the arrays
            self._errors.append(error)
            self._done.acquire()
        self._args = ()  # the work may lie in the queue for long, and its arrays need not
        if self._errors:
            raise self._errors[0]


class _Helpers:
    """Threads that help with shared work."""

    def __init__(self) -> None:
        self.forget()
        if hasattr(os, "register_at_fork"):  # a forked process has none of the threads
            os.register_at_fork(after_in_child=self._forked)

    def forget(self) -> None:
        """Restart threads when work is shared next."""
        self._work: SimpleQueue[_Work] = SimpleQueue()
        self._count = 0

    def _forked(self) -> None:
        self.forget()
        torch = sys.modules.get("torch")
        if torch is not None:  # its threads are OpenMP's, for which this process would wait forever
            torch.set_num_threads(1)

    def share(self, work: _Work, count: int) -> None:
        """Offer work to some threads."""
        while self._count < max(count, _available() - 1):  # several callers may share at once
            try:
                Thread(target=self._run, name="matinee-kernels", daemon=True).start()
            except RuntimeError:  # no more threads may be started
                break
            self._count += 1
        for _ in range(min(count, self._count)):
            self._work.put(work)

    def _run(self) -> None:
        while True:
            self._work.get().join_in()


_PARTS = 4
"""Parts per thread: if another program uses a core, other threads take over its share."""
_WORTH = 2e-4
"""Seconds of one thread from which several share a call: to wake a thread takes 5e-5."""
_helpers = _Helpers()


def in_parts(
    call: Callable[..., Any], count: int, args: tuple[Any, ...], cost: RowCost | None = None
) -> None:
    """``call(first, last, *args)`` for parts of the rows from 0 to ``count``, by several threads.

    Args:
        call: A compiled kernel that runs without the GIL.
        count: The number of rows.
        args: Its further arguments.
        cost: What a row costs, by earlier calls. Where all rows are expected to take less than
            ``_WORTH``, the calling thread computes them alone.
    """
    cost = cost or RowCost()
    threads = kernel_thread_count()
    parts = min(count, _PARTS * threads)
    if threads == 1 or parts < 2 or count * cost.seconds < _WORTH:
        cost.call(call, 0, count, args)
        return
    edges = [count * k // parts for k in range(parts, -1, -1)]
    work = _Work(call, [(first, last) for last, first in pairwise(edges)], args, cost)
    _helpers.share(work, threads - 1)
    work.finish()


def kernel_thread_tuner() -> ThreadTuner:
    """Return a ``ThreadTuner`` for the threads of compiled kernels."""
    return ThreadTuner(kernel_thread_count(), _use)


def kernel_thread_count() -> int:
    """Threads of compiled kernels that this thread calls."""
    return getattr(_chosen, "count", None) or _available()


@contextmanager
def kernel_threads(most: int) -> Iterator[None]:
    """Limit the threads of compiled kernels that this thread calls during a block."""
    before = getattr(_chosen, "count", None)
    _use(min(most, kernel_thread_count()))
    try:
        yield
    finally:
        _use(before)


def limit_kernel_threads(most: int) -> None:
    """Limit the threads of compiled kernels in this process and those that it starts."""
    os.environ["NUMBA_NUM_THREADS"] = str(most)
    _available.cache_clear()


_chosen = local()


def _use(count: int | None) -> None:
    _chosen.count = count


@cache
def _available() -> int:
    """Return the default number of kernel threads: ``cores()`` or Numba's setting."""
    text = os.environ.get("NUMBA_NUM_THREADS", "")
    return int(text) if text.isdecimal() and int(text) > 0 else cores()
