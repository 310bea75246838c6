"""``ListBatch``: the lists of a batch of users, from which metrics are computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...base.arrays import Float64, Int64, Mask


@dataclass(frozen=True, eq=False)
class ListBatch:
    """The lists of a batch of users, of ``depth`` items, with properties of the items.

    Attributes:
        hits: Whether each listed item is relevant, bool (people, depth).
        listed: Whether there is an item at this rank, bool (people, depth).
        relevant: Relevant items of each person, int64 (people,).
        rating: The test rating of each listed item, relevant or not, NaN for one without, float64
            (people, depth).
        count: Training interactions of each listed item, 0 for none, float64 (people, depth).
        information: -log2 of the share of training people who have the item, float64
            (people, depth), 0 for no item.
        similarity: Sum of the cosines between all pairs among the first items, float64
            (people, depth); NaN for users left out of the diversity.
        history_count: Mean training interactions of the items of a user's history, float64
            (people,); NaN for one without.
    """

    hits: Mask
    listed: Mask
    relevant: Int64
    rating: Float64
    count: Float64
    information: Float64
    similarity: Float64
    history_count: Float64

    @cached_property
    def hits_by(self) -> Int64:
        """Return cumulative hits, int64 (people, depth)."""
        return np.cumsum(self.hits, axis=1, dtype=np.int64)

    @cached_property
    def listed_by(self) -> Int64:
        """Return cumulative numbers of items, int64 (people, depth)."""
        return np.cumsum(self.listed, axis=1, dtype=np.int64)

    @cached_property
    def discount(self) -> Float64:
        """1 / log2(rank + 1), float64 (depth,)."""
        return 1.0 / np.log2(np.arange(2, self.hits.shape[1] + 2))

    def dcg(self, k: int) -> Float64:
        """Return the DCG with binary gains, float64 (people,)."""
        return self.hits[:, :k] @ self.discount[:k]

    def precision_sum(self, k: int) -> Float64:
        """Return the sum of the precisions at the ranks of hits, float64 (people,)."""
        at_rank = self.hits_by[:, :k] / np.arange(1, k + 1)
        return (at_rank * self.hits[:, :k]).sum(axis=1)

    def achievable(self, k: int) -> Int64:
        """Return min(k, |T|), int64 (people,)."""
        return np.minimum(self.relevant, k)
