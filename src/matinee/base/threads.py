"""How many threads to compute with, and how many of them a piece of work is worth.

Kernels give the same bits on any number of threads, so the number may change while they run. On a
machine that does nothing else, work of a tenth of a millisecond is done sooner by one thread than
shared; where other programs take the cores, a thread that has to wait for another one waits for a
whole time slice of the scheduler. Neither is known beforehand, so ``Pace`` times both ways.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

SPINS = "3000"
"""Rounds that an idle OpenMP thread of GNU's library waits actively for its next work. By default
these last milliseconds, in which it keeps other threads from a core that is shared: a fit of 2 s
then takes 40 to 70 s beside two or four busy programs (benchmarks/busy.py)."""


def use_short_waits() -> None:
    """Have OpenMP's threads give up their core soon, in libraries that are loaded after this."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def cores() -> int:
    """Cores that this process may use: by its affinity, its container, and ``OMP_NUM_THREADS``."""
    affinity = getattr(os, "sched_getaffinity", None)
    found = len(affinity(0)) if affinity else os.cpu_count() or 1
    for limit in (_quota(), _asked()):
        if limit is not None:
            found = min(found, limit)
    return max(found, 1)


def _asked() -> int | None:
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _quota(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Cores that a container's share of time amounts to, rounded up; None for no limit."""
    try:  # version 2, then version 1
        if (root / "cpu.max").exists():
            quota, period = (root / "cpu.max").read_text().split()
        else:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        return None if quota in ("max", "-1") else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return None


class Pace:
    """Chooses the threads for many pieces of work of one kind, by timing them.

    ``with pace.shared():`` stands around all of it, ``with pace(size):`` around each piece. The
    first pieces are done alternately by one thread and by all, until one is clearly quicker for the
    same size or each has done five; then by the quicker. This is tried again after fifty times as
    long as it took, at least a quarter of a second and at most a minute; or sooner, where a piece
    takes several times as long as it should.

    Args:
        most: Threads that there are.
        use: Sets the number of threads.
        clock: Seconds, for tests.
    """

    _LEAST, _PAIRS = 2, 5
    """Pieces of each kind in a trial, at least and at most."""
    _CLEAR = 2.0
    """How many times quicker one is where no more pieces are needed."""
    _SLOW = 4.0
    """How many times as long a piece takes that starts a trial."""

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
        self._trial = [1]  # the first piece counts for nothing: it compiles kernels
        self._warm = True
        self._next = self._soonest = self._began = self._start = 0.0
        self._rate = 0.0  # seconds for each unit of size, as last judged
        self._size = 1

    @property
    def threads(self) -> int:
        """The threads of the present piece, or of the next one."""
        return self._current

    @contextmanager
    def shared(self) -> Iterator[None]:
        """For a run of pieces, after which the number of threads is what it was."""
        try:
            yield
        finally:
            self._set(self._most)

    def __call__(self, size: int) -> Pace:
        """For a piece of work of some size, in any unit."""
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
                self._judge(now)
        elif now >= self._next or (rate > self._SLOW * self._rate and now >= self._soonest):
            self._trial, self._began = [*self._counts], now

    def _judge(self, now: float) -> None:
        """At the end of a pair: whether the trial is over, and who has won."""
        if self._warm:
            self._warm = False
            self._seen[1].clear()
            self._trial, self._began = [*self._counts], now
            return
        # The quickest piece: another program may have taken a core for some of them.
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


def kernel_pace() -> Pace:
    """A ``Pace`` over the threads of compiled kernels."""
    numba = start_numba(threads=True)
    return Pace(numba.get_num_threads(), numba.set_num_threads)


def start_numba(*, threads: bool = False) -> Any:
    """Numba, imported when it is first needed.

    Args:
        threads: Whether to start its threads, of which this one then uses no more than there are
            cores. Numba's own count knows the affinity, but neither a container's share nor
            ``OMP_NUM_THREADS``.
    """
    use_short_waits()
    import numba

    if threads and "NUMBA_NUM_THREADS" not in os.environ and numba.get_num_threads() > cores():
        numba.set_num_threads(cores())
    return numba
