"""Active learning: which item a user should rate next."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.arrays import Array, Float64, Int32
from ..data import Histories, Scale
from ._leave_one_out import Predict


def expected_change(
    predict: Predict,
    history: Histories,
    candidates: Array,
    items: Array,
    *,
    error: float,
    scale: Scale,
) -> Float64:
    """Return the expected change of predictions from a user's rating of each candidate.

    The user's rating is taken as the predicted rating plus or minus the typical error. The change
    is half the difference between the predictions for the two ratings, as a root mean square over
    some items (expected model change: Settles, "Active Learning", 2012, section 3.3).

    Args:
        predict: Predicts ratings from histories.
        history: The history of one user, which may be empty.
        candidates: Codes of items that the user has not rated, (candidates,).
        items: Codes of the items whose predictions are compared, (items,).
        error: Typical error of a prediction, in rating points.
        scale: Range of the ratings.

    Returns:
        float64 (candidates,), in rating points.
    """
    candidate_items = np.asarray(candidates, dtype=np.int32)
    n = len(candidate_items)
    if n == 0:
        return np.empty(0)
    expected = predict(history, np.zeros(n, dtype=np.int64), candidate_items)
    answers = np.concatenate([expected - error, expected + error]).clip(scale.low, scale.high)
    variants = _with(history, np.tile(candidate_items, 2), answers.astype(np.float32))
    measured = np.asarray(items, dtype=np.int32)
    predicted = predict(
        variants,
        np.repeat(np.arange(2 * n, dtype=np.int64), len(measured)),
        np.tile(measured, 2 * n),
    ).reshape(2, n, len(measured))
    half = (predicted[1] - predicted[0]) / 2.0
    return np.sqrt(np.mean(half * half, axis=1))


def _with(history: Histories, items: Int32, values: Any) -> Histories:
    """Return a copy of the history for each new rating, with that rating added."""
    n_ratings = len(history.items)
    every = np.empty((len(items), n_ratings + 1), dtype=np.int32)
    ratings = np.empty((len(items), n_ratings + 1), dtype=np.float32)
    every[:, :n_ratings], every[:, n_ratings] = history.items, items
    ratings[:, :n_ratings], ratings[:, n_ratings] = history.values, values
    order = np.argsort(every, axis=1, kind="stable")
    return Histories(
        np.arange(len(items) + 1, dtype=np.int64) * (n_ratings + 1),
        np.take_along_axis(every, order, axis=1).ravel(),
        np.take_along_axis(ratings, order, axis=1).ravel(),
        np.repeat(history.users, len(items)),
    )
