"""Sums over users, from which list metrics and their intervals are computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float64, Int64
from ...errors import checked_seed
from ..statistics.bootstrap import RESAMPLES, resample


@dataclass(frozen=True, eq=False)
class ListTotals:
    """Sums over users at one cutoff: of all users, of some, or of each of many resamples.

    Attributes:
        people: Number of users, float64, shape (..., 1).
        sums: By name of the summand, float64, shape (..., models).
        exposure: How often each item was listed, int64, shape (models, n_items); None for resamples
            and subsets of the users.
    """

    people: Float64
    sums: dict[str, Float64]
    exposure: Int64 | None = None

    def mean(self, summand: str) -> Float64:
        """Return the mean over users, float64, shape (..., models)."""
        return self.sums[summand] / self.people

    def ratio(self, above: str, below: str) -> Float64:
        """Divide a sum by another; NaN where that is 0."""
        with np.errstate(invalid="ignore", divide="ignore"):
            quotient: Float64 = self.sums[above] / self.sums[below]
        return np.where(self.sums[below] != 0, quotient, np.nan)

    def missing(self) -> Float64:
        """Return NaN in the shape of a metric."""
        return np.full_like(self.sums["hits"], np.nan)


@dataclass(frozen=True, eq=False)
class ListSums:
    """Sums of each user's metrics at one cutoff, by model.

    Attributes:
        k: The cutoff.
        values: By name of the summand, float64, shape (people, models).
        exposure: How often each item was listed, int64, shape (models, n_items).
        item_hits: How often each item was listed for a user to whom it is relevant, likewise.
    """

    k: int
    values: dict[str, Float64]
    exposure: Int64
    item_hits: Int64

    @classmethod
    def zeros(
        cls, k: int, summands: Iterable[str], people: int, models: int, n_items: int
    ) -> ListSums:
        """Return zero sums."""
        return cls(
            k,
            {name: np.zeros((people, models)) for name in summands},
            np.zeros((models, n_items), dtype=np.int64),
            np.zeros((models, n_items), dtype=np.int64),
        )

    @property
    def n_people(self) -> int:
        """Number of people."""
        return len(self.values["hits"])

    def take(self, people: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> ListTotals:
        """Return the totals of some users, by positions or a mask."""
        some = {name: each[people] for name, each in self.values.items()}
        count = np.array([len(some["hits"])], dtype=np.float64)
        return ListTotals(count, {name: each.sum(axis=0) for name, each in some.items()})

    def totals(self) -> ListTotals:
        """Return the totals of all users."""
        sums = {name: each.sum(axis=0) for name, each in self.values.items()}
        return ListTotals(np.array([self.n_people], dtype=np.float64), sums, self.exposure)

    def resamples(self, seed: int, resamples: int = RESAMPLES) -> ListTotals | None:
        """Return the totals of bootstrap draws of users, each of shape (resamples, models).

        One seed draws the same users at every cutoff. None with fewer than two users.
        """
        if self.n_people < 2:
            return None
        columns = np.hstack([np.ones((self.n_people, 1)), *self.values.values()])
        drawn = resample(columns, np.random.default_rng(checked_seed(seed)), resamples)
        each = np.split(drawn[:, 1:], len(self.values), axis=1)
        return ListTotals(drawn[:, :1], dict(zip(self.values, each, strict=True)))
