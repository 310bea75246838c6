"""Threads: how many there may be, and how many a piece of work is worth."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from matinee.base.threads import SHORT_WAITS, ThreadTuner, _quota, cores


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


def test_numba_obeys_omp_num_threads() -> None:
    code = (
        "from matinee.base.threads import start_numba as s; "
        "print(s(threads=True).get_num_threads())"
    )
    assert run(code, OMP_NUM_THREADS="1") == "1"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_numba_obeys_the_affinity() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from matinee.base.threads import start_numba as s\n"
        "print(s(threads=True).get_num_threads())"
    )
    assert run(code) == "1"


def test_importing_matinee_shortens_waits_but_not_against_the_users_word() -> None:
    for name, value in SHORT_WAITS.items():
        code = f"import os, matinee; print(os.environ['{name}'])"
        assert run(f"import os; os.environ.pop('{name}', None); {code}") == value
        assert run(code, **{name: "7"}) == "7"


def test_kernels_take_turns_where_numba_cannot_serve_two_threads() -> None:
    code = (
        "import numpy as np\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from matinee.nn.sparse import kernels\n"
        "indptr, index = np.arange(2001), np.zeros(2000, dtype=np.int32)\n"
        "def work(k):\n"
        "    out = np.empty((2000, 64), dtype=np.float32)\n"
        "    one = np.ones(2000, dtype=np.float32)\n"
        "    kernels.encode(indptr, index, one, np.full((1, 64), k, dtype=np.float32), out)\n"
        "    return float(out.mean())\n"
        "with ThreadPoolExecutor(4) as pool: print(list(pool.map(work, range(40))))"
    )
    done = run(code, NUMBA_THREADING_LAYER="workqueue")
    assert done == str([float(k) for k in range(40)])
