"""``ItemStatistics``: what training says of each item, for the metrics beyond accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...data import Histories

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """Who has which item, by item.

    Attributes:
        indptr: int64 (n_items + 1,).
        people: int32 (entries,), who has each item.
        n_people: People with at least one item.
        rows: Length of the vectors: ``people`` are below it.
    """

    indptr: Int64
    people: Int32
    n_people: int
    rows: int

    @classmethod
    def of(cls, histories: Histories, n_items: int) -> ItemStatistics:
        """The statistics of training histories."""
        counts = np.bincount(histories.items, minlength=n_items)
        indptr = np.zeros(n_items + 1, dtype=np.int64)
        np.cumsum(counts, out=indptr[1:])
        who = np.repeat(np.arange(len(histories), dtype=np.int32), histories.counts)
        order = np.argsort(histories.items, kind="stable")
        return cls(indptr, who[order], int((histories.counts > 0).sum()), len(histories))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def counts(self) -> Int64:
        """Training interactions per item, int64 (n_items,)."""
        return np.diff(self.indptr)

    @property
    def information(self) -> Float64:
        """-log2 of the share of people who have each item, float64 (n_items,), in bits.

        An item that nobody has counts as if one person had it.
        """
        found: Float64 = np.log2(max(self.n_people, 1) / np.maximum(self.counts, 1))
        return found

    def mean_counts(self, histories: Histories) -> Float64:
        """Mean training interactions of each person's items, float64; NaN for one with none."""
        sizes = histories.counts
        who = np.repeat(np.arange(len(histories)), sizes)
        sums = np.bincount(who, self.counts[histories.items], minlength=len(histories))
        return np.where(sizes > 0, sums / np.maximum(sizes, 1), np.nan)

    def likeness_cost(self, lists: int, k: int) -> float:
        """Steps that the likeness within lists takes, about: items are listed as they are had."""
        counts = self.counts.astype(np.float64)
        total = counts.sum()
        return float(2 * lists * k * np.square(counts).sum() / total) if total else 0.0
