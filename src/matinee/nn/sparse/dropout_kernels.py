"""Compiled kernels of dropout on the code: the mask, and products with the kept units.

Whether a unit of a row is kept depends only on a seed and the unit's position in the batch, so the
mask can be drawn as an array, or as a list of the kept units (CSR: ``indptr`` and ``unit``), on any
number of threads and for any part of the batch.

The products pass over the code in blocks of ``BLOCK`` units, so that the table rows of a block are
reused from the core's cache for a group of batch rows: twice as fast as row by row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float, Int32, Int64
from ...base.compiled import FAST, inlined, kernel, shared
from .kernels import add_weighted, four_dots
from .random import uniform

BLOCK = 128
"""Units whose table rows stay in cache: 256 KiB at a width of 512."""
GROUP = 32
"""Batch rows that share a block."""
LINE = 16
"""Columns per block of a transposition: a cache line of float32."""
FEW = 8
"""Rows per block: lines a power of two apart share a cache set, which holds eight."""


@kernel()
def draw_mask(seed: np.uint64, first: int, rate: float, mask: Float) -> None:
    """Draw the factor of the code: 0, or 1 over the share kept.

    Args:
        seed: The batch's seed.
        first: Position of the first row in the batch.
        rate: Share of the units dropped.
        mask: float (rows, units), overwritten.
    """
    rows, units = mask.shape
    scale = mask.dtype.type(1.0 / (1.0 - rate))
    for r in range(rows):
        for u in range(units):
            kept = uniform(seed, np.uint64((first + r) * units + u)) >= rate
            mask[r, u] = scale if kept else 0


@shared("count")
def _draw_rows(
    begin: int, end: int, seed: np.uint64, first: int, rate: float, drawn: Int32, count: Int64
) -> None:
    units = drawn.shape[1]
    for r in range(begin, end):
        n = 0
        for u in range(units):
            drawn[r, n] = u
            n += uniform(seed, np.uint64((first + r) * units + u)) >= rate
        count[r] = n


@shared("indptr")
def _pack_rows(begin: int, end: int, indptr: Int64, drawn: Int32, unit: Int32) -> None:
    for r in range(begin, end):
        unit[indptr[r] : indptr[r + 1]] = drawn[r, : indptr[r + 1] - indptr[r]]


def draw_kept(
    seed: np.uint64, first: int, rate: float, units: int, indptr: Int64, unit: Int32
) -> int:
    """Draw the units that ``draw_mask`` keeps, by row.

    Args:
        seed: The batch's seed.
        first: Position of the first row in the batch.
        rate: Share of the units dropped.
        units: Width of the code.
        indptr: int64 (rows + 1,), overwritten.
        unit: int32 (rows * units,), of which the first ``indptr[-1]`` are overwritten; ascending
            within a row.

    Returns:
        Number of kept units.
    """
    rows = len(indptr) - 1
    drawn = np.empty((rows, units), dtype=np.int32)
    indptr[0] = 0
    _draw_rows(seed, first, rate, drawn, indptr[1:])
    np.cumsum(indptr, out=indptr)
    _pack_rows(indptr, drawn, unit)
    return int(indptr[rows])


def _groups(indptr: Int64, *_: Any) -> int:
    return (len(indptr) - 2 + GROUP) // GROUP


@inlined
def _end(unit: Int32, cursor: int, last: int, limit: int) -> int:
    """Return the end of the units below ``limit``, from ``cursor`` on."""
    while cursor < last and unit[cursor] < limit:
        cursor += 1
    return cursor


@shared(_groups, fastmath=FAST, error_model="numpy")
def dots(
    begin: int,
    end: int,
    indptr: Int64,
    unit: Int32,
    left: Float,
    table: Float,
    bias: Float,
    out: Float,
) -> None:
    """Compute ``out[j] = left[r] . table[unit[j]] + bias[unit[j]]`` for entries j of row r.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        indptr: int64 (rows + 1,).
        unit: int32 (entries,), ascending within a row.
        left: float (rows, width).
        table: float (units, width).
        bias: float (units,).
        out: float (entries,), overwritten.
    """
    rows = len(indptr) - 1
    units = len(table)
    for group in range(begin, end):
        first, stop = group * GROUP, min((group + 1) * GROUP, rows)
        cursor = indptr[first:stop].copy()
        for limit in range(BLOCK, units + BLOCK, BLOCK):
            for r in range(first, stop):
                p, row = cursor[r - first], left[r]
                end = _end(unit, p, indptr[r + 1], limit)
                cursor[r - first] = end
                while p < end:
                    few = min(4, end - p)
                    # Fewer than four repeat the last, as in ``kernels.decode``.
                    p1, p2, p3 = p + min(1, few - 1), p + min(2, few - 1), p + few - 1
                    i0, i1, i2, i3 = unit[p], unit[p1], unit[p2], unit[p3]
                    d0, d1, d2, d3 = four_dots(row, table, i0, i1, i2, i3)
                    out[p], out[p1] = d0 + bias[i0], d1 + bias[i1]
                    out[p2], out[p3] = d2 + bias[i2], d3 + bias[i3]
                    p += few


@shared(_groups, fastmath=FAST, error_model="numpy")
def sums(
    begin: int,
    end: int,
    indptr: Int64,
    unit: Int32,
    value: Float,
    table: Float,
    start: Float,
    out: Float,
) -> None:
    """Compute ``out[r] = start + sum_j value[j] * table[unit[j]]`` over each row's entries j.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        indptr: int64 (rows + 1,).
        unit: int32 (entries,), ascending within a row.
        value: float (entries,).
        table: float (units, width).
        start: float (width,).
        out: float (rows, width), overwritten.
    """
    rows = len(indptr) - 1
    units = len(table)
    for group in range(begin, end):
        first, stop = group * GROUP, min((group + 1) * GROUP, rows)
        cursor = indptr[first:stop].copy()
        for r in range(first, stop):
            out[r] = start
        for limit in range(BLOCK, units + BLOCK, BLOCK):
            for r in range(first, stop):
                p = cursor[r - first]
                end = _end(unit, p, indptr[r + 1], limit)
                cursor[r - first] = end
                add_weighted(value[p:end], unit[p:end], end - p, table, out[r])


@shared("columns", fastmath=FAST, error_model="numpy")
def add_products(
    begin: int,
    end: int,
    columns: Int32,
    start: Int64,
    row_of: Int32,
    entry_of: Int32,
    value: Float,
    dense: Float,
    out: Float,
) -> None:
    """Add ``sum_j value[j] * dense[row of j]`` over each column's entries j to ``out[column]``.

    ``columns`` to ``entry_of`` are made by ``Transposer``. ``value`` is (entries,), ``dense``
    (rows, width) and ``out`` (units, width).
    """
    for u in range(begin, end):
        first, last = start[u], start[u + 1]
        picked = np.empty(last - first, dtype=value.dtype)
        for p in range(first, last):
            picked[p - first] = value[entry_of[p]]
        add_weighted(picked, row_of[first:last], last - first, dense, out[columns[u]])


@shared(lambda array, *_: (array.shape[1] + LINE - 1) // LINE)
def transpose_to(begin: int, end: int, array: Float, out: Float, add: bool) -> None:
    """Compute ``out = array.T``, or ``out += array.T``; both in C order."""
    rows, columns = array.shape
    for tile in range(begin, end):
        left, right = tile * LINE, min((tile + 1) * LINE, columns)
        for low in range(0, rows, FEW):
            high = min(low + FEW, rows)
            if add:
                for c in range(left, right):
                    for r in range(low, high):
                        out[c, r] += array[r, c]
            else:
                for c in range(left, right):
                    for r in range(low, high):
                        out[c, r] = array[r, c]
