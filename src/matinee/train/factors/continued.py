"""``Continued``: a factor model updated with new ratings.

With user codes c and item vectors v, a rating is v . c plus noise. The codes of all users, known
and new, are assumed normal with the mean and covariance of the known users' codes. A new user's
code is its posterior mean, in closed form, as in probabilistic principal component analysis
(Tipping & Bishop 1999). A known user's code is the mean of two: the posterior mean given all their
ratings, and their earlier code updated with the new ratings (as by a Kalman filter). Codes are
computed along the directions that affect predictions most, in units of their standard deviations.
Item vectors are updated by ridge regression on the residuals of the new ratings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Mask
from ...base.memory import count_codes
from ...data import Csr, group
from ..implicit.ials import gram_of
from .als import Side, solve_side
from .als_kernels import entry_scores

WIDTH = 64
"""Largest number of directions: on MovieLens-1M, 99.7% of the variance of predictions."""
NOISE = 0.25
"""Ridge of a user's equations, relative to the mean squared deviation from the items' means. Below
the noise variance, as codes are estimates, which vary less than the true values."""
HELD = 1500.0
"""Ridge penalty of the update of items, in ratings."""
RIDGE = 1e-6
"""Regularisation of the codes' covariance, relative to the mean of its diagonal."""
_NO_BIAS = 1e12
"""Ridge that suppresses user biases, which are part of the codes."""


@dataclass(frozen=True, eq=False)
class Continued:
    """Item vectors, from which any user's code can be computed.

    Attributes:
        items: Rating for the mean code, and vector, of each item.
        half: Half of each user's earlier code, float32 (users, width); 0 for new users.
        ridge: Ridge of a user's equations.
    """

    items: Side
    half: Float32
    ridge: float

    @classmethod
    def fit(
        cls,
        codes: Float32,
        users: Int32,
        table: Float64,
        base: Float64,
        known: Csr,
        new: Mask,
    ) -> Continued:
        """Fit item vectors after new ratings. Weights of ratings are not used.

        Args:
            codes: float32 (earlier users, k).
            users: Each user's row in ``codes``, int32 (users,); -1 for a new user.
            table: float64 (items, k), items' vectors; 0 for a new item.
            base: float64 (items,), added to the products.
            known: All ratings by user.
            new: Mask of the new ones, shape (entries,).
        """
        mean = codes.mean(axis=0)
        codes = codes - mean
        spread = gram_of(codes) / max(len(codes) - 1, 1)
        spread[np.diag_indices_from(spread)] += RIDGE * max(np.trace(spread) / len(spread), 1e-6)
        root = np.linalg.cholesky(spread)
        counts = count_codes(known.indices, known.n_columns)
        vectors = table @ root
        _, directions = np.linalg.eigh((vectors * counts[:, None]).T @ vectors)
        directions = directions[:, ::-1][:, :WIDTH]
        items = Side(
            (base + table @ mean).astype(np.float32),
            np.ascontiguousarray(vectors @ directions, np.float32),
        )
        old = users >= 0
        half = np.zeros((len(users), directions.shape[1]), dtype=np.float32)
        change = 0.5 * np.linalg.solve(root.T, directions).astype(np.float32)
        half[old] = (codes @ change)[users[old]]
        variance = float(np.square(known.values - items.bias[known.indices]).mean())
        start = cls(items, half, max(NOISE * variance, 1e-9))
        return start._with_moved_items(start.user_codes(known, new), known, new)

    def user_codes(self, known: Csr, new: Mask) -> Float32:
        """Compute codes of users, float32 (users, width).

        Args:
            known: Ratings by user.
            new: Mask of the new ones, shape (entries,).
        """
        # Both codes solve the same system, so their mean solves it for the mean right-hand side.
        baseline, none = self.items.bias, np.zeros_like(self.items.bias)
        change = known.values - self._scores(self.half, none, known)
        target = np.where(new, change, 0.5 * (known.values + baseline[known.indices]))
        codes = Side.zeros(known.n_rows, self.half.shape[1])
        ridges = self.ridge, 0.0, _NO_BIAS
        solve_side(known, target.astype(np.float32), self.items, codes, ridges)
        return self.half + codes.factors

    def _scores(self, codes: Float32, base: Float32, known: Csr) -> Float64:
        """Return predictions by codes at all entries."""
        nothing, out = np.zeros(known.n_rows, dtype=np.float32), np.empty(len(known.indices))
        entry_scores(known.entry_rows, known.indices, nothing, codes, base, self.items.factors, out)
        return out

    def _with_moved_items(self, codes: Float32, known: Csr, new: Mask) -> Continued:
        """Update the items with the new ratings, given users' codes."""
        before, moved = self.items, Side.zeros(known.n_columns, codes.shape[1])
        rest = (known.values - self._scores(codes, before.bias, known)).astype(np.float32)[new]
        people = known.entry_rows[new]
        by_item = group(known.indices[new], people, rest, known.n_columns, known.n_rows)
        nothing = np.zeros(known.n_rows, dtype=np.float32)
        solve_side(by_item, by_item.values, Side(nothing, codes), moved, (HELD, 0.0, HELD))
        items = Side(before.bias + moved.bias, before.factors + moved.factors)
        return replace(self, items=items)
