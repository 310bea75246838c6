"""Ratings that fall with time, by a known formula."""

from __future__ import annotations

import numpy as np

from matinee.data import Ratings
from matinee.data.ratings import Scale

DAY = 86_400


def drifting(per_log_day: float = -0.2, new: float = -0.5, *, seed: int = 0) -> Ratings:
    """Ratings of 300 people over 400 days, half of whom come back once.

    Args:
        per_log_day: What a rating of the second visit is moved by, per log(1 + days between).
        new: What the ratings of people are moved by whose first visit is after day 100; people of
            the first 100 days are not.
        seed: Seeds all that is random.
    """
    rng = np.random.default_rng(seed)
    people, items, each = 300, 60, 12
    first = np.sort(rng.integers(0, 400, people))
    level = 3.5 + 0.3 * rng.standard_normal(people) + np.where(first > 100, new, 0.0)
    quality = 0.4 * rng.standard_normal(items)
    rows = []
    for person in range(people):
        chosen = rng.permutation(items)[: 2 * each]
        visits = [(first[person], chosen[:each], 0.0)]
        if person % 2:
            later = int(rng.integers(5, 200))
            visits.append((first[person] + later, chosen[each:], per_log_day * np.log1p(later)))
        for day, some, moved in visits:
            for item in some:
                rating = level[person] + quality[item] + moved + 0.5 * rng.standard_normal()
                second = day * DAY + int(rng.integers(0, 3600))
                rows.append((person, item, rating, second))
    users, rated, values, times = (np.array(column) for column in zip(*rows, strict=True))
    scale = Scale(-2.0, 8.0)
    return Ratings.from_arrays(users, rated, values, times.astype(np.int64), scale=scale)
