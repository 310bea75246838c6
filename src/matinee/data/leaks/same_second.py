"""``SameSecond``: information about a rating in the number of ratings of its second.

If a user's ratings of the same second differ from their others, a model with the times of the test
ratings as input predicts better than is possible in use: at the time of a request, the number of
ratings in that second is unknown. Times that were filled in or rounded for only some ratings have
the same effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float64
from ..ratings import Ratings

GROUPS = 4
"""Ratings of a user in the same second are counted as 1, 2, 3, or 4 and more."""
MUCH = 0.02
"""Share of explained variance that counts as large; docs/time-stamps.md has values."""


@dataclass(frozen=True)
class SameSecond:
    """Ratings by their user's number of ratings in the same second.

    Attributes:
        shared: Share of the ratings with another of the same user in the same second.
        explained: Share of the ratings' variance around user means that this number
            explains, minus the share expected by chance.
        counts: Numbers of ratings by 1, 2, 3, or 4 and more in the same second.
        means: Their mean ratings; None if empty.
    """

    shared: float
    explained: float
    counts: tuple[int, ...]
    means: tuple[float | None, ...]


def same_second(ratings: Ratings) -> SameSecond | None:
    """Measure how well a user's number of ratings in the same second predicts a rating.

    Returns:
        The measure; None for ratings without times.
    """
    if ratings.times is None or not len(ratings):
        return None
    order = np.lexsort((ratings.times, ratings.users))
    users, times = ratings.users[order], ratings.times[order]
    begins = np.append(True, (users[1:] != users[:-1]) | (times[1:] != times[:-1]))
    second = np.cumsum(begins) - 1
    together = np.minimum(np.bincount(second)[second], GROUPS) - 1
    values: Float64 = ratings.values[order].astype(np.float64)
    of_person = np.bincount(users, minlength=ratings.n_users)
    mean = np.bincount(users, values, minlength=ratings.n_users) / np.maximum(of_person, 1)
    deviation = values - mean[users]
    counts = np.bincount(together, minlength=GROUPS)
    sums = np.bincount(together, deviation, minlength=GROUPS)
    total = float(np.square(deviation).sum())
    explained_sum = float((np.square(sums) / np.maximum(counts, 1)).sum())
    residual_variance = (total - explained_sum) / max(len(values) - GROUPS, 1)
    chance = (int((counts > 0).sum()) - 1) * residual_variance
    means = np.bincount(together, values, minlength=GROUPS) / np.maximum(counts, 1)
    return SameSecond(
        shared=float(1.0 - counts[0] / len(values)),
        explained=max(explained_sum - chance, 0.0) / total if total else 0.0,
        counts=tuple(counts.tolist()),
        means=tuple(m if n else None for m, n in zip(means.tolist(), counts, strict=True)),
    )
