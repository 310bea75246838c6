"""A weighted sum of scorers of interest, standardised for each user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

import numpy as np

from ...base.arrays import Arrays, Float32, Mask, State, without_prefix
from ...data import Csr, Histories
from .base import Interest, restore_interest


class Blend(Interest):
    """A weighted sum of scores, each divided by its root mean square over a user's items.

    Args:
        counts: float32 (items,), training users of each item.
        parts: The scorers.
        weights: Weight of each.
    """

    name = "blend"

    def __init__(
        self, counts: Float32, parts: Sequence[Interest], weights: Sequence[float]
    ) -> None:
        self.counts = counts
        self.parts = tuple(parts)
        self.weights = tuple(weights)

    def _scores(self, histories: Histories) -> Float32:
        total = np.zeros((len(histories), len(self.counts)), dtype=np.float32)
        for part, weight in zip(self.parts, self.weights, strict=True):
            total += standardised(part.scores(histories), weight)
        return total

    def refitted(self, rows: Csr) -> Blend | None:
        """See ``Interest``; None if a part cannot be refitted."""
        refits = [part.refitted(rows) for part in self.parts]
        parts = [part for part in refits if part is not None]
        return Blend(parts[0].counts, parts, self.weights) if len(parts) == len(refits) else None

    def without(self, kept: Mask) -> Blend:
        """See ``Interest``."""
        fewer = copy(self)
        fewer.parts = tuple(part.without(kept) for part in self.parts)
        return fewer

    def state(self) -> State:
        """See ``Interest``."""
        arrays, configs = {}, []
        for at, part in enumerate(self.parts):
            part_arrays, config = part.state()
            arrays.update({f"part.{at}.{name}": array for name, array in part_arrays.items()})
            configs.append(config)
        return arrays, {"name": self.name, "weights": list(self.weights), "parts": configs}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        parts = [
            restore_interest(counts, without_prefix(f"part.{at}.", arrays), part_config)
            for at, part_config in enumerate(config["parts"])
        ]
        return cls(counts, parts, config["weights"])


def standardised(scores: Float32, weight: float = 1.0) -> Float32:
    """Divide scores (people, items) by each user's root mean square, times a weight, in place."""
    # No array of squares: with many items memory access dominates.
    size = np.sqrt(np.einsum("ij,ij->i", scores, scores) / scores.shape[1])
    scores *= (weight / np.maximum(size, 1e-12)).astype(np.float32)[:, None]
    return scores
