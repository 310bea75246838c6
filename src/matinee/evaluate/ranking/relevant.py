"""``Relevant``: the relevant test items of each user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Int32, Int64, row_bounds
from ...baseline.preference import liked_from
from ...data import Ratings, Scale, Vocabulary
from ...errors import DataError


def relevant_from(scale: Scale, test: Ratings) -> float:
    """Return the default threshold of relevance: three quarters up the scale, so 4 on 1 to 5.

    All interactions are relevant. Test ratings of a model of interactions, which has no scale of
    ratings, are judged by their own scale.
    """
    if test.implicit:
        return float(test.values.min())
    return liked_from(test.scale if scale.low == scale.high else scale)


@dataclass(frozen=True, eq=False)
class Relevant:
    """The test ratings of users with at least one relevant rating.

    Attributes:
        users: int64 (people,), codes in the user vocabulary of the test part, ascending.
        indptr: int64 (people + 1,).
        items: int32 (entries,), all known test items of a user, relevant
            or not, in the item codes of the model, ascending within a user.
        ratings: float32 (entries,), the test ratings, or weights of interactions.
        counts: int64 (people,), relevant items, including those unknown to the model: no list can
            contain them, but recall counts them.
        n_without: Users with test ratings but no relevant one, who are left out.
        n_unknown: Relevant test ratings of items that the model does not know.
        from_rating: The lowest relevant rating.
        implicit: Whether these are interactions, without a mean rating.
    """

    users: Int64
    indptr: Int64
    items: Int32
    ratings: Float32
    counts: Int64
    n_without: int
    n_unknown: int
    from_rating: float
    implicit: bool = False

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n(self) -> int:
        """Relevant test ratings."""
        return int(self.counts.sum())

    def per_item(self, n_items: int) -> Int64:
        """Return the number of relevant test ratings per item, int64 (n_items,)."""
        return np.bincount(self.items[self.ratings >= self.from_rating], minlength=n_items)

    @classmethod
    def of(cls, test: Ratings, item_ids: Vocabulary, from_rating: float) -> Relevant:
        """Collect the test ratings; those of at least ``from_rating`` are relevant.

        Raises:
            DataError: No test rating is relevant.
        """
        csr = test.by_user
        relevant = csr.values >= from_rating
        rows = csr.entry_rows
        counts = np.bincount(rows[relevant], minlength=csr.n_rows)
        users = np.flatnonzero(counts)
        if len(users) == 0:
            raise DataError(
                f"{test.name}: no test rating is {from_rating:g} or more, so no list can be "
                "scored. Choose what counts as relevant with --relevant (relevant=...)"
            )
        codes = item_ids.encode(test.item_ids.ids)[csr.indices]
        known = np.flatnonzero((counts[rows] > 0) & (codes >= 0))
        known = known[np.lexsort((codes[known], rows[known]))]
        indptr = row_bounds(np.bincount(rows[known], minlength=csr.n_rows)[users])
        return cls(
            users=users.astype(np.int64),
            indptr=indptr,
            items=codes[known].astype(np.int32),
            ratings=csr.values[known],
            counts=counts[users].astype(np.int64),
            n_without=int((csr.counts > 0).sum()) - len(users),
            n_unknown=int((relevant & (codes < 0)).sum()),
            from_rating=float(from_rating),
            implicit=test.implicit,
        )

    def part(self, start: int, stop: int) -> tuple[Int64, Int32, Float32, Int64]:
        """Return indptr, items, ratings and counts of consecutive users."""
        first, last = self.indptr[start], self.indptr[stop]
        indptr = self.indptr[start : stop + 1] - first
        counts = self.counts[start:stop]
        return indptr, self.items[first:last], self.ratings[first:last], counts
