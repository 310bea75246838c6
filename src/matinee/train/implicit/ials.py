"""Implicit alternating least squares (Hu et al. 2008; Rendle et al. 2021, arXiv 2110.14037)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Float, Float32, Float64, row_bounds
from ...data import Csr
from ...errors import TrainingError
from .config import IalsConfig
from .ials_kernels import improve_implicit, solve_implicit


@dataclass(frozen=True, eq=False)
class ItemFactors:
    """Item vectors, from which any user's vector follows by one solve.

    Attributes:
        items: float32 (items, factors), in the eigenbasis of their Gram matrix.
        shared: float64 (factors,), the eigenvalues times the unobserved weight.
        config: The options, of which ``ridge``, ``ridge_power`` and ``unobserved`` are read.
    """

    items: Float32
    shared: Float64
    config: IalsConfig

    def fold_in(self, rows: Csr) -> Float32:
        """Solve for vectors of users, float32 (users, factors).

        Args:
            rows: Interactions by user, weighted as in training.
        """
        ridge = ridges(rows.row_weights, len(self.items), self.config)
        return solved(rows, self.items, self.shared, ridge)

    def scores(self, rows: Csr) -> Float32:
        """Return scores of all items, float32 (users, items); ``rows`` as for ``fold_in``."""
        return self.fold_in(rows) @ self.items.T


def fit_ials(rows: Csr, config: IalsConfig, rng: np.random.Generator) -> ItemFactors:
    """Fit item vectors to the interactions of users.

    Args:
        rows: Interactions by user, with weights of mean 1 or none; values are not read.
        config: The options.
        rng: Draws the initial vectors.

    Raises:
        TrainingError: Vectors are no longer finite.
    """
    columns = transposed(rows)
    width = min(config.factors, max(rows.n_rows, rows.n_columns, 1))
    deviation = config.spread / np.sqrt(width)
    items = rng.normal(0.0, deviation, (rows.n_columns, width)).astype(np.float32)
    users = np.zeros((rows.n_rows, width), np.float32)
    user_ridge = ridges(rows.row_weights, rows.n_columns, config)
    item_ridge = ridges(columns.row_weights, rows.n_rows, config)
    user_steps, item_steps = steps_for(rows, config.steps), steps_for(columns, config.steps)
    for _ in range(config.sweeps):
        items, shared, basis = rotated(items, config.unobserved)
        users = solved(rows, items, shared, user_ridge, users @ basis, user_steps)
        users, shared, basis = rotated(users, config.unobserved)
        items = solved(columns, users, shared, item_ridge, items @ basis, item_steps)
    items, shared, _ = rotated(items, config.unobserved)
    return ItemFactors(items, shared, config)


def steps_for(rows: Csr, steps: int) -> int:
    """Return the steps, or 0 if exact solves cost less.

    A row of n entries takes n² * factors multiplications exactly, and n * factors times 4 for each
    pass over them.
    """
    return steps if len(rows.indices) > 4 * (steps + 1) * rows.n_rows else 0


def ridges(weights: Float64, other: int, config: IalsConfig) -> Float64:
    """Return the regularisation of each row from its total weight, float64 (rows,)."""
    seen = weights + config.unobserved * other
    return config.ridge * seen**config.ridge_power


def rotated(factors: Any, unobserved: float) -> tuple[Any, Float64, Any]:
    """Return vectors in their Gram matrix's eigenbasis, its weighted eigenvalues, and the basis.

    Raises:
        TrainingError: The vectors are not finite.
    """
    gram = gram_of(factors)
    if not np.isfinite(gram).all():
        raise TrainingError("iALS: vectors are no longer finite; raise ials.ridge")
    values, vectors = np.linalg.eigh(gram)
    basis = vectors.astype(factors.dtype)
    return factors @ basis, unobserved * np.maximum(values, 0.0), basis


def solved(
    rows: Csr, other: Any, shared: Float64, ridge: Float64, near: Any = None, steps: int = 0
) -> Any:
    """Solve for all rows' vectors given those of the other side, in the dtype of ``other``.

    Args:
        rows: Interactions by row.
        other: floating (n, factors), vectors of the other side; see ``rotated``.
        shared: float64 (factors,), from ``rotated``.
        ridge: float64 (rows,), from ``ridges``.
        near: floating (rows, factors), initial vectors.
        steps: Steps of conjugate gradients from ``near``; 0 to solve exactly.
    """
    kind = other.dtype
    solved = np.empty((rows.n_rows, other.shape[1]), dtype=kind) if near is None else near
    known = (
        rows.indptr.astype(np.int64, copy=False),
        rows.indices.astype(np.int32, copy=False),
        np.empty(0, kind) if rows.weights is None else rows.weights.astype(kind, copy=False),
        other,
        shared.astype(kind),
        ridge.astype(kind),
    )
    if steps:
        improve_implicit(*known, steps, solved)
    else:
        solve_implicit(*known, solved)
    return solved


def transposed(rows: Csr) -> Csr:
    """Return the same entries by column."""
    order = np.argsort(rows.indices, kind="stable")
    indptr = row_bounds(np.bincount(rows.indices, minlength=rows.n_columns))
    weights = None if rows.weights is None else rows.weights[order]
    return Csr(indptr, rows.entry_rows[order], rows.values[order], order, rows.n_rows, weights)


def gram_of(factors: Float) -> Float64:
    """Compute ``factors.T @ factors`` by blocks of rows, float64 (factors, factors)."""
    gram = np.zeros((factors.shape[1],) * 2)
    for start in range(0, len(factors), 4096):
        block = factors[start : start + 4096].astype(np.float64)
        gram += block.T @ block
    return gram
