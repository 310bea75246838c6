"""Definitions of RMSE in use, computed side by side in float64.

The first is the standard one. The others are used in papers and scripts; on the same model
they differ by more than most published gains.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float64, Int32, Int64
from ..data import Histories, Ratings
from ..errors import UsageError
from ._evaluate import Scored

PROTOCOLS: dict[str, str] = {
    "global": "root of the mean squared error over all held-out ratings",
    "user_mean": "mean over users of each user's RMSE",
    "user_root_mean": "root of the mean over users of each user's mean squared error",
    "batch_mean": "mean over batches of 64 users of the batch's RMSE",
    "rounded": "global, with predictions rounded to the steps of the scale",
    "clipped": "global, with predictions clipped to the scale",
    "unclipped": "global, with predictions as the network gives them",
    "training": "global, on the training ratings that the model was shown",
    "misaligned": "global, with test users paired by position with the people of the training "
    "part, though some of these have no test rating",
}
"""The definitions that ``protocols`` computes, by name."""

_BATCH = 64


class Predicts(Scored, Protocol):
    """Interface required by ``protocols``; every fitted ``Recommender`` implements it."""

    def predict_coded(
        self, histories: Histories, rows: Int64, items: Int32, *, clip: bool = True
    ) -> Float64:
        """Return predicted ratings, float64, shape (n,)."""


def protocols(model: Predicts, train: Ratings, test: Ratings, *, seed: int = 0) -> dict[str, float]:
    """Return the RMSE of one model by every definition, by names of ``PROTOCOLS``.

    Args:
        model: Fitted on ``train``.
        train: The training ratings.
        test: Held-out ratings; those of unknown users and items are left out, so that all
            definitions use the same ratings.
        seed: Seed of the batches.

    Raises:
        UsageError: The model was saved without histories, or knows no test user and item.
    """
    if model.histories is None:
        raise UsageError("this model was saved without histories; fit it, or save it with them")
    users, items, values = _known(model, test)
    if not len(values):
        raise UsageError(f"{test.name}: it has no rating of a known user and item")
    predicted = model.predict_coded(model.histories, users, items, clip=False)
    low, high = model.scale.low, model.scale.high
    served = np.clip(predicted, low, high) if model.clip else predicted
    error = np.square(served - values)
    counts = np.bincount(users)
    rated = counts > 0
    user_mse = np.bincount(users, error)[rated] / counts[rated]
    clipped = np.clip(predicted, low, high)
    train_users, train_items, train_values = _known(model, train)
    train_predicted = model.predict_coded(model.histories, train_users, train_items)
    misaligned = model.predict_coded(model.histories, _misaligned(model, users), items)
    return {
        "global": _root(error),
        "user_mean": float(np.sqrt(user_mse).mean()),
        "user_root_mean": float(np.sqrt(user_mse.mean())),
        "batch_mean": _batches(users, error, np.random.default_rng(seed)),
        "rounded": _root(np.square(_round(clipped, train.values, low) - values)),
        "clipped": _root(np.square(clipped - values)),
        "unclipped": _root(np.square(predicted - values)),
        "training": _root(np.square(train_predicted - train_values)),
        "misaligned": _root(np.square(misaligned - values)),
    }


def _known(model: Predicts, ratings: Ratings) -> tuple[Int64, Int32, Float64]:
    """Return users, items and values of the ratings with known users and items."""
    users = model.user_ids.encode(ratings.user_ids.ids)[ratings.users]
    items = model.item_ids.encode(ratings.item_ids.ids)[ratings.items]
    both = np.flatnonzero((users >= 0) & (items >= 0))
    return users[both].astype(np.int64), items[both], ratings.values[both].astype(np.float64)


def _root(squared: Float64) -> float:
    return float(np.sqrt(squared.mean()))


def _batches(users: Int64, error: Float64, rng: np.random.Generator) -> float:
    """Return the mean over batches of users, in random order, of the batch's RMSE."""
    people, row = np.unique(users, return_inverse=True)
    batch = (rng.permutation(len(people)) // _BATCH)[row]
    return float(np.sqrt(np.bincount(batch, error) / np.bincount(batch)).mean())


def _round(predicted: Float64, values: npt.NDArray[Any], low: float) -> Float64:
    steps = np.diff(np.unique(values))
    step = float(steps.min()) if len(steps) else 1.0
    return low + np.round((predicted - low) / step) * step


def _misaligned(model: Predicts, users: Int64) -> Int64:
    """Return the user whose history is used for each test rating if rows are paired by position.

    The n-th user of the test part is paired with the n-th user of the training part: from the first
    training user without a test rating on, pairs are of different users.
    """
    people, row = np.unique(users, return_inverse=True)
    assert model.histories is not None
    trained = np.flatnonzero(model.histories.counts)
    return trained[: len(people)][row].astype(np.int64)
