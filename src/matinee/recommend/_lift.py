"""A user's taste by groups of items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base.arrays import Array, Float64, Int64


def lifts(
    scores: Array,
    usual: Array,
    weights: Array,
    groups: Sequence[Int64],
) -> Float64:
    """Return the lift of item groups: how much more a user likes them than the average user does.

    The deviation of an item is the user's prediction minus the average user's. The lift of a group
    is its weighted mean deviation minus the weighted mean deviation over all items, so that a user
    who rates everything high has no lift.

    Args:
        scores: Unclipped predictions for the user, (n_items,).
        usual: Predictions for a user without a history, (n_items,).
        weights: Non-negative weight of each item, (n_items,).
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
