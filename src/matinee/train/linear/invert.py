"""In-place inversion of a symmetric positive definite matrix."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Array
from ...base.blas import all_blas_threads
from ...errors import TrainingError

_TINY = 128
"""Largest size inverted column by column."""
_LAPACK = 16000
"""Largest size inverted by LAPACK. Above, with matrices of 2 GiB and more, threads of OpenBLAS
0.3.30 crash the process in potrf."""
_BLOCK = 512


def invert(system: Array) -> Array:
    """Invert a symmetric positive definite matrix in place.

    Raises:
        TrainingError: The matrix is not positive definite to working precision.
    """
    if len(system) <= _TINY:
        return _by_lapack(system)
    with all_blas_threads():
        return swept(system) if len(system) > _LAPACK else _by_lapack(system)


def _by_lapack(system: Array) -> Array:
    from scipy.linalg import lapack

    factor, solve, columns = (
        (lapack.dpotrf, lapack.dpotri, lapack.dpotrs)
        if system.dtype == np.float64
        else (lapack.spotrf, lapack.spotri, lapack.spotrs)
    )
    # A symmetric matrix in C order equals itself in Fortran order: transposing copies nothing.
    lower, wrong = factor(system.T, lower=1, overwrite_a=1, clean=0)
    if not wrong and len(system) <= _TINY:
        # OpenBLAS shares potri among threads at any size, and on a busy machine they wait 0.2 s for
        # each other; it solves few columns in one thread.
        identity = np.eye(len(system), dtype=system.dtype, order="F")
        lower, wrong = columns(lower, identity, lower=1, overwrite_b=1)
    elif not wrong:
        lower, wrong = solve(lower, lower=1, overwrite_c=1)
    if wrong:
        raise _singular()
    mirror(lower)
    return lower.T


def swept(system: Array, block: int = _BLOCK) -> Array:
    """Invert by the blocked symmetric sweep operator: size³ operations, nearly all in syrk.

    Sweeping the rows and columns k of A turns A[k, k] into -D, with D = A[k, k]⁻¹, A[i, k] into
    A[i, k] D and A[i, j] into A[i, j] - A[i, k] D A[k, j]; after all of them A holds -A⁻¹. A
    positive definite matrix needs no pivoting. Only the lower triangle is used.
    """
    from scipy.linalg import blas, lapack

    double = system.dtype == np.float64
    update = blas.dsyrk if double else blas.ssyrk
    triangle = lapack.dtrtri if double else lapack.strtri
    size = len(system)
    starts = range(0, size, block)
    for first in starts:
        last = min(first + block, size)
        try:
            factor = np.linalg.cholesky(_whole(system[first:last, first:last]))
        except np.linalg.LinAlgError:
            raise _singular() from None
        root, _ = triangle(factor, lower=1)  # D = root' root
        panel = np.empty((size, last - first), dtype=system.dtype)
        panel[:first] = system[first:last, :first].T
        panel[first:last] = 0.0
        panel[last:] = system[last:, first:last]
        half = np.asfortranarray(panel @ root.T)
        # The lower triangle in C order is the upper one in Fortran order.
        update(-1.0, half, beta=1.0, c=system.T, overwrite_c=1)
        np.matmul(half, root, out=panel)
        system[first:last, :first] = panel[:first].T
        system[last:, first:last] = panel[last:]
        np.negative(root.T @ root, out=system[first:last, first:last])
    for top in starts:
        part = system[top : top + block, : top + block]
        np.negative(part, out=part)
    mirror(system)
    return system


def mirror(lower: Array) -> None:
    """Copy the lower triangle of a square matrix to its upper triangle, in blocks."""
    size = len(lower)
    for first in range(0, size, _BLOCK):
        last = min(first + _BLOCK, size)
        square = lower[first:last, first:last]
        square[:] = _whole(square)
        lower[first:last, last:] = lower[last:, first:last].T


def _whole(square: Array) -> Array:
    """Return a symmetric matrix from its lower triangle."""
    return np.tril(square) + np.tril(square, -1).T


def _singular() -> TrainingError:
    return TrainingError(
        "the closed form has no solution to working precision; raise linear.penalty"
    )
