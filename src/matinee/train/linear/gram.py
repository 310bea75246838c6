"""Interactions as a sparse matrix, and the weighted Gram matrices of its two sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Array, Float32, Float64
from ...data import Csr
from .config import LinearConfig
from .invert import mirror
from .kernels import add_gram

_DENSE_CELLS = 1 << 25
"""Cells of a block of users that is made dense for a Gram matrix (256 MiB as float64)."""
_BLAS_GAIN = 100.0
"""Approximate speed of a multiplication in BLAS relative to a sparse product."""


@dataclass(frozen=True, eq=False)
class Interactions:
    """Interactions by user, and the weight of each user.

    Attributes:
        matrix: float32 CSR (users, items); an entry is the strength of an interaction, mostly 1.
        weights: float64 (users,), the weight of each user; see ``LinearConfig.user_power``.
    """

    matrix: Any
    weights: Float64

    @property
    def shape(self) -> tuple[int, int]:
        """Users and items."""
        users, items = self.matrix.shape
        return int(users), int(items)

    def weighted(self) -> Any:
        """Return rows times the roots of their weights, float64 CSR (users, items)."""
        scaled = self.matrix.astype(np.float64)
        scaled.data *= np.repeat(np.sqrt(self.weights), np.diff(scaled.indptr))
        return scaled

    @cached_property
    def diagonal(self) -> Float64:
        """The diagonal of the items' weighted Gram matrix, float64 (items,)."""
        scaled = self.weighted()
        squares = np.bincount(scaled.indices, np.square(scaled.data), minlength=self.shape[1])
        return np.asarray(squares, dtype=np.float64)

    def gamma(self, config: LinearConfig) -> Float64:
        """Return what is added to the diagonal, Gamma of ``solve.py``, float64 (items,)."""
        odds = config.denoising / (1.0 - config.denoising)
        return self.diagonal * odds + config.penalty


def interactions(rows: Csr, user_power: float = 0.0, values: Float32 | None = None) -> Interactions:
    """Build the interactions of users.

    Args:
        rows: Entries by user. Their values are not read: each entry is an interaction.
        user_power: See ``LinearConfig.user_power``.
        values: Strength of each entry, float32 (entries,); 1 by default.
    """
    matrix = rows.scipy(np.ones(len(rows.indices), dtype=np.float32) if values is None else values)
    counts = rows.counts.astype(np.float64)
    weights = np.maximum(counts, 1.0) ** -user_power
    total = float(weights @ counts)
    return Interactions(matrix, weights * (counts.sum() / total) if total else weights)


def gram(matrix: Any, dtype: npt.DTypeLike = np.float64) -> Array:
    """Compute ``matrix.T @ matrix`` of a sparse matrix as a dense array (columns, columns).

    If the result is mostly dense, blocks of rows are made dense and multiplied by BLAS; otherwise
    the product is sparse.
    """
    from scipy import sparse

    n_rows, n_columns = matrix.shape
    sparse_cost = float(np.square(np.diff(matrix.indptr).astype(np.float64)).sum())
    dense_cost = float(n_rows) * n_columns * n_columns / _BLAS_GAIN
    gram = np.zeros((n_columns, n_columns), dtype=dtype)
    if sparse_cost < dense_cost:
        ordered = matrix if matrix.has_sorted_indices else matrix.sorted_indices()
        pattern = np.arange(len(ordered.data)), ordered.indices, ordered.indptr
        at = sparse.csr_matrix(pattern, shape=matrix.shape).tocsc()  # positions of the entries
        data = ordered.data.astype(np.float64, copy=False)
        add_gram(at.indptr, at.data, at.indices, ordered.indptr, ordered.indices, data, gram)
        mirror(gram)
        return gram
    size = max(1, _DENSE_CELLS // max(n_columns, 1))
    for start in range(0, n_rows, size):
        block = matrix[start : start + size].toarray().astype(dtype, copy=False)
        gram += block.T @ block
    return gram
