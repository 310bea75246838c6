"""Interest by matrix factorisation of interactions (iALS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ....base.arrays import Arrays, Float32, State
from ....data import Csr
from ....errors import ModelFileError
from ....train.implicit import IalsConfig, ItemFactors, fit_ials
from ....train.lists import ListsConfig
from ..base import FittedWeights, Interest, users_of_items
from ..candidates import Candidate, OnEpoch
from ..held_out import HeldOut

OPTIONS = ("ridge", "ridge_power", "unobserved")
"""The options that scores depend on, besides the fitted vectors."""


class Factors(FittedWeights, Interest):
    """Item vectors, and user vectors by one solve; see ``matinee.train.implicit``."""

    name = "ials"
    of_items = ("items",)
    weights: ItemFactors

    def state(self) -> State:
        """See ``Interest``."""
        weights = self.weights
        options = weights.config.model_dump(include=set(OPTIONS))
        return {"items": weights.items, "shared": weights.shared}, {"name": self.name, **options}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        options = IalsConfig.make({name: config[name] for name in OPTIONS})
        items, shared = arrays["items"], arrays["shared"]
        if shared.shape != items.shape[1:]:
            raise ModelFileError(f"{cls.name}: items and shared are not of the same factors")
        return cls(counts, ItemFactors(items, shared, options))


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """See ``matinee.recommend.interest.scorers``."""
    return ials(part, config.ials, rng)


def ials(part: HeldOut, config: IalsConfig, rng: np.random.Generator) -> Candidate:
    """Return the candidate of iALS."""
    seed = int(rng.integers(2**63))

    def fit(rows: Csr) -> Interest:
        return Factors(users_of_items(rows), fit_ials(rows, config, np.random.default_rng(seed)))

    return Candidate(part, fit)
