"""The memory that this process may use, and vectors that may be larger than it."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Array, Float64, Int32, Int64, row_bounds

_SHARE = 16
"""Vectors of more than this part of the memory are kept in temporary files."""
_SMALL = 1 << 20
"""Bytes up to which a vector is never in a file, so that the limit need not be read."""
_CHUNK = 1 << 20
"""Entries that are converted at a time."""
FEWEST_ROWS = 32
"""Least rows of a product that are computed at once. With 250,000 columns and a rank of 128, a row
takes 4.9 ms in products of 8 rows, 1.7 of 32 and 1.0 of 128."""


def memory_limit(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self")) -> int:
    """Bytes of memory that this process may use: the machine's, or its container's if fewer.

    Args:
        root: Where the limits of containers (cgroups) are.
        own: Where the kernel describes this process.
    """
    limits = [_physical(), *_process_limits()]
    try:
        lines = (own / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:  # number:controllers:path, with no controllers in version 2
        _, controllers, path = line.split(":", 2)
        name = "memory.max" if not controllers else "memory.limit_in_bytes"
        if controllers and "memory" not in controllers.split(","):
            continue
        base = root / "memory" if controllers else root
        below = Path(path.lstrip("/"))
        # Seen from inside a container its own group is the root, from outside it has a path.
        for folder in (base / below, *(base / each for each in below.parents)):
            try:
                limits.append(int((folder / name).read_text()))
            except (OSError, ValueError):  # no such group, or "max"
                continue
    return min(limits)


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not a POSIX system
        return 1 << 62


def _process_limits() -> list[int]:
    try:
        import resource
    except ImportError:  # not a POSIX system
        return []
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    soft = [resource.getrlimit(kind)[0] for kind in kinds]
    return [limit for limit in soft if limit != resource.RLIM_INFINITY]


def large_empty(size: int, dtype: npt.DTypeLike, limit: int | None = None) -> Array:
    """Return a vector without values; of more than a sixteenth of the memory, in a temporary file.

    The system may then write its pages to disk when memory is short, and reads them again when
    they are used. The file has no name, so nothing of it is left however the process ends.

    Args:
        size: Number of entries.
        dtype: Their type, not an object.
        limit: Bytes of memory; by default ``memory_limit()``.

    Returns:
        Shape (size,).
    """
    kind = np.dtype(dtype)
    n_bytes = size * kind.itemsize
    if n_bytes <= _SMALL or n_bytes * _SHARE <= (memory_limit() if limit is None else limit):
        return np.empty(size, kind)
    try:
        with tempfile.TemporaryFile(prefix="matinee-") as file:
            # Reserved, since a full disk would end the process at the first write to a page.
            os.posix_fallocate(file.fileno(), 0, n_bytes)
            memory = mmap.mmap(file.fileno(), n_bytes)
    except (AttributeError, OSError):  # not a POSIX system, or no room there
        return np.empty(size, kind)
    return np.frombuffer(memory, kind)


def large_take(values: Array, rows: Array) -> Array:
    """``values[rows]`` for positions or a mask, by ``large_empty``.

    Raises:
        IndexError: A position that does not exist, or a mask of another length.
    """
    is_mask = rows.dtype == bool
    if is_mask and len(rows) != len(values):
        raise IndexError(f"a mask of {len(rows):,} entries for a vector of {len(values):,}")
    out = large_empty(int(np.count_nonzero(rows)) if is_mask else len(rows), values.dtype)
    at = 0
    for some in chunks(len(rows)):
        part = values[some][rows[some]] if is_mask else values[rows[some]]
        out[at : at + len(part)] = part
        at += len(part)
    return out


def large_multiplied(values: Array, factor: float) -> Array:
    """Multiply a vector by ``factor``, by ``large_empty``, in its dtype; itself if that is 1."""
    if factor == 1.0:
        return values
    out = large_empty(len(values), values.dtype)
    for some in chunks(len(values)):
        np.multiply(values[some], values.dtype.type(factor), out=out[some])
    return out


def count_codes(codes: npt.NDArray[np.integer[Any]], size: int) -> Int64:
    """How often each code occurs, int64 (size,): ``np.bincount`` without an int64 copy of them."""
    out = np.zeros(size, np.int64)
    for some in chunks(len(codes)):
        out += np.bincount(codes[some], minlength=size)
    return out


def sum_by_code(codes: npt.NDArray[np.integer[Any]], values: Array, size: int) -> Float64:
    """Sum of the values of each code, float64 (size,): the bits of ``np.bincount``, no copies."""
    out = np.zeros(size)
    for some in chunks(len(codes)):
        np.add.at(out, codes[some], values[some].astype(np.float64))
    return out


def row_chunks(indptr: Int64, entries: int = _CHUNK) -> Iterator[slice]:
    """Slices of consecutive rows with about that many entries, one row at least.

    Args:
        indptr: int64 (rows + 1,): row r has entries ``indptr[r]:indptr[r + 1]``.
        entries: How many.
    """
    first = 0
    while first < len(indptr) - 1:
        last = int(np.searchsorted(indptr, indptr[first] + entries, side="right")) - 1
        last = max(last, first + 1)
        yield slice(first, last)
        first = last


def entries_of(indptr: Int64, rows: Int64) -> tuple[Int64, Int64]:
    """Return the entries of some rows, row by row.

    Args:
        indptr: int64 (all rows + 1,): row r has entries ``indptr[r]:indptr[r + 1]``.
        rows: int64 (n,), in any order; repeats welcome.

    Returns:
        Where those of each row begin, int64 (n + 1,), and their positions, int64.
    """
    starts = indptr[rows]
    counts = indptr[rows + 1] - starts
    ends = row_bounds(counts)
    return ends, np.arange(ends[-1]) + np.repeat(starts - ends[:-1], counts)


def rows_at_once(columns: int, cells: int) -> int:
    """Return how many rows of a product are computed at once, so that they fill about ``cells``.

    They are at least ``FEWEST_ROWS``, however many columns there are: BLAS copies the whole matrix
    of columns for any product of more than one row, which takes longer than a few rows of it.
    """
    return max(FEWEST_ROWS, cells // max(columns, 1))


def chunks(size: int) -> Iterator[slice]:
    """Slices of about a million entries that cover a vector in order."""
    for start in range(0, size, _CHUNK):
        yield slice(start, min(start + _CHUNK, size))


def find_entries(
    indptr: Int64, indices: Int32, rows: npt.NDArray[np.integer[Any]], columns: Int32
) -> Int64:
    """Return the position of the entry of each (row, column), int64 (n,); -1 for none.

    Args:
        indptr: int64 (rows + 1,).
        indices: int32 (entries,), the columns of each row, ascending.
        rows: Rows, (n,); -1 for none.
        columns: int32 (n,); -1 for none.
    """
    keys = np.repeat(np.arange(len(indptr) - 1, dtype=np.int64) << 32, np.diff(indptr)) + indices
    out = np.full(len(rows), -1, dtype=np.int64)
    for some in chunks(len(rows) if len(keys) else 0):
        known = some.start + np.flatnonzero((rows[some] >= 0) & (columns[some] >= 0))
        pairs = (rows[known].astype(np.int64) << 32) + columns[known]
        at = np.minimum(np.searchsorted(keys, pairs), len(keys) - 1)
        out[known] = np.where(keys[at] == pairs, at, -1)
    return out
