"""Interest by a deep autoencoder with a loss over all items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ....base.arrays import Float32
from ....data import Csr
from ....train.lists import ListNetworkWeights, ListRun, ListsConfig
from ..base import Arrays, FittedWeights, Interest, State, users_of_items
from ..candidates import Candidate, OnEpoch
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

    seed = int(rng.integers(2**63))
    counts = users_of_items(part.known)

    def score(weights: ListNetworkWeights) -> float:
        return part.ndcg(Network(counts, weights))

    def run(rows: Csr, last: int | None, choose: bool = False) -> ListRun[ListNetworkWeights]:
        chosen = score if choose else None
        draw = np.random.default_rng(seed)
        return fit_list_network(rows, config.net, draw, last=last, score=chosen, on_epoch=on_epoch)

    first = run(part.known, None, config.net.choose_epoch)

    def fit(rows: Csr) -> Interest:
        return Network(users_of_items(rows), run(rows, first.epoch).weights)

    return Candidate(part, fit, Network(counts, first.weights))
