"""Interest by popularity: the number of users of each item, or the sum of their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ....base.arrays import Arrays, Float32, State
from ....data import Csr, Histories
from ....train.lists import ListsConfig
from ..base import Interest, users_of_items
from ..candidates import Candidate, OnEpoch
from ..held_out import HeldOut


class Popularity(Interest):
    """Scores by the number of training users of each item, or the sum of their weights.

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
        return Popularity(users_of_items(rows))

    def state(self) -> State:
        """See ``Interest``."""
        return {}, {"name": self.name}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        return cls(counts)


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """See ``matinee.recommend.interest.scorers``."""
    return popularity(part)


def popularity(part: HeldOut) -> Candidate:
    """Return the candidate of popularity, with the same scores for all users."""
    return Candidate(part, lambda rows: Popularity(users_of_items(rows)))
