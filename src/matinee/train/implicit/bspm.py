"""Blurring and sharpening of interactions: BSPM (Choi et al. 2023) and GF-CF (Shen et al. 2021).

With R the interactions (users, items), all 1 or weights of mean 1, D_u and D_i the diagonal sums of
R over users and over items, N = D_u^(-1/2) R D_i^(-1/2), P = N'N and V the leading right singular
vectors of N, the interactions r of a person, known or new, score

    y = blur r P + low_pass r D_i^(-1/2) V V' D_i^(1/2)
    scores = y (I - sP + (sP)^2 / 2 - (sP)^3 / 6 + (sP)^4 / 24)

where the last factor is one Runge-Kutta step of dS/dt = -SP over the time s. P, which has a row and
a column for each item, is never formed: a product with it is one with N and one with N'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Float32
from ...data import Csr
from .bspm_config import BspmConfig

_SEED = 20261129
_EXTRA = 32
"""Further vectors of the subspace, of which the last converge slowly."""
_ITERATIONS = 3
_NULL = 1e-6
"""Squared singular values, over the largest, that are 0 to working precision."""
_ORDER = 4
"""Order of the Runge-Kutta step."""
_CELLS = 1 << 24
"""Numbers for training users x people in memory (64 MiB)."""


@dataclass(frozen=True, eq=False)
class BspmFilter:
    """Blurs and sharpens the interactions of people.

    Attributes:
        vectors: float32 (items, vectors), V.
        root: float32 (items,), the square root of D_i.
        rows: float32 CSR (users, items), N; None where blur and sharpening are 0.
        low_pass: See ``BspmConfig``.
        blur: See ``BspmConfig``.
        sharpen: See ``BspmConfig``.
    """

    vectors: Float32
    root: Float32
    rows: Any
    low_pass: float
    blur: float
    sharpen: float

    def scores(self, rows: Csr) -> Float32:
        """Scores of all items for people, float32 (people, items).

        Args:
            rows: Interactions by person, weighted as in training.
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
        """``scores`` of few enough people, float32 CSR (people, items)."""
        from scipy import sparse

        low = (people @ sparse.diags(_inverse(self.root)) @ self.vectors).astype(np.float32)
        if self.rows is None:
            scores: Float32 = low @ self.vectors.T
            scores *= np.float32(self.low_pass) * self.root
            return scores
        # By items: a sparse matrix times a dense one then reads and writes whole rows of people.
        columns = self.vectors @ low.T
        columns *= (np.float32(self.low_pass) * self.root)[:, None]
        if self.blur:
            near = (self.rows @ people.T).toarray()
            near *= np.float32(self.blur)
            columns += self.rows.T @ near
        term = columns
        for order in range(1, _ORDER + 1 if self.sharpen else 1):
            term = self.rows.T @ (self.rows @ term)
            term *= np.float32(-self.sharpen / order)
            columns = columns + term
        return np.ascontiguousarray(columns.T, dtype=np.float32)


def fit_bspm(rows: Csr, config: BspmConfig) -> BspmFilter:
    """Fit the filters to the interactions of people.

    Args:
        rows: Interactions by user, with weights of mean 1 or none; values are not read.
        config: The options.
    """
    root = np.sqrt(rows.column_weights.astype(np.float32))
    by_user = _inverse(np.sqrt(rows.row_weights).astype(np.float32))
    data = np.repeat(by_user, rows.counts) * _inverse(root)[rows.indices]
    if rows.weights is not None:
        data *= rows.weights
    matrix = rows.scipy(data)
    needed = config.blur > 0.0 or config.sharpen > 0.0
    return BspmFilter(
        leading_vectors(matrix, config.singular_vectors),
        root,
        matrix if needed else None,
        config.low_pass,
        config.blur,
        config.sharpen,
    )


def leading_vectors(matrix: Any, number: int) -> Float32:
    """Right singular vectors of the largest singular values, float32 (columns, vectors).

    By subspace iteration from a random basis (Halko, Martinsson and Tropp 2011), always the same
    one. There are fewer vectors than asked for where the rank is lower.

    Args:
        matrix: float32 CSR (rows, columns).
        number: How many vectors.
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
    """1 over each entry, and 0 for 0."""
    return np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
