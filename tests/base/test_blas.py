"""The limit on the threads of BLAS."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 (loads its BLAS)
from threadpoolctl import threadpool_info, threadpool_limits

import matinee
from matinee.base.blas import all_blas_threads, one_blas_thread
from matinee.synth import synthesize
from matinee.train.linear import invert as module


def threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def _two_threads() -> object:
    np.linalg.inv(np.eye(2))
    with threadpool_limits(2, user_api="blas"):
        yield


def test_a_block_has_one_thread_unless_it_is_lifted() -> None:
    with one_blas_thread(), one_blas_thread():
        assert threads() == {1}
        with all_blas_threads():
            assert threads() == {2}
        assert threads() == {1}
    assert threads() == {2}
    with all_blas_threads():
        assert threads() == {2}


def test_blocks_that_lift_the_limit_at_once_leave_the_threads_of_before() -> None:
    with one_blas_thread():
        with all_blas_threads(), all_blas_threads():
            assert threads() == {2}
        assert threads() == {1}
    assert threads() == {2}


OVERLAP = """
from threading import Event, Thread
import numpy, scipy.linalg
from threadpoolctl import threadpool_info
from matinee.base.blas import one_blas_thread

def threads():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

def block():
    with one_blas_thread():
        inside.set()
        leave.wait()

inside, leave = Event(), Event()
other = Thread(target=block)
other.start()
inside.wait()
with one_blas_thread():
    pass
print(threads())
leave.set()
other.join()
print(threads())
"""


def test_blocks_that_overlap_restore_the_threads_of_before() -> None:
    """In a process with two threads from the start: those set later are of one thread alone."""
    done = subprocess.run(
        [sys.executable, "-c", OVERLAP],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "{1}\n{2}\n"


def test_a_training_has_one_thread_but_for_large_inversions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    during, inverting = [], []
    plain = module._by_lapack

    def spied(system: np.ndarray) -> np.ndarray:
        inverting.append((len(system) > module._TINY, threads()))
        return plain(system)

    monkeypatch.setattr(module, "_by_lapack", spied)
    ratings = synthesize(300, 200, 6000, seed=0).ratings
    matinee.model("default", hidden=[4], epochs=1).fit(
        ratings, on_epoch=lambda _: during.append(threads())
    )
    assert all(each == {1} for each in during)
    assert during
    assert (True, {2}) in inverting
    assert threads() == {2}
