"""Threads of the BLAS of NumPy and SciPy, which a training limits to one.

Products of its small matrices gain nothing from several threads. Those of OpenBLAS wait actively
for each other after every product, and take the cores from other threads and programs: how long is
read from the environment when NumPy is loaded, which is mostly before Matinee is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any


class _Libraries:
    """The BLAS libraries of this process, which trainings in several threads may limit at once."""

    def __init__(self) -> None:
        self._lock, self._blocks = Lock(), 0
        self._limit: Any = None

    def _to_one(self) -> None:
        import scipy.linalg  # noqa: F401 (its BLAS is a library of its own, to be limited too)
        from threadpoolctl import ThreadpoolController

        self._limit = ThreadpoolController().limit(limits=1, user_api="blas")

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """See ``one_blas_thread``."""
        with self._lock:
            if not self._blocks:
                self._to_one()
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
        """See ``all_blas_threads``."""
        with self._lock:
            if self._blocks:
                self._limit.restore_original_limits()
        try:
            yield
        finally:
            with self._lock:
                if self._blocks:
                    self._to_one()


_libraries = _Libraries()


def one_blas_thread() -> AbstractContextManager[None]:
    """Limit BLAS to one thread during a ``with`` block; afterwards it has those of before."""
    return _libraries.one_thread()


def all_blas_threads() -> AbstractContextManager[None]:
    """Lift ``one_blas_thread`` during a ``with`` block, for a large matrix."""
    return _libraries.all_threads()
