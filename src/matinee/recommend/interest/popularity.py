"""Interest by popularity: the number of users of each item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ...base.arrays import Float32
from ...data import Csr, Histories
from .base import Arrays, Interest, State


class Popularity(Interest):
    """Scores by the number of training users of each item.

    Args:
        counts: float32 (items,).
    """

    name = "popularity"

    def __init__(self, counts: Float32) -> None:
        self.counts = counts

    def _scores(self, histories: Histories) -> Float32:
        return np.repeat(self.counts[None, :], len(histories), axis=0)

    def refitted(self, rows: Csr) -> Popularity:
        """See ``Interest``."""
        counts = np.bincount(rows.indices, minlength=rows.n_columns)
        return Popularity(counts.astype(np.float32))

    def state(self) -> State:
        """See ``Interest``."""
        return {}, {"name": self.name}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        return cls(counts)
