"""Threads of the BLAS of NumPy and SciPy, which a training limits to one.

Products of its small matrices gain nothing from several threads. Those of OpenBLAS wait actively
for each other after every product, and take the cores from other threads and programs: how long is
read from the environment when NumPy is loaded, which is mostly before Matinee is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any


class _Libraries:
    """The BLAS libraries of this process, which trainings in several threads may limit at once."""

    def __init__(self) -> None:
        self._lock, self._blocks = Lock(), 0
        self._limit: Any = None  # of the first block: it has the numbers of threads of before

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Limit BLAS to one thread during a block; afterwards it has those of before."""
        with self._lock:
            if not self._blocks:
                self._limit = _to_one()
            self._blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1
                if not self._blocks:
                    self._limit.restore_original_limits()

    @contextmanager
    def all_threads(self) -> Iterator[None]:
        """Lift ``one_thread`` during a block, for a large matrix."""
        with self._lock:
            if self._blocks:
                self._limit.restore_original_limits()
        try:
            yield
        finally:
            with self._lock:
                if self._blocks:
                    _to_one()


def _to_one() -> Any:
    import scipy.linalg  # noqa: F401 (its BLAS is a library of its own, to be limited too)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().limit(limits=1, user_api="blas")


_libraries = _Libraries()
one_blas_thread, all_blas_threads = _libraries.one_thread, _libraries.all_threads
