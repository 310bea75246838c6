"""Small positive definite systems, solved within kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.compiled import inlined


@inlined
def factorise(gram: Any) -> None:
    """Replace the lower triangle of a positive definite matrix by its Cholesky factor."""
    for i in range(len(gram)):
        for k in range(i):
            total = gram[i, k]
            for q in range(k):
                total -= gram[i, q] * gram[k, q]
            gram[i, k] = total / gram[k, k]
        total = gram[i, i]
        for q in range(i):
            total -= gram[i, q] * gram[i, q]
        gram[i, i] = np.sqrt(max(total, 1e-12))


@inlined
def solve(root: Any, right: Any) -> None:
    """Solve ``root root' x = right`` in place, given the Cholesky factor ``root``."""
    n = len(right)
    for i in range(n):
        total = right[i]
        for q in range(i):
            total -= root[i, q] * right[q]
        right[i] = total / root[i, i]
    for i in range(n - 1, -1, -1):
        right[i] /= root[i, i]
        for q in range(i):
            right[q] -= root[i, q] * right[i]


@inlined
def cholesky_solve(gram: Any, right: Any, n: int) -> None:
    """Solve ``gram[:n, :n] x = right[:n]`` in place; only the lower triangle of gram is read."""
    for i in range(n):
        for k in range(i):
            total = gram[i, k]
            for q in range(k):
                total -= gram[i, q] * gram[k, q]
            gram[i, k] = total * gram[k, k]
        total = gram[i, i]
        for q in range(i):
            total -= gram[i, q] * gram[i, q]
        # The diagonal holds reciprocals: a multiplication is cheaper than a division.
        gram[i, i] = 1 / total**0.5
        total = right[i]
        for q in range(i):
            total -= gram[i, q] * right[q]
        right[i] = total * gram[i, i]
    for i in range(n - 1, -1, -1):
        right[i] *= gram[i, i]
        for q in range(i):
            right[q] -= gram[i, q] * right[i]
