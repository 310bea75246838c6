"""Interest by matrix factorisation of interactions (iALS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ...base.arrays import Float32
from ...data import Histories
from ...train.implicit import ItemFactors
from .base import Arrays, Interest, State


class Factors(Interest):
    """Vectors of items, and of a person by one solve; see ``matinee.train.implicit``.

    Ratings are not used.

    Args:
        counts: float32 (items,), training users of each item.
        weights: The fitted vectors.
    """

    name = "ials"

    def __init__(self, counts: Float32, weights: ItemFactors) -> None:
        self.counts = counts
        self.weights = weights

    def _scores(self, histories: Histories) -> Float32:
        return self.weights.scores(histories.indptr, histories.items)

    def state(self) -> State:
        """See ``Interest``."""
        weights = self.weights
        config = {
            "name": self.name,
            "ridge": weights.ridge,
            "ridge_power": weights.ridge_power,
            "unobserved": weights.unobserved,
        }
        return {"items": weights.items, "shared": weights.shared}, config

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        options = (float(config[name]) for name in ("ridge", "ridge_power", "unobserved"))
        return cls(counts, ItemFactors(arrays["items"], arrays["shared"], *options))
