"""Memory limits, and vectors in temporary files."""

import os
from pathlib import Path

import numpy as np
import pytest

from matinee.base.memory import (
    FEWEST_ROWS,
    chunks,
    count_codes,
    entries_of,
    find_entries,
    large_empty,
    large_take,
    memory_limit,
    rows_at_once,
    sum_by_code,
)


@pytest.fixture(autouse=True)
def _any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.base.memory._SMALL", 0)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def is_in_file(vector: np.ndarray) -> bool:
    return vector.base is not None


def test_a_vector_beyond_a_sixteenth_of_the_memory_is_in_a_file_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = open_files()
    large = large_empty(1001, np.int32, limit=64_000)
    assert is_in_file(large)
    assert not is_in_file(large_empty(1000, np.int32, limit=64_000))
    assert list(tmp_path.iterdir()) == []
    assert large.dtype == np.int32
    assert large.shape == (1001,)
    large[:] = np.arange(1001)
    assert large.sum() == 500_500
    assert open_files() == before + 1  # the mapping's own
    del large
    assert open_files() == before


def test_without_room_on_the_disk_a_vector_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert not is_in_file(large_empty(1001, np.int32, limit=64_000))


@pytest.mark.parametrize("limit", [1, 1 << 40])
def test_taking_counting_and_summing_are_numpys(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.base.memory._CHUNK", 7)
    monkeypatch.setattr("matinee.base.memory.memory_limit", lambda: limit)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, 100).astype(np.int32)
    values = rng.random(100).astype(np.float32)
    rows = rng.permutation(100)[:40]
    mask = rng.random(100) < 0.3
    assert np.array_equal(large_take(values, rows), values[rows])
    assert np.array_equal(large_take(values, mask), values[mask])
    assert np.array_equal(count_codes(codes, 6), np.bincount(codes, minlength=6))
    assert np.array_equal(sum_by_code(codes, values, 6), np.bincount(codes, values, minlength=6))
    with pytest.raises(IndexError, match="a mask of 99 entries for a vector of 100"):
        large_take(values, mask[:-1])
    assert [(each.start, each.stop) for each in chunks(15)] == [(0, 7), (7, 14), (14, 15)]
    assert list(chunks(0)) == []


@pytest.mark.parametrize(
    ("lines", "file", "expected"),
    [
        ("4:memory:/job\n1:cpu:/\n", "memory/job/memory.limit_in_bytes", 1000),
        ("4:memory:/outside/job\n", "memory/memory.limit_in_bytes", 1000),
        ("0::/job\n", "job/memory.max", 1000),
        ("0::/job/inner\n", "job/memory.max", 1000),
        ("1:cpu:/job\n", "memory/job/memory.limit_in_bytes", None),
    ],
)
def test_the_limit_is_that_of_the_process_own_container(
    lines: str, file: str, expected: int | None, tmp_path: Path
) -> None:
    own, root = tmp_path / "proc", tmp_path / "cgroup"
    own.mkdir()
    (own / "cgroup").write_text(lines)
    (root / file).parent.mkdir(parents=True)
    (root / file).write_text("1000\n")
    found = memory_limit(root, own)
    assert found == expected if expected else found > 10**6


def test_no_limit_is_read_as_the_memory_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("0::/\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_limit(tmp_path, tmp_path) == memory_limit(tmp_path, tmp_path / "none") > 10**8


@pytest.mark.parametrize(
    ("columns", "rows"), [(0, 4096), (1, 4096), (64, 64), (65, 63), (250_000, FEWEST_ROWS)]
)
def test_rows_at_once_fill_the_cells_and_are_never_few(columns: int, rows: int) -> None:
    assert rows_at_once(columns, 4096) == rows


def test_the_entries_of_rows_in_any_order() -> None:
    indptr = np.array([0, 2, 2, 5, 6])
    ends, entries = entries_of(indptr, np.array([2, 0, 1, 2]))
    assert ends.tolist() == [0, 3, 5, 5, 8]
    assert entries.tolist() == [2, 3, 4, 0, 1, 2, 3, 4]
    ends, entries = entries_of(indptr, np.zeros(0, dtype=np.int64))
    assert ends.tolist() == [0]
    assert entries.tolist() == []


def test_entries_are_found_by_row_and_column() -> None:
    indptr, indices = np.array([0, 2, 2, 4]), np.array([1, 5, 0, 5], dtype=np.int32)
    rows, columns = np.array([2, 0, 0, 1, -1, 2]), np.array([5, 1, 4, 5, 1, -1], dtype=np.int32)
    assert find_entries(indptr, indices, rows, columns).tolist() == [3, 0, -1, -1, -1, -1]
    none = np.empty(0, dtype=np.int32)
    assert find_entries(np.zeros(4, dtype=np.int64), none, rows, columns).tolist() == [-1] * 6
