"""``ItemStatistics``: popularity and co-occurrence of items, for metrics beyond accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float64, Int32, Int64, row_bounds
from ...data import Histories
from .kernels import similarity


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """The users of each item, and their number.

    Attributes:
        counts: Training interactions per item, int64 (n_items,).
        n_people: People with at least one item.
        indptr: int64 (n_items + 1,); all 0 if the users of each item are unknown, and then there is
            no diversity.
        people: int32 (entries,), the users of each item.
        rows: Upper bound of ``people``, the length of the item vectors.
    """

    counts: Int64
    n_people: int
    indptr: Int64
    people: Int32
    rows: int

    @classmethod
    def of(cls, histories: Histories, n_items: int) -> ItemStatistics:
        """Compute the statistics of training histories."""
        counts = np.bincount(histories.items, minlength=n_items)
        indptr = row_bounds(counts)
        person = np.repeat(np.arange(len(histories), dtype=np.int32), histories.counts)
        order = np.argsort(histories.items, kind="stable")
        n_people = int((histories.counts > 0).sum())
        return cls(counts.astype(np.int64), n_people, indptr, person[order], len(histories))

    @classmethod
    def of_counts(cls, counts: Int64, n_people: int) -> ItemStatistics:
        """Make statistics from only the number of users of each item."""
        return cls(counts, n_people, np.zeros(len(counts) + 1, np.int64), np.empty(0, np.int32), 0)

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def information(self) -> Float64:
        """-log2 of the share of users who have each item, float64 (n_items,), in bits.

        An item without users counts as if it had one.
        """
        return np.log2(max(self.n_people, 1) / np.maximum(self.counts, 1))

    def mean_counts(self, histories: Histories) -> Float64:
        """Return mean training interactions of each user's items, float64; NaN without items."""
        sizes = histories.counts
        rated = self.counts[histories.items]
        sums = np.bincount(histories.entry_rows, rated, minlength=len(histories))
        return np.where(sizes > 0, sums / np.maximum(sizes, 1), np.nan)

    def similarity(self, lists: Int32) -> Float64:
        """Sum the cosines between all pairs among the first 1, 2, ... items of each list.

        Returns:
            float64 (lists, k).
        """
        sums = np.empty(lists.shape)
        similarity(lists, self.indptr, self.people, self.rows, sums)
        return sums

    def similarity_cost(self, lists: int, k: int) -> float:
        """Estimate the steps of ``similarity``, if items are listed in proportion to counts."""
        counts = self.counts.astype(np.float64)
        total = counts.sum()
        return float(2 * lists * k * np.square(counts).sum() / total) if total else 0.0
