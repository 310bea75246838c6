"""Interest by a deep autoencoder with a loss over all items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ...base.arrays import Float32
from ...data import Histories
from ...train.lists import ListNetworkWeights
from .base import Arrays, Interest, State


class Network(Interest):
    """A trained list network; see ``matinee.train.lists``. Ratings are not used.

    Args:
        counts: float32 (items,), training users of each item.
        weights: The weights of the network.
    """

    name = "network"
    logits = True

    def __init__(self, counts: Float32, weights: ListNetworkWeights) -> None:
        self.counts = counts
        self.weights = weights

    def _scores(self, histories: Histories) -> Float32:
        return self.weights.scores(histories.csr(len(self.counts)))

    def state(self) -> State:
        """See ``Interest``."""
        weights = self.weights
        config = {
            "name": self.name,
            "activation": weights.activation,
            "residual": weights.residual,
            "latent": weights.latent,
        }
        return dict(weights.arrays), config

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        shape = (config["activation"], bool(config["residual"]), int(config["latent"]))
        return cls(counts, ListNetworkWeights(dict(arrays), *shape))
