"""Kernels are compiled when they are called, kept where that can be, and never run stale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from matinee.base.compiled import _with_stack, choose, inlined, kernel, part, shared

MODULE = '''
import numpy as np
from matinee.base.compiled import kernel
from {name}_inner import step

@kernel()
def total(values):
    """The sum of what the inner function gives."""
    out = np.zeros(len(values))
    for i in range(len(values)):
        out[i] = step(values[i])
    return out.sum()
'''
INNER = """
from matinee.base.compiled import inlined

@inlined
def step(x):
    return {expression}
"""


@inlined
def twice(x: float) -> float:
    return 2.0 * x


@kernel()
def plain(values: np.ndarray) -> float:
    total = 0.0
    for i in range(len(values)):
        total += twice(values[i])
    return total


@shared("values")
def doubled(first: int, last: int, values: np.ndarray, out: np.ndarray) -> None:
    for i in range(first, last):
        out[i] = twice(values[i])


def test_kernels_call_inlined_functions() -> None:
    values = np.arange(5.0)
    out = np.empty(5)
    doubled(values, out)
    assert plain(values) == 20.0
    np.testing.assert_array_equal(out, 2.0 * values)


@shared("indptr")
def lengths(first: int, last: int, indptr: np.ndarray, out: np.ndarray) -> None:
    for r in range(first, last):
        out[r] = indptr[r + 1] - indptr[r]


@shared(3)
def thirds(first: int, last: int, out: np.ndarray) -> None:
    for k in range(first, last):
        out[k::3] = k


@shared(lambda table: table.shape[1])
def count_up(first: int, last: int, table: np.ndarray) -> None:
    for k in range(first, last):
        table[:, k] = k


def test_the_rows_of_a_shared_kernel() -> None:
    out = np.full(4, -1)
    lengths(np.array([0, 2, 2, 7]), out)
    assert out.tolist() == [2, 0, 5, -1]
    thirds(out)
    assert out.tolist() == [0, 1, 2, 0]
    table = np.full((2, 3), -1)
    count_up(table)
    assert table.tolist() == [[0, 1, 2]] * 2


pick = choose({3: lambda x: x + 1.0, 7: lambda x: x * x}, lambda x: -x)


@shared("values", choice="code")
def picked(first: int, last: int, values: np.ndarray, code: int, out: np.ndarray) -> None:
    for i in range(first, last):
        out[i] = pick(code, values[i])


def test_a_number_chooses_a_function() -> None:
    assert (pick(3, 2.0), pick(7, 3.0), pick(4, 1.0)) == (3.0, 9.0, -1.0)


@pytest.mark.parametrize(("code", "expected"), [(7, [4.0, 9.0]), (3, [3.0, 4.0]), (4, [-2, -3])])
def test_a_kernel_is_compiled_for_the_number_it_is_called_with(
    code: int, expected: list[float]
) -> None:
    out = np.empty(2)
    for _ in range(2):
        picked(np.array([2.0, 3.0]), code, out)
        assert out.tolist() == expected


def test_kernels_of_two_numbers_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(
        "from matinee.base.compiled import choose, kernel\n"
        "pick = choose({1: lambda x: x + 1.0, 2: lambda x: x * 10.0}, lambda x: x)\n"
        "@kernel(choice='code')\n"
        "def apply(code, x):\n"
        "    return pick(code, x)\n"
    )
    for order in ("(1, 2)", "(2, 1)"):
        code = f"import outer; print([outer.apply(c, 3.0) for c in {order}])"
        expected = "[4.0, 30.0]" if order == "(1, 2)" else "[30.0, 4.0]"
        assert run(tmp_path, code, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == expected


def run(folder: Path, code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write(folder: Path, expression: str) -> None:
    (folder / "outer.py").write_text(MODULE.format(name="outer"))
    (folder / "outer_inner.py").write_text(INNER.format(expression=expression))


CALL = "import numpy as np, outer; print(outer.total(np.arange(4.0)))"


def test_importing_a_kernel_does_not_import_numba(tmp_path: Path) -> None:
    write(tmp_path, "x")
    assert run(tmp_path, "import outer, sys; print('numba' in sys.modules)") == "False"


def test_a_change_to_an_inlined_function_is_seen_in_another_files_kernel(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    write(tmp_path, "x")
    assert run(tmp_path, CALL, NUMBA_CACHE_DIR=cache) == "6.0"
    stamp = (tmp_path / "outer.py").stat().st_mtime
    write(tmp_path, "x + 1.0")
    os.utime(tmp_path / "outer.py", (stamp, stamp))
    assert run(tmp_path, CALL, NUMBA_CACHE_DIR=cache) == "10.0"


def test_a_renamed_class_of_an_argument_compiles_again(tmp_path: Path) -> None:
    for name in ("Before", "After"):
        (tmp_path / "outer.py").write_text(
            "from typing import NamedTuple\n"
            "from matinee.base.compiled import kernel\n"
            f"class {name}(NamedTuple):\n"
            "    x: float\n"
            "@kernel()\n"
            "def twice(of):\n"
            "    return of.x * 2.0\n"
        )
        code = f"import outer; print(outer.twice(outer.{name}(3.0)))"
        assert run(tmp_path, code, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == "6.0"


HITS = (
    "; found = outer.total.compiled().stats; print(sum(found.cache_hits.values()))"
    "; print(found.cache_path)"
)


def test_compiled_code_is_kept(tmp_path: Path) -> None:
    write(tmp_path, "x")
    for hits in ("0", "1"):
        lines = run(tmp_path, CALL + HITS, NUMBA_CACHE_DIR=str(tmp_path / "cache")).split("\n")
        assert lines[:2] == ["6.0", hits]


@pytest.mark.parametrize("mode", [0o700, 0o777])
def test_where_nothing_can_be_written_a_private_temporary_folder_serves(
    tmp_path: Path, mode: int
) -> None:
    """One that others can write to is never read from: what is in it would be run."""
    write(tmp_path, "x")
    temporary = tmp_path / "temporary"
    (temporary / f"matinee-kernels-{os.getuid()}").mkdir(parents=True)
    (temporary / f"matinee-kernels-{os.getuid()}").chmod(mode)
    # As on a system where neither the package nor the home can be written to.
    blocked = (
        "import numba.core.caching as c\n"
        "for name in ('InTreeCacheLocator', 'UserWideCacheLocator', '_InTreeCacheLocator', "
        "'_UserWideCacheLocator'):\n"
        "    if hasattr(c, name):\n"
        "        getattr(c, name).from_function = classmethod(lambda *a: None)\n"
    )
    done = run(tmp_path, blocked + CALL + HITS, TMPDIR=str(temporary), NUMBA_CACHE_DIR="")
    cache_folder = done.split("\n")[2]
    assert done.startswith("6.0")
    assert (str(temporary) in cache_folder) == (mode == 0o700)


@pytest.mark.skipif(
    sys.platform == "win32" or sys.implementation.name != "cpython", reason="frames of CPython"
)
def test_calls_while_a_kernel_compiles_take_no_memory_of_the_system() -> None:
    """At no depth of the stack do calls make and free a chunk of frames each time."""
    import resource

    def faults() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    def leaf(a: int, b: int, c: int) -> tuple[int, ...]:
        return (a, b, c, a, b, c, a, b, c, a, b, c, a, b, c, a, b, c, a, b, c, a, b, c, a, b, c)

    def at_depth(depth: int) -> int:
        if depth:
            return at_depth(depth - 1)
        before = faults()
        for _ in range(300):
            leaf(1, 2, 3)
        return faults() - before

    assert max(_with_stack(at_depth, (depth,)) for depth in range(400)) < 150


@part()
def tripled(x: float) -> float:
    return 3.0 * x


def test_only_kernels_call_a_part() -> None:
    with pytest.raises(TypeError, match="tripled: only kernels"):
        tripled(1.0)
