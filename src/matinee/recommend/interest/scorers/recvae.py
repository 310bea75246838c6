"""Interest by RecVAE."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import numpy as np

from ....base.arrays import Arrays, Float32, State
from ....train.lists import ListsConfig, RecVaeWeights
from ..base import FittedWeights, Interest
from ..candidates import Candidate, OnEpoch, trained_twice
from ..held_out import HeldOut


class RecVae(FittedWeights, Interest):
    """A trained RecVAE; see ``matinee.train.lists``."""

    name = "recvae"
    of_items = ("weight.0", "output", "output_bias")
    logits = True
    weights: RecVaeWeights

    def state(self) -> State:
        """See ``Interest``."""
        return dict(self.weights.arrays), {"name": self.name}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        return cls(counts, RecVaeWeights(dict(arrays)))


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """Return the candidate of RecVAE, with the best round on the held-out interactions."""
    from ....train.lists import fit_recvae  # imports torch

    train = partial(fit_recvae, config=config.recvae, on_epoch=on_epoch)
    return trained_twice(part, RecVae, train, rng)
