"""Interest by RecVAE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ....base.arrays import Float32
from ....data import Csr
from ....train.lists import ListsConfig, RecVaeWeights
from ..base import Arrays, FittedWeights, Interest, State, users_of_items
from ..candidates import Candidate, OnEpoch
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

    seed = int(rng.integers(2**63))
    counts = users_of_items(part.known)

    def score(weights: RecVaeWeights) -> float:
        return part.ndcg(RecVae(counts, weights))

    draw = np.random.default_rng(seed)
    first = fit_recvae(part.known, config.recvae, draw, score=score, on_epoch=on_epoch)

    def fit(rows: Csr) -> Interest:
        draw = np.random.default_rng(seed)
        run = fit_recvae(rows, config.recvae, draw, last=first.epoch, on_epoch=on_epoch)
        return RecVae(users_of_items(rows), run.weights)

    return Candidate(part, fit, RecVae(counts, first.weights))
