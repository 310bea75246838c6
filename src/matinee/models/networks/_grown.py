"""``Grown``: known users who have rated further items since training.

A stored code is of the ratings of training (``StoredCodes``). Where a user has rated further items,
the prediction is that of fold-in from all ratings, plus what the stored code added to fold-in from
the ratings of training: without this a single new rating would take the code's gain away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Int64
from ...data import Histories


@dataclass(frozen=True, eq=False)
class Grown:
    """Users whose ratings are those of training and others.

    Attributes:
        rows: int64 (n,), their rows in the histories that they were found in, ascending.
        weight: float32 (n,), what the difference by the stored code counts for: the share of their
            ratings that it was fitted to.
        before: Their ratings of training, in this order.
    """

    rows: Int64
    weight: Float32
    before: Histories

    @classmethod
    def of(cls, rows: Int64, histories: Histories, trained: Histories) -> Grown:
        """Those among some rows of histories.

        A user who no longer has an item of training is not among them: what was taken back must
        not be used.

        Args:
            rows: int64, ascending.
            histories: The users with their present ratings.
            trained: The ratings of training of all users.
        """
        if not len(rows):
            return cls(rows, np.empty(0, dtype=np.float32), histories.take(rows))
        before, now = trained.take(histories.users[rows]), histories.take(rows)
        shared, unchanged = _common(before, now)
        kept = shared == before.counts
        weight = (unchanged / np.maximum(now.counts, 1)).astype(np.float32)
        return cls(rows[kept], weight[kept], before.take(np.flatnonzero(kept)))


def _common(before: Histories, now: Histories) -> tuple[Int64, Int64]:
    """How many items of each user are in both, and how many of them with the same rating."""
    keys = []
    for each in (before, now):
        row = np.repeat(np.arange(len(each), dtype=np.int64), each.counts)
        keys.append((row << 32) + each.items)
    at = np.searchsorted(keys[1], keys[0])  # items ascend within a user, so the keys ascend
    at = np.minimum(at, max(len(keys[1]) - 1, 0))
    here = keys[1][at] == keys[0] if len(keys[1]) else np.zeros(len(keys[0]), dtype=bool)
    same = here & (now.values[at] == before.values) if len(keys[1]) else here
    user = keys[0] >> 32
    counts = [np.bincount(user[mask], minlength=len(before)) for mask in (here, same)]
    return counts[0], counts[1]
