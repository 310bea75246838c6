"""Weighted sums of table rows for inference: NumPy, and a compiled kernel for large batches."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float32, Int32, Int64
from ...base.memory import row_chunks

GATHERED = 1 << 23
"""Largest number of floats gathered from a table in one batch (32 MiB)."""
COMPILED = 1 << 24
"""Number of gathered floats from which compiled kernels are used: for 80,000 ratings at a width of
600 they take a tenth of NumPy's time, but for a single person importing Numba takes longer."""
_NEAR = 1 << 17
"""Floats of a table copied at a time (512 KiB), to stay in a core's cache until multiplied. Copying
all rows of a person's history at once takes half as long again."""


def weighted_rows(indptr: Int64, index: Int32 | Int64, coef: Float32, table: Float32) -> Float32:
    """Compute ``out[r] = sum of coef[j] * table[index[j]]`` over the entries j of row r.

    Args:
        indptr: int64 (rows + 1,), start of each row's entries.
        index: Rows of the table, integer (entries,).
        coef: float32 (entries,).
        table: float32 (n, width); it may be read-only.

    Returns:
        float32 (rows, width); 0 for a row without entries.
    """
    rows, width = len(indptr) - 1, table.shape[1]
    unique, position = distinct(index, len(table))
    if rows * len(unique) <= 4 * len(index) + 4096:
        # Variants of one history, each with a rating removed or added: a dense product.
        dense = np.zeros((rows, len(unique)), dtype=np.float32)
        dense[np.repeat(np.arange(rows), np.diff(indptr)), position] = coef
        step = max(1, _NEAR // width)
        out = dense[:, :step] @ table[unique[:step]]
        for first in range(step, len(unique), step):
            part = slice(first, first + step)
            out += dense[:, part] @ table[unique[part]]
        return out
    out = np.zeros((rows, width), dtype=np.float32)
    if len(index) * width >= COMPILED:
        from . import kernels

        picked = index.astype(np.int32, copy=False)
        kernels.encode(
            indptr.astype(np.int64, copy=False),
            picked,
            coef.astype(np.float32, copy=False),
            writable(table),
            out,
        )
        return out
    for some in row_chunks(indptr, max(1, GATHERED // width)):
        first, last = some.start, some.stop
        part = slice(int(indptr[first]), int(indptr[last]))
        weighted = table[index[part]]
        weighted *= coef[part, None]
        nonempty = np.flatnonzero(np.diff(indptr[first : last + 1]) > 0)
        if len(nonempty):
            starts = indptr[first + nonempty] - indptr[first]
            out[first + nonempty] = np.add.reduceat(weighted, starts, axis=0)
    return out


def writable(array: Float32) -> Float32:
    """Return a writable array, which kernels require; arrays read from files may be read-only."""
    return np.require(array, dtype=np.float32, requirements=["C", "W"])


def distinct(values: Int32 | Int64, size: int) -> tuple[Int64, Int64]:
    """Return the distinct values, ascending, and the position of each value among them.

    Args:
        values: Values from 0 to ``size`` - 1.
        size: Upper limit of the values.
    """
    if 32 * len(values) < size:
        unique, position = np.unique(values, return_inverse=True)
        return unique.astype(np.int64, copy=False), position
    seen = np.zeros(size, dtype=np.bool_)
    seen[values] = True
    place_of = np.cumsum(seen) - 1
    return np.flatnonzero(seen), place_of[values]
