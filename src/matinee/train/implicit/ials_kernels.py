"""The kernels of implicit alternating least squares: a row solved exactly, or improved."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float, Int32, Int64
from ...base.compiled import FAST, shared
from ..factors.cholesky import cholesky_solve


@shared(64, fastmath=FAST, error_model="numpy")
def solve_implicit(
    begin: int,
    end: int,
    indptr: Int64,
    index: Int32,
    weights: Float,
    other: Float,
    shared: Float,
    ridge: Float,
    out: Float,
) -> None:
    """Solve for each row's vector, given the vectors of the other side. Rows are independent.

    In the eigenbasis of the other side's Gram matrix, a row minimises over its n entries

        sum_j weights[j] (1 - w . other[index[j]])^2 + sum_k (shared[k] + ridge[row]) w[k]^2.

    A row with fewer entries than factors is solved as a system of its entries (the push-through
    identity), so that most rows cost entries^2 * factors, not factors^3.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        indptr: int64 (rows + 1,).
        index: int32 (entries,), rows of ``other``.
        weights: floating (entries,), positive, or (0,) where all are 1.
        other: floating (n, factors), in the eigenbasis.
        shared: floating (factors,), eigenvalues of the Gram matrix times the unobserved weight.
        ridge: floating (rows,), positive.
        out: floating (rows, factors), overwritten; 0 for a row with no entries.
    """
    width = other.shape[1]
    rows = len(indptr) - 1
    weighted = len(weights) > 0
    one = other.dtype.type(1)
    for chunk in range(begin, end):  # interleaved, so that no thread gets all the long rows
        system = np.empty((width, width), dtype=other.dtype)
        right = np.empty(width, dtype=other.dtype)
        weight = np.empty(width, dtype=other.dtype)
        x = np.empty((max(width, 4), width), dtype=other.dtype)
        scaled = np.empty(width, dtype=other.dtype)
        strength = np.zeros(4, dtype=other.dtype)
        for r in range(chunk, rows, 64):
            start, end = indptr[r], indptr[r + 1]
            n = end - start
            if n == 0:
                out[r] = 0
                continue
            if n <= width:
                for k in range(width):
                    weight[k] = 1 / (shared[k] + ridge[r])
                for p in range(n):
                    j = index[start + p]
                    for k in range(width):
                        x[p, k] = other[j, k]
                for p in range(n):
                    for k in range(width):
                        scaled[k] = x[p, k] * weight[k]
                    for q in range(p + 1):
                        total = other.dtype.type(0)
                        for k in range(width):
                            total += scaled[k] * x[q, k]
                        system[p, q] = total
                    system[p, p] += one / weights[start + p] if weighted else one
                    right[p] = 1
                cholesky_solve(system, right, n)
                for k in range(width):
                    scaled[k] = 0
                for p in range(n):
                    for k in range(width):
                        scaled[k] += right[p] * x[p, k]
                for k in range(width):
                    out[r, k] = scaled[k] * weight[k]
                continue
            system[:] = 0
            right[:] = 0
            for first in range(start, end, 4):
                few = min(4, end - first)
                for p in range(4):
                    if p < few:
                        j = index[first + p]
                        strength[p] = weights[first + p] if weighted else one
                        for k in range(width):
                            x[p, k] = other[j, k]
                            right[k] += strength[p] * other[j, k]
                    else:
                        x[p] = 0
                for i in range(width):
                    v0, v1 = strength[0] * x[0, i], strength[1] * x[1, i]
                    v2, v3 = strength[2] * x[2, i], strength[3] * x[3, i]
                    for k in range(i + 1):
                        system[i, k] += v0 * x[0, k] + v1 * x[1, k] + v2 * x[2, k] + v3 * x[3, k]
            for k in range(width):
                system[k, k] += shared[k] + ridge[r]
            cholesky_solve(system, right, width)
            for k in range(width):
                out[r, k] = right[k]


@shared(64, fastmath=FAST, error_model="numpy")
def improve_implicit(
    begin: int,
    end: int,
    indptr: Int64,
    index: Int32,
    weights: Float,
    other: Float,
    shared: Float,
    ridge: Float,
    steps: int,
    out: Float,
) -> None:
    """Take conjugate gradient steps from each row's vector towards ``solve_implicit``'s solution.

    As Takács et al. 2011 (RecSys, 10.1145/2043932.2043987), with the diagonal of the system as
    preconditioner. In the eigenbasis a step costs entries * factors: the Gram matrix is diagonal.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        indptr: See ``solve_implicit``, also for the following.
        index: int32 (entries,).
        weights: floating (entries,) or (0,).
        other: floating (n, factors).
        shared: floating (factors,).
        ridge: floating (rows,).
        steps: At least 1.
        out: floating (rows, factors), the initial vectors, overwritten.
    """
    width = other.shape[1]
    rows = len(indptr) - 1
    weighted = len(weights) > 0
    one, zero = other.dtype.type(1), other.dtype.type(0)
    tiny = 1e-13 if other.itemsize == 4 else 1e-30  # about the square of the rounding error
    for chunk in range(begin, end):  # interleaved, so that no thread gets all the long rows
        diagonal, inverse = np.empty(width, other.dtype), np.empty(width, other.dtype)
        residual, direction = np.empty(width, other.dtype), np.empty(width, other.dtype)
        product = np.empty(width, other.dtype)
        for r in range(chunk, rows, 64):
            start, stop = indptr[r], indptr[r + 1]
            x = out[r]
            if start == stop:
                x[:] = 0
                continue
            for k in range(width):
                diagonal[k] = inverse[k] = shared[k] + ridge[r]
                residual[k] = -diagonal[k] * x[k]
            for p in range(start, stop):
                v, weight = other[index[p]], weights[p] if weighted else one
                error = one
                for k in range(width):
                    error -= v[k] * x[k]
                for k in range(width):
                    residual[k] += weight * error * v[k]
                    inverse[k] += weight * v[k] * v[k]
            size = zero
            for k in range(width):
                inverse[k] = 1 / inverse[k]
                direction[k] = residual[k] * inverse[k]
                size += residual[k] * direction[k]
            least = tiny * size
            for _ in range(steps):
                if size <= least:
                    break
                for k in range(width):
                    product[k] = diagonal[k] * direction[k]
                for p in range(start, stop):
                    v, weight = other[index[p]], weights[p] if weighted else one
                    score = zero
                    for k in range(width):
                        score += v[k] * direction[k]
                    for k in range(width):
                        product[k] += weight * score * v[k]
                curvature = zero
                for k in range(width):
                    curvature += direction[k] * product[k]
                if not curvature > 0:  # underflow
                    break
                length, before, size = size / curvature, size, zero
                for k in range(width):
                    x[k] += length * direction[k]
                    residual[k] -= length * product[k]
                    size += residual[k] * residual[k] * inverse[k]
                for k in range(width):
                    direction[k] = residual[k] * inverse[k] + size / before * direction[k]
