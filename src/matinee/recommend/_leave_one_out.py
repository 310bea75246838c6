"""Explanations of predictions by leaving out each rating of the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..base.arrays import Array, Float64, Int32, Int64, row_bounds
from ..data import Histories
from .interest import Interest

Predict = Callable[[Histories, Int64, Int32], Float64]
"""Function from (histories, row and item of each prediction) to unclipped predictions (n,)."""

_ENTRIES = 1 << 20
"""Largest number of ratings or predictions in one call of the model."""


@dataclass(frozen=True, eq=False)
class Reasons:
    """Contributions of a user's ratings to predictions.

    For each item, ``prediction = baseline + sum of contributions + together``.

    Attributes:
        predictions: Unclipped predictions from all ratings, float64 (items,).
        baselines: Unclipped predictions without ratings, float64 (items,).
        contributions: float64 (items, ratings): the prediction minus the prediction without that
            rating, in the order of the history.
        together: float64 (items,): the remainder, from interactions between ratings.
    """

    predictions: Float64
    baselines: Float64
    contributions: Float64
    together: Float64

    def strongest(self, n: int) -> Int64:
        """Return positions of the largest absolute contributions, (items, at most n)."""
        order: Int64 = np.argsort(-np.abs(self.contributions), axis=1, kind="stable")
        return order[:, :n]


def reasons(
    predict: Predict,
    history: Histories,
    items: Array,
    baselines: Float64,
    predictions: Float64 | None = None,
) -> Reasons:
    """Compute leave-one-out contributions of every rating, in one batch.

    Args:
        predict: The model.
        history: The history of one user, with n ratings.
        items: Codes of the items to explain, shape (items,).
        baselines: Predictions for a user without ratings, shape (items,).
        predictions: The unclipped predictions to explain, shape (items,), if they are not those
            of ``predict`` from this history; the difference is part of ``together``.
    """
    n = int(history.counts[0])
    item_codes = np.asarray(items, dtype=np.int32)
    # The full history, and the history without each rating.
    size = max(1, _ENTRIES // max(n, len(item_codes), 1))
    predicted = np.concatenate(
        [
            _predicted(predict, history, np.arange(at, min(at + size, n)), item_codes)
            for at in range(-1, n, size)
        ]
    )
    contributions = (predicted[0] - predicted[1:]).T
    predictions = predicted[0] if predictions is None else predictions
    together = predictions - baselines - contributions.sum(axis=1)
    return Reasons(predictions, baselines, contributions, together)


def interest_reasons(interest: Interest, history: Histories, items: Array) -> Reasons:
    """Compute ``reasons`` for scores of interest, whose baseline is 0.

    For a linear scorer a contribution is the item-item weight, without a remainder. For other
    scorers it is the decrease of the score when the item is removed from the history.

    Args:
        interest: The scorer.
        history: The history of one user, with n items.
        items: Item codes whose scores are to be explained, shape (items,).
    """

    def predict(histories: Histories, rows: Int64, item_codes: Int32) -> Float64:
        scores = interest.scores(histories)
        scores[histories.counts == 0] = 0.0  # popularity is not due to any item
        return scores[rows, item_codes].astype(np.float64)

    return reasons(predict, history, items, np.zeros(len(items)))


def _predicted(predict: Predict, history: Histories, without: Int64, item_codes: Int32) -> Float64:
    """Predict (variants, items) without each rating; -1 leaves out none."""
    mask = np.ones((len(without), len(history.items)), dtype=np.bool_)
    one = np.flatnonzero(without >= 0)
    mask[one, without[one]] = False
    kept = np.nonzero(mask)[1]
    variants = Histories(
        row_bounds(mask.sum(axis=1)),
        history.items[kept],
        history.values[kept],
        np.repeat(history.users, len(without)),
        None if history.weights is None else history.weights[kept],
    )
    people = np.arange(len(without), dtype=np.int64)
    predicted = predict(
        variants, np.repeat(people, len(item_codes)), np.tile(item_codes, len(without))
    )
    return predicted.reshape(len(without), len(item_codes))
