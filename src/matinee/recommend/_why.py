"""Which of a person's ratings moved a prediction, by leaving each one out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float64, Int32, Int64
from ..data import Histories

Predict = Callable[[Histories, Int64, Int32], Float64]
"""Unclipped predictions for (people, row of each prediction, item of each), float64 (n,)."""

_ENTRIES = 1 << 20
"""Ratings shown, or predictions asked for, at once."""


@dataclass(frozen=True, eq=False)
class Reasons:
    """What one person's ratings have to do with predictions for them.

    For every item, ``prediction = baseline + sum of contributions + together``.

    Attributes:
        predictions: Unclipped, from all ratings, float64 (items,).
        baselines: Unclipped, from none of them, float64 (items,).
        contributions: float64 (items, ratings): the prediction less what it is, exactly, without
            that one rating; positive for a rating that raises it. Ratings as in the history.
        together: float64 (items,): what no single rating accounts for. A film's effect is smaller
            where other ratings say the same, so the contributions need not add up by themselves.
    """

    predictions: Float64
    baselines: Float64
    contributions: Float64
    together: Float64

    def strongest(self, n: int) -> Int64:
        """Positions of the ratings that moved each prediction most, by size: (items, at most n)."""
        order: Int64 = np.argsort(-np.abs(self.contributions), axis=1, kind="stable")
        return order[:, :n]


def reasons(
    predict: Predict, history: Histories, items: npt.NDArray[Any], baselines: Float64
) -> Reasons:
    """Leave-one-out contributions of every rating, through the model itself, in one batch.

    Args:
        predict: The model.
        history: One person, with n ratings.
        items: Item codes whose predictions are to be explained, shape (items,).
        baselines: What the model predicts of them for someone with no ratings, shape (items,).
    """
    n = int(history.counts[0])
    asked = np.asarray(items, dtype=np.int32)
    # The whole, and the whole without each rating in turn.
    size = max(1, _ENTRIES // max(n, len(asked), 1))
    told = np.concatenate(
        [
            _predicted(predict, history, np.arange(at, min(at + size, n)), asked)
            for at in range(-1, n, size)
        ]
    )
    contributions = (told[0] - told[1:]).T
    together = told[0] - baselines - contributions.sum(axis=1)
    return Reasons(told[0], baselines, contributions, together)


def _predicted(predict: Predict, history: Histories, without: Int64, asked: Int32) -> Float64:
    """Predictions (variants, items) without each rating; -1 is without none."""
    kept = np.ones((len(without), len(history.items)), dtype=np.bool_)
    one = np.flatnonzero(without >= 0)
    kept[one, without[one]] = False
    rows, columns = np.nonzero(kept)
    indptr = np.zeros(len(without) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(without)), out=indptr[1:])
    variants = Histories(
        indptr,
        history.items[columns],
        history.values[columns],
        np.repeat(history.users, len(without)),
    )
    people = np.arange(len(without), dtype=np.int64)
    told = predict(variants, np.repeat(people, len(asked)), np.tile(asked, len(without)))
    return told.reshape(len(without), len(asked))
