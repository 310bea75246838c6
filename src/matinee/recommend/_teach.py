"""Which question to ask a person next."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float64
from ..data import Histories, Scale
from ._why import Predict


def teaching(
    predict: Predict,
    history: Histories,
    candidates: npt.NDArray[Any],
    items: npt.NDArray[Any],
    *,
    error: float,
    scale: Scale,
) -> Float64:
    """How far a person's rating of each candidate would move the predictions, in rating points.

    The model guesses the rating; the answer will differ by about its typical error, up or down.
    Both answers are put to the model, and half the difference between what it would then predict
    is taken, as a root mean square over some items. This is the expected change of the model's
    output (as of Settles, "Active Learning", 2012, section 3.3), computed and not approximated.

    Args:
        predict: The model.
        history: One person; may have no ratings.
        candidates: Item codes to ask about, (candidates,); not rated by the person.
        items: Item codes over which the predictions' change is measured, (items,).
        error: Typical error of a prediction, in rating points.
        scale: Range of the ratings.

    Returns:
        float64 (candidates,).
    """
    asked = np.asarray(candidates, dtype=np.int32)
    n = len(asked)
    if n == 0:
        return np.empty(0)
    guess = predict(history, np.zeros(n, dtype=np.int64), asked)
    answers = np.concatenate([guess - error, guess + error]).clip(scale.low, scale.high)
    variants = _with(history, np.tile(asked, 2), answers.astype(np.float32))
    measured = np.asarray(items, dtype=np.int32)
    told = predict(
        variants,
        np.repeat(np.arange(2 * n, dtype=np.int64), len(measured)),
        np.tile(measured, 2 * n),
    ).reshape(2, n, len(measured))
    half = (told[1] - told[0]) / 2.0
    moved: Float64 = np.sqrt(np.mean(half * half, axis=1))
    return moved


def _with(history: Histories, items: npt.NDArray[np.int32], values: Any) -> Histories:
    """The history once for each new rating, which is added to it."""
    own = len(history.items)
    every = np.empty((len(items), own + 1), dtype=np.int32)
    ratings = np.empty((len(items), own + 1), dtype=np.float32)
    every[:, :own], every[:, own] = history.items, items
    ratings[:, :own], ratings[:, own] = history.values, values
    order = np.argsort(every, axis=1, kind="stable")
    return Histories(
        np.arange(len(items) + 1, dtype=np.int64) * (own + 1),
        np.take_along_axis(every, order, axis=1).ravel(),
        np.take_along_axis(ratings, order, axis=1).ravel(),
        np.repeat(history.users, len(items)),
    )
