"""What a model sees in a person, by groups of items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float64, Int64


def lifts(
    scores: npt.NDArray[Any],
    usual: npt.NDArray[Any],
    weights: npt.NDArray[Any],
    groups: Sequence[Int64],
) -> Float64:
    """How much more a person is predicted to like groups of items than people on the whole do.

    A person's deviation is their prediction of an item less its usual one. A group's lift is the
    mean deviation in it less the mean deviation over all items, both weighted: a person who rates
    everything high has no lift anywhere.

    Args:
        scores: Unclipped predictions for the person, (n_items,).
        usual: Predictions for someone of no known taste, (n_items,).
        weights: How much each item counts, (n_items,), not negative.
        groups: The item codes of each group.

    Returns:
        float64 (groups,), in rating points; 0 for a group without weight.
    """
    deviation = np.asarray(scores, dtype=np.float64) - usual
    weight = np.asarray(weights, dtype=np.float64)
    everywhere = _mean(deviation, weight)
    return np.array(
        [_mean(deviation[group], weight[group], everywhere) - everywhere for group in groups]
    )


def _mean(values: Float64, weights: Float64, otherwise: float = 0.0) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total > 0 else otherwise
