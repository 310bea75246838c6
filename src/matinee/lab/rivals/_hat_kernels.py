"""Kernels of weights with finite support: ``E = W * K``, ``K[i, j] = max(0, 1 - |u_i - v_j|^2)``.

Muller, Martel & Indiveri, "Kernelized Synaptic Weight Matrices" (ICML 2018). K is never stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float
from ...base.compiled import inlined, shared

FAST = {"reassoc", "contract", "nsz", "arcp"}
CHUNKS = 32
"""Parts that the rows are cut into: sums over rows come out the same on any number of threads."""


@inlined
def _hat_row(u: Any, v: Any, hat: Any) -> None:
    """K of one row: ``u`` (dim,), ``v`` (dim, columns) into ``hat`` (columns,)."""
    n = len(hat)
    hat[:] = 1
    for d in range(len(u)):
        at = u[d]
        for j in range(n):
            gap = at - v[d, j]
            hat[j] -= gap * gap
    for j in range(n):
        hat[j] = max(hat[j], hat.dtype.type(0))


@shared(CHUNKS, fastmath=FAST, error_model="numpy")
def _effective(
    begin: int, end: int, w: Float, u: Float, v: Float, out: Float, part: npt.NDArray[np.float64]
) -> None:
    rows, columns = w.shape
    for chunk in range(begin, end):
        hat = np.empty(columns, dtype=w.dtype)
        for i in range(chunk * rows // CHUNKS, (chunk + 1) * rows // CHUNKS):
            _hat_row(u[i], v, hat)
            weights, hats = w.dtype.type(0), w.dtype.type(0)
            for j in range(columns):
                out[i, j] = w[i, j] * hat[j]
                weights += w[i, j] * w[i, j]
                hats += hat[j] * hat[j]
            part[chunk, 0] += weights
            part[chunk, 1] += hats


def effective(w: Float, u: Float, v: Float, out: Float, squares: npt.NDArray[np.float64]) -> None:
    """Effective weights, and the sums that the penalties need.

    Args:
        w: float (rows, columns), W.
        u: float (rows, dim), vectors of the rows.
        v: float (dim, columns), vectors of the columns, transposed.
        out: float (rows, columns), overwritten by ``W * K``.
        squares: float64 (2,), overwritten by the sums of ``W^2`` and of ``K^2``.
    """
    part = np.zeros((CHUNKS, 2))
    _effective(w, u, v, out, part)
    squares[:] = part.sum(axis=0)


@shared(CHUNKS, fastmath=FAST, error_model="numpy")
def _effective_gradient(
    begin: int,
    end: int,
    w: Float,
    u: Float,
    v: Float,
    d_out: Float,
    lambda_2: float,
    lambda_s: float,
    d_u: Float,
    part: Float,
) -> None:
    rows, columns = w.shape
    dim = u.shape[1]
    type_ = w.dtype.type
    strength, sparsity = type_(lambda_2), type_(lambda_s)
    for chunk in range(begin, end):
        hat = np.empty(columns, dtype=w.dtype)
        pull = np.empty(columns, dtype=w.dtype)
        chunk_part = part[chunk]
        for i in range(chunk * rows // CHUNKS, (chunk + 1) * rows // CHUNKS):
            _hat_row(u[i], v, hat)
            for j in range(columns):
                by_hat = d_out[i, j] * w[i, j] + sparsity * hat[j]
                # Twice, as the distance is squared; and nothing moves outside the support.
                pull[j] = type_(2) * by_hat if hat[j] > 0 else type_(0)
                d_out[i, j] = d_out[i, j] * hat[j] + strength * w[i, j]
            for d in range(dim):
                at, total = u[i, d], type_(0)
                for j in range(columns):
                    move = pull[j] * (at - v[d, j])
                    total -= move
                    chunk_part[d, j] += move
                d_u[i, d] = total


def effective_gradient(
    w: Float,
    u: Float,
    v: Float,
    d_out: Float,
    lambda_2: float,
    lambda_s: float,
    d_u: Float,
    d_v: Float,
) -> None:
    """Gradient of ``loss(W * K) + lambda_2 / 2 * |W|^2 + lambda_s / 2 * |K|^2``.

    Args:
        w: float (rows, columns), W.
        u: float (rows, dim).
        v: float (dim, columns).
        d_out: float (rows, columns), d loss / d (W * K); overwritten by the gradient by W.
        lambda_2: Strength of the penalty on W.
        lambda_s: Strength of the penalty on K.
        d_u: float (rows, dim), overwritten.
        d_v: float (dim, columns), overwritten.
    """
    part = np.zeros((CHUNKS, u.shape[1], w.shape[1]), dtype=w.dtype)
    _effective_gradient(w, u, v, d_out, lambda_2, lambda_s, d_u, part)
    d_v[:] = 0
    for chunk in range(CHUNKS):
        d_v += part[chunk]
