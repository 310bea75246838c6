"""Interest by RecVAE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ...base.arrays import Float32
from ...data import Histories
from ...train.lists import RecVaeWeights
from .base import Arrays, Interest, State


class RecVae(Interest):
    """A trained RecVAE; see ``matinee.train.lists``. Ratings are not used.

    Args:
        counts: float32 (items,), training users of each item.
        weights: The weights of the network.
    """

    name = "recvae"
    logits = True

    def __init__(self, counts: Float32, weights: RecVaeWeights) -> None:
        self.counts = counts
        self.weights = weights

    def _scores(self, histories: Histories) -> Float32:
        return self.weights.scores(histories.csr(len(self.counts)))

    def state(self) -> State:
        """See ``Interest``."""
        return dict(self.weights.arrays), {"name": self.name}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        return cls(counts, RecVaeWeights(dict(arrays)))
