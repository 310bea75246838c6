"""``Grown``: known users who have rated more items since training.

A stored code was fitted to the training ratings (``StoredCodes``). Once a user has rated more
items, the prediction is fold-in from all ratings, plus the gain of the stored code over fold-in
from the training ratings. Otherwise a single new rating would discard that gain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Int64
from ...base.memory import find_entries
from ...data import Histories


@dataclass(frozen=True, eq=False)
class Grown:
    """Users who have all their training ratings and further ones.

    Attributes:
        rows: int64 (n,), their rows in the histories, ascending.
        weight: float32 (n,), weight of the stored code's gain: the share of their ratings that the
            code was fitted to.
        before: Their training ratings, in this order.
    """

    rows: Int64
    weight: Float32
    before: Histories

    @classmethod
    def of(cls, rows: Int64, histories: Histories, trained: Histories) -> Grown:
        """Find such users among some rows of histories.

        Users without one of their training items are excluded: withdrawn ratings must not be used.

        Args:
            rows: int64, ascending.
            histories: The users with their current ratings.
            trained: The training ratings of all users.
        """
        if not len(rows):
            return cls(rows, np.empty(0, dtype=np.float32), histories.take(rows))
        before, now = trained.take(histories.users[rows]), histories.take(rows)
        shared, unchanged = _common(before, now)
        complete = shared == before.counts
        weight = (unchanged / np.maximum(now.counts, 1)).astype(np.float32)
        return cls(rows[complete], weight[complete], before.take(np.flatnonzero(complete)))


def _common(before: Histories, now: Histories) -> tuple[Int64, Int64]:
    """Count each user's items that are in both, and those of them with an equal rating."""
    user = before.entry_rows
    entries = find_entries(now.indptr, now.items, user, before.items)
    common = entries >= 0
    equal = np.append(now.values, np.float32(np.nan))[entries] == before.values
    counts = [np.bincount(user[mask], minlength=len(before)) for mask in (common, equal)]
    return counts[0], counts[1]
