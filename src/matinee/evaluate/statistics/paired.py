"""Paired comparison of two settings over users and seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..metric import Interval
from ..metrics import ErrorSums
from .bootstrap import bootstrap, interval


@dataclass(frozen=True)
class Gain:
    """Difference in RMSE between two settings on the same ratings.

    Attributes:
        before: RMSE of the first, mean over its seeds.
        after: RMSE of the second, likewise.
        gain: ``before - after``: positive if the second is better.
        interval: 95% interval of the gain, paired over draws of users, and each on a
            draw of its seeds if it has several. None with fewer than two users.
        n: Ratings.
        n_users: Number of users.
        seeds: Number of models per setting.
    """

    before: float
    after: float
    gain: float
    interval: Interval | None
    n: int
    n_users: int
    seeds: int


def paired_gain(sums: ErrorSums, rng: np.random.Generator) -> Gain:
    """Compare two settings by bootstrap over users and seeds.

    Args:
        sums: Errors by user; the first half of the models are of one setting, the others of the
            other, equally many seeds of each.
        rng: Generator of the draws.

    Raises:
        ValueError: An odd number of models.
    """
    seeds, odd = divmod(sums.models, 2)
    if odd or not seeds:
        raise ValueError("give as many models of the one setting as of the other")
    rated = sums.take(sums.counts > 0)
    rmse = rated.rmse()
    before, after = float(rmse[:seeds].mean()), float(rmse[seeds:].mean())
    bounds = None
    if len(rated.counts) > 1:
        draws = bootstrap(rated, rng).rmse
        each = np.arange(len(draws))[:, None]
        first = draws[each, rng.integers(0, seeds, (len(draws), seeds))].mean(axis=1)
        second = draws[each, rng.integers(seeds, 2 * seeds, (len(draws), seeds))].mean(axis=1)
        bounds = interval(first - second)
    return Gain(before, after, before - after, bounds, rated.n, len(rated.counts), seeds)
