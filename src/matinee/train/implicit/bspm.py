"""Blurring and sharpening of interactions: BSPM (Choi et al. 2023) and GF-CF (Shen et al. 2021).

With R the interactions (users, items), all 1 or weights of mean 1, D_u and D_i the diagonal sums of
R over users and over items, N = D_u^(-1/2) R D_i^(-1/2), P = N'N and V the leading right singular
vectors of N, the scores of a known or new user with interactions r are

    y = blur r P + low_pass r D_i^(-1/2) V V' D_i^(1/2)
    scores = y (I - sP + (sP)^2 / 2 - (sP)^3 / 6 + (sP)^4 / 24)

where the last factor is one Runge-Kutta step of dS/dt = -SP over the time s. P, an item-by-item
matrix, is never formed: a product with it is one with N and one with N'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Float32
from ...data import Csr
from .config import BspmConfig

_SEED = 20261129
_EXTRA = 32
"""Additional vectors of the subspace, as the last ones converge slowly."""
_ITERATIONS = 3
_NULL = 1e-6
"""Squared singular values relative to the largest that count as 0 at working precision."""
_ORDER = 4
"""Order of the Runge-Kutta step."""
_CELLS = 1 << 24
"""Values of training users x scored users held in memory (64 MiB)."""


@dataclass(frozen=True, eq=False)
class BspmFilter:
    """Blurs and sharpens the interactions of users.

    Attributes:
        vectors: float32 (items, vectors), V.
        root: float32 (items,), the square root of D_i.
        rows: float32 CSR (users, items), N; None if blur and sharpening are 0.
        config: The options.
    """

    vectors: Float32
    root: Float32
    rows: Any
    config: BspmConfig

    def scores(self, rows: Csr) -> Float32:
        """Return scores of all items, float32 (users, items).

        Args:
            rows: Interactions by user, weighted as in training.
        """
        people = rows.scipy(rows.entry_weights)
        size = rows.n_rows if self.rows is None else max(1, _CELLS // self.rows.shape[0])
        if rows.n_rows <= size:
            return self._of_batch(people)
        scores = np.empty(people.shape, dtype=np.float32)
        for first in range(0, rows.n_rows, size):
            scores[first : first + size] = self._of_batch(people[first : first + size])
        return scores

    def _of_batch(self, people: Any) -> Float32:
        """Compute ``scores`` of a batch of users, float32 CSR (users, items)."""
        from scipy import sparse

        config = self.config
        low = (people @ sparse.diags(_inverse(self.root)) @ self.vectors).astype(np.float32)
        if self.rows is None:
            scores: Float32 = low @ self.vectors.T
            scores *= np.float32(config.low_pass) * self.root
            return scores
        # By items: a sparse matrix times a dense one then reads and writes whole rows of people.
        columns = self.vectors @ low.T
        columns *= (np.float32(config.low_pass) * self.root)[:, None]
        if config.blur:
            by_user = (self.rows @ people.T).toarray()
            by_user *= np.float32(config.blur)
            columns += self.rows.T @ by_user
        term = columns
        for order in range(1, _ORDER + 1 if config.sharpen else 1):
            term = self.rows.T @ (self.rows @ term)
            term *= np.float32(-config.sharpen / order)
            columns = columns + term
        return np.ascontiguousarray(columns.T, dtype=np.float32)


def fit_bspm(rows: Csr, config: BspmConfig) -> BspmFilter:
    """Fit the filters to the interactions of users.

    Interactions have weights of mean 1 or none; their values are not read.
    """
    root = np.sqrt(rows.column_weights.astype(np.float32))
    by_user = _inverse(np.sqrt(rows.row_weights).astype(np.float32))
    data = np.repeat(by_user, rows.counts) * _inverse(root)[rows.indices]
    if rows.weights is not None:
        data *= rows.weights
    matrix = rows.scipy(data)
    needed = config.blur > 0.0 or config.sharpen > 0.0
    vectors = leading_vectors(matrix, config.singular_vectors)
    return BspmFilter(vectors, root, matrix if needed else None, config)


def leading_vectors(matrix: Any, number: int) -> Float32:
    """Return the leading right singular vectors, float32 (columns, vectors).

    Computed by subspace iteration from a fixed random basis (Halko, Martinsson and Tropp 2011).
    There are fewer vectors than requested if the rank is lower.

    Args:
        matrix: float32 CSR (rows, columns).
        number: Number of vectors.
    """
    rng = np.random.default_rng(_SEED)
    width = min(number + _EXTRA, *matrix.shape)
    basis = rng.standard_normal((matrix.shape[1], width)).astype(np.float32)
    by_column = matrix.T.tocsr()
    for _ in range(_ITERATIONS):
        left, _ = np.linalg.qr(matrix @ basis)
        basis, _ = np.linalg.qr(by_column @ left)
    image = (matrix @ basis).astype(np.float64)
    squares, inner = np.linalg.eigh(image.T @ image)
    order = np.argsort(-squares)[:number]
    order = order[squares[order] > _NULL * squares.max(initial=0.0)]
    return np.asarray(basis @ inner[:, order].astype(np.float32), dtype=np.float32)


def _inverse(root: Float32) -> Float32:
    """Return the reciprocal of each entry, and 0 for 0."""
    return np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
