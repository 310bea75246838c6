"""Threads: how many there may be, and how many a piece of work is worth."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from matinee.base import threads as module
from matinee.base.threads import (
    SHORT_WAITS,
    RowCost,
    ThreadTuner,
    _quota,
    _use,
    cores,
    in_parts,
    kernel_thread_count,
    kernel_threads,
)


class Machine:
    """A clock on which a piece takes what it takes with so many threads."""

    def __init__(self, seconds: dict[int, float]) -> None:
        self.seconds, self.now, self.threads = seconds, 0.0, max(seconds)
        self.used: list[int] = []

    def use(self, threads: int) -> None:
        self.threads = threads

    def work(self, tuner: ThreadTuner, pieces: int) -> list[int]:
        used = []
        with tuner.session():
            for _ in range(pieces):
                with tuner(10):
                    used.append(self.threads)
                    self.now += self.seconds[self.threads]
        return used


def tuner(machine: Machine) -> ThreadTuner:
    return ThreadTuner(max(machine.seconds), machine.use, lambda: machine.now)


def share(used: list[int], threads: int) -> float:
    return used.count(threads) / len(used)


def test_the_quicker_number_of_threads_does_nearly_all() -> None:
    for seconds, wanted in (({1: 0.004, 2: 0.003}, 2), ({1: 0.001, 2: 0.002}, 1)):
        machine = Machine(seconds)
        assert share(machine.work(tuner(machine), 1000), wanted) > 0.9
        assert machine.threads == 2  # as it was before


def test_a_machine_that_becomes_busy_is_noticed() -> None:
    machine = Machine({1: 0.004, 2: 0.003})
    chosen = tuner(machine)
    machine.work(chosen, 200)
    machine.seconds = {1: 0.008, 2: 0.2}
    before = machine.now
    assert share(machine.work(chosen, 1000), 1) > 0.98
    assert machine.now - before < 1.2 * 1000 * 0.008
    machine.seconds = {1: 0.004, 2: 0.003}
    machine.work(chosen, 20_000)
    assert share(machine.work(chosen, 1000), 2) > 0.9


def test_one_thread_is_never_timed() -> None:
    alone = ThreadTuner(
        1, lambda count: pytest.fail("nothing to set"), lambda: pytest.fail("no clock")
    )
    with alone.session(), alone(5):
        pass


def test_the_number_is_put_back_after_an_error() -> None:
    machine = Machine({1: 0.001, 2: 0.002})
    chosen = tuner(machine)
    machine.work(chosen, 50)
    with pytest.raises(ZeroDivisionError), chosen.session(), chosen(1):
        raise ZeroDivisionError
    assert machine.threads == 2


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({}, None),
    ],
)
def test_a_containers_share(tmp_path: Path, files: dict[str, str], wanted: int | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert _quota(tmp_path) == wanted


def test_omp_num_threads_bounds_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert cores() == 1
    for text in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert cores() >= 1


@contextmanager
def use(count: int) -> Iterator[None]:
    """So many threads of kernels, however many cores there are."""
    before = kernel_thread_count()
    _use(count)
    yield
    _use(before)


def run(code: str, **environment: str) -> str:
    kept = {n: v for n, v in os.environ.items() if n not in ("OMP_NUM_THREADS", "GOMP_SPINCOUNT")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


COUNT = "from matinee.base.threads import kernel_thread_count; print(kernel_thread_count())"


def test_kernels_obey_the_environment() -> None:
    assert run(COUNT, OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="") == "1"
    assert run(COUNT, OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="3") == "3"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_kernels_obey_the_affinity() -> None:
    code = f"import os; os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})\n{COUNT}"
    assert run(code, NUMBA_NUM_THREADS="") == "1"


def test_importing_matinee_shortens_waits_but_not_against_the_users_word() -> None:
    for name, value in SHORT_WAITS.items():
        code = f"import os, matinee; print(os.environ['{name}'])"
        assert run(f"import os; os.environ.pop('{name}', None); {code}") == value
        assert run(code, **{name: "7"}) == "7"


def squares(first: int, last: int, values: list[int], out: list[int]) -> None:
    for at in range(first, last):
        time.sleep(0.001)
        out[at] = values[at] ** 2


def test_rows_are_computed_once_each_in_any_number_of_parts() -> None:
    for threads, rows in itertools.product((1, 2, 5), (0, 1, 2, 7, 41)):
        values, out = list(range(rows)), [-1] * rows
        with use(threads):
            in_parts(squares, rows, (values, out))
        assert out == [value**2 for value in values]


def test_what_takes_little_time_is_left_to_the_calling_thread() -> None:
    callers: set[int] = set()

    def call(first: int, last: int, seconds: float) -> None:
        callers.add(threading.get_ident())
        time.sleep(seconds * (last - first))

    def used(count: int, seconds: float) -> bool:
        callers.clear()
        in_parts(call, count, (seconds,), cost)
        return callers == {threading.get_ident()}

    cost = RowCost()
    with use(2):
        assert not used(40, 1e-3)  # what a row costs is not known yet
        assert 1e-3 <= cost.seconds < 1.0
        cost.seconds = 1e-6
        assert used(40, 1e-3)
        assert not used(40, 1e-3)  # it has measured more


def test_several_threads_share_work_at_once() -> None:
    def one(number: int) -> bool:
        values, out = list(range(number, number + 20)), [-1] * 20
        with use(3):
            in_parts(squares, 20, (values, out))
        return out == [value**2 for value in values]

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(one, range(60)))


def test_an_error_in_a_part_is_raised_after_the_others() -> None:
    done = []

    def fails(first: int, last: int) -> None:
        done.extend(range(first, last))
        if 3 in range(first, last):
            raise ValueError("three")

    with use(2), pytest.raises(ValueError, match="three"):
        in_parts(fails, 16, ())
    assert sorted(done) == list(range(16))


def test_a_thread_has_its_own_number_of_threads() -> None:
    with use(4):
        assert kernel_thread_count() == 4
        with kernel_threads(2):
            assert kernel_thread_count() == 2
            with kernel_threads(3):
                assert kernel_thread_count() == 2
        assert kernel_thread_count() == 4
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(kernel_thread_count).result() != 4 or cores() == 4


def test_without_further_threads_the_caller_computes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    helpers = module._Helpers()
    monkeypatch.setattr(module, "_helpers", helpers)
    monkeypatch.setattr(threading.Thread, "start", refused)
    seen: list[int] = []
    with kernel_threads(1):
        _use(2)
        in_parts(lambda first, last: seen.extend(range(first, last)), 20, ())
    assert sorted(seen) == list(range(20))
    assert helpers._work.empty()


def test_finished_work_in_the_queue_holds_no_arrays() -> None:
    work = module._Work(lambda first, last, array: None, [(0, 1)], (np.zeros(1),), RowCost())
    work.finish()
    assert work._args == ()


def test_a_limit_within_a_block_leaves_none_behind() -> None:
    def counts() -> None:
        with kernel_threads(1):
            assert kernel_thread_count() == 1
        assert module._chosen.count is None

    thread = threading.Thread(target=counts)
    thread.start()
    thread.join()
