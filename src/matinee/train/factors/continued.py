"""``Continued``: a factor model that goes on learning from new ratings.

Known people have codes c and items vectors v, so that a rating is v . c and noise. The codes of all
people, those who came since included, are taken to be normal, with the mean and the covariance that
those of known people have. A new person's code is then the mean of its posterior, in closed form,
as in probabilistic principal component analysis (Tipping & Bishop 1999). That of a known person is
the mean of two: of the posterior given all their ratings, and of the code that they had, updated
with their new ratings (as by a Kalman filter). Codes are computed along the directions in which
they move predictions most, in units of their standard deviations there.
Items' vectors are moved by what the new ratings say beyond them, by ridge regression.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Mask
from ...base.memory import count_codes
from ...data import Csr, group
from .als import Side
from .als_kernels import entry_scores, solve_rows

WIDTH = 64
"""Directions, at most: on MovieLens-1M they have 99.7% of the variance of predictions."""
NOISE = 0.25
"""Ridge of a person's equations, relative to the mean squared deviation from the items' means. Less
than the noise's, as codes are estimates and vary less than what they estimate."""
HELD = 1500.0
"""Ridge of what items are moved by, in ratings."""
RIDGE = 1e-6
"""Regularisation of the covariance of codes, relative to the mean of its diagonal."""
_NO_BIAS = 1e12
"""Ridge of people's biases, which their codes have."""


@dataclass(frozen=True, eq=False)
class Continued:
    """Items' vectors, with which anybody's code can be computed.

    Attributes:
        items: The rating by somebody with the mean code, and the vector, of each item.
        half: Half of the code that each person had, float32 (people, width); 0 for new people.
        ridge: Ridge of a person's equations.
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
        """Items' vectors after some new ratings. Weights of ratings are not used.

        Args:
            codes: float32 (earlier people, k).
            users: The position of each person among them, int32 (people,); -1 for a new person.
            table: float64 (items, k), items' vectors; 0 for a new item.
            base: float64 (items,), what is added to the products.
            known: All ratings by person.
            new: Which of them are new, shape (entries,).
        """
        mean = codes.mean(axis=0)
        codes = codes - mean
        spread = (codes.T @ codes).astype(np.float64) / max(len(codes) - 1, 1)
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
        return start._moved(start.people(known, new), known, new)

    def people(self, known: Csr, new: Mask) -> Float32:
        """Codes of people, float32 (people, width).

        Args:
            known: Ratings by person.
            new: Which of them are new, shape (entries,).
        """
        # Both codes solve the same equations, so their mean does with the mean of the right sides.
        usual, none = self.items.bias, np.zeros_like(self.items.bias)
        change = known.values - self._scores(self.half, none, known)
        target = np.where(new, change, 0.5 * (known.values + usual[known.indices]))
        wanted = Side.zeros(known.n_rows, self.half.shape[1])
        ridges = self.ridge, 0.0, _NO_BIAS
        _solve(replace(known, values=target.astype(np.float32)), self.items, ridges, wanted)
        return self.half + wanted.factors

    def _scores(self, codes: Float32, base: Float32, known: Csr) -> Float64:
        """Predictions by codes at all entries."""
        people = np.repeat(np.arange(known.n_rows), known.counts)
        nothing, out = np.zeros(known.n_rows, dtype=np.float32), np.empty(len(people))
        entry_scores(people, known.indices, nothing, codes, base, self.items.factors, out)
        return out

    def _moved(self, codes: Float32, known: Csr, new: Mask) -> Continued:
        """With items moved by the new ratings of people with some codes."""
        before, moved = self.items, Side.zeros(known.n_columns, codes.shape[1])
        rest = (known.values - self._scores(codes, before.bias, known)).astype(np.float32)[new]
        people = np.repeat(np.arange(known.n_rows, dtype=np.int32), known.counts)[new]
        by_item = group(known.indices[new], people, rest, known.n_columns, known.n_rows)
        nothing = np.zeros(known.n_rows, dtype=np.float32)
        _solve(by_item, Side(nothing, codes), (HELD, 0.0, HELD), moved)
        items = Side(before.bias + moved.bias, before.factors + moved.factors)
        return replace(self, items=items)


def _solve(rows: Csr, fixed: Side, ridges: tuple[float, float, float], wanted: Side) -> None:
    """``solve_rows``; the ridges are its ``ridge``, ``power`` and ``bias_ridge``."""
    values = rows.values.astype(np.float32, copy=False)
    found = wanted.bias, wanted.factors
    solve_rows(rows.indptr, rows.indices, values, fixed.bias, fixed.factors, *ridges, *found)
