"""Kernels of alternating least squares: a ridge solve per row, and dot products at entries."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.compiled import FAST, shared
from .cholesky import factorise, solve


@shared(64, fastmath=FAST, error_model="numpy")
def solve_rows(
    begin: int,
    end: int,
    indptr: Int64,
    index: Int32,
    target: Float32,
    fixed: tuple[Float32, Float32],
    ridges: tuple[float, float, float],
    out: tuple[Float32, Float32],
) -> None:
    """Solve for each row's bias b and factors p, given the other side. Rows are independent.

    Over the row's n entries, they minimise

        sum_j (target[j] - other_bias[index[j]] - b - p . other[index[j]])^2
            + ridge * n^power * |p|^2 + bias_ridge * b^2.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        indptr: int64 (rows + 1,).
        index: int32 (entries,), rows of ``other``.
        target: float32 (entries,), centred ratings.
        fixed: ``other_bias``, float32 (n,), and ``other``, float32 (n, width).
        ridges: ``ridge``, on the factors, positive; ``power``, the exponent of its growth with the
            row's number of entries; and ``bias_ridge``, positive.
        out: Biases, float32 (rows,), and factors, float32 (rows, width), overwritten; 0 for a row
            with no entries.
    """
    other_bias, other = fixed
    ridge, power, bias_ridge = ridges
    bias, factors = out
    width = other.shape[1]
    m = width + 1
    rows = len(indptr) - 1
    for chunk in range(begin, end):  # interleaved, so that no thread gets all the long rows
        gram = np.empty((m, m), dtype=np.float64)
        right = np.empty(m, dtype=np.float64)
        x = np.empty((64, m), dtype=np.float32)
        y = np.empty(64, dtype=np.float32)
        part = np.empty(m, dtype=np.float32)
        for r in range(chunk, rows, 64):
            n = indptr[r + 1] - indptr[r]
            if n == 0:
                bias[r] = 0
                factors[r] = 0
                continue
            gram[:] = 0
            right[:] = 0
            # Sum up to 64 entries in float32, where vectors are long, and those sums in float64.
            for start in range(indptr[r], indptr[r + 1], 64):
                few = min(64, indptr[r + 1] - start)
                for p in range(few):
                    j = index[start + p]
                    for k in range(width):
                        x[p, k] = other[j, k]
                    x[p, width] = 1
                    y[p] = target[start + p] - other_bias[j]
                full = (few + 3) // 4 * 4
                for p in range(few, full):
                    x[p] = 0
                    y[p] = 0
                for i in range(m):
                    part[: i + 1] = 0
                    total = np.float32(0)
                    for p in range(0, full, 4):
                        v0, v1, v2, v3 = x[p, i], x[p + 1, i], x[p + 2, i], x[p + 3, i]
                        for k in range(i + 1):
                            part[k] += (
                                v0 * x[p, k]
                                + v1 * x[p + 1, k]
                                + v2 * x[p + 2, k]
                                + v3 * x[p + 3, k]
                            )
                        total += v0 * y[p] + v1 * y[p + 1] + v2 * y[p + 2] + v3 * y[p + 3]
                    right[i] += total
                    for k in range(i + 1):
                        gram[i, k] += part[k]
            strength = ridge * n**power
            for i in range(width):
                gram[i, i] += strength
            gram[width, width] += bias_ridge
            factorise(gram)
            solve(gram, right)
            for k in range(width):
                factors[r, k] = right[k]
            bias[r] = right[width]


@shared("rows", fastmath=FAST, error_model="numpy")
def entry_scores(
    begin: int,
    end: int,
    rows: npt.NDArray[np.integer[Any]],
    columns: Int32,
    row_bias: Float32,
    row_factors: Float32,
    column_bias: Float32,
    column_factors: Float32,
    out: Float64,
) -> None:
    """Compute row_bias + column_bias + row_factors . column_factors at (rows[j], columns[j]).

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        rows: integer (entries,).
        columns: int32 (entries,).
        row_bias: float32 (n,).
        row_factors: float32 (n, width).
        column_bias: float32 (m,).
        column_factors: float32 (m, width).
        out: float64 (entries,), overwritten.
    """
    width = row_factors.shape[1]
    for j in range(begin, end):
        r, c = rows[j], columns[j]
        dot = np.float32(0)
        for k in range(width):
            dot += row_factors[r, k] * column_factors[c, k]
        out[j] = np.float64(row_bias[r] + column_bias[c] + dot)
