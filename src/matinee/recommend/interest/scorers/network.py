"""Interest by a deep autoencoder with a loss over all items."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import numpy as np

from ....base.arrays import Arrays, Float32, State
from ....train.lists import ListNetworkWeights, ListsConfig
from ..base import FittedWeights, Interest
from ..candidates import Candidate, OnEpoch, trained_twice
from ..held_out import HeldOut


class Network(FittedWeights, Interest):
    """A trained list network; see ``matinee.train.lists``."""

    name = "network"
    of_items = ("table", "output", "output_bias")
    logits = True
    weights: ListNetworkWeights

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


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """Return the candidate of the network; epochs of both trainings are reported."""
    from ....train.lists import fit_list_network  # imports torch

    train = partial(fit_list_network, config=config.net, on_epoch=on_epoch)
    return trained_twice(part, Network, train, rng, choose=config.net.choose_epoch)
