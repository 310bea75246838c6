"""Interest by the nearest neighbours of items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ....base.arrays import Arrays, Float32, State
from ....data import Histories
from ....train.implicit import fit_item_knn
from ....train.lists import ListsConfig
from ..base import Interest, restored_sparse, sparse_state, users_of_items
from ..candidates import Candidate, OnEpoch
from ..held_out import HeldOut


class Neighbours(Interest):
    """Item-kNN; see ``matinee.train.implicit``. Ratings are not used.

    Args:
        counts: float32 (items,), training users of each item.
        similarity: float32 CSR (items, items); column j weights a history for item j.
    """

    name = "item-knn"

    def __init__(self, counts: Float32, similarity: Any) -> None:
        self.counts = counts
        self.similarity = similarity

    def _scores(self, histories: Histories) -> Float32:
        rows = histories.csr(len(self.counts))
        scores = (rows.scipy(np.sqrt(rows.entry_weights)) @ self.similarity).toarray()
        return np.asarray(scores, dtype=np.float32)

    def state(self) -> State:
        """See ``Interest``."""
        return sparse_state(self.similarity), {"name": self.name}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        return cls(counts, restored_sparse(arrays, len(counts)))


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """Return the candidate of item-kNN."""
    return Candidate(
        part, lambda rows: Neighbours(users_of_items(rows), fit_item_knn(rows, config.knn))
    )
