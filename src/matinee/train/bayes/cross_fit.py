"""Held-out predictions of every rating by cross-fitting, for small data.

A tenth of 5,000 ratings is too few to show whether interactions can be learned: the shrinkage
coefficient fitted on it is mostly 0. As sampling takes seconds there, every rating is predicted by
a model that was not trained on it.
"""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float64, Mask
from ...baseline import fit_bias
from ...data import Histories, Ratings
from .config import BayesianConfig
from .posterior import Posterior
from .run import sample_posterior

FEW = 50_000
"""Number of ratings below which they are cross-fitted."""
FOLDS = 5


def held_out_predictions(
    posterior: Posterior, train: Ratings, held: Mask
) -> tuple[Float64, Float64, Float64]:
    """Predict ratings that a machine was not trained on.

    Returns:
        Mean, variance, and the prediction of the bias model of the other ratings, float64 (n,)
        each, in the order of ``train.by_user``. The bias model predicts, with variance 0, for
        users with no other ratings.
    """
    by_user, known = train.by_user, train.take(~held).by_user
    histories = Histories.of(known)
    entries = np.flatnonzero(by_user.aligned(held))
    rows = by_user.rows_of(entries)
    columns = by_user.indices[entries]
    base = fit_bias(known).predict(histories, rows, columns)
    mean, variance = base.copy(), np.zeros(len(rows))
    with_history = histories.counts[rows] > 0
    mean[with_history], variance[with_history] = posterior.predict(
        histories, rows[with_history], columns[with_history]
    )
    return mean, variance, base


def cross_fit(
    train: Ratings, config: BayesianConfig, rng: np.random.Generator
) -> tuple[Float64, Float64, Float64]:
    """Compute ``held_out_predictions`` of all ratings, each by a machine fitted to other folds."""
    by_user = train.by_user
    # In order of user and item, so that the order of the ratings does not matter.
    by_entry = rng.permutation(len(train)) % FOLDS
    fold = by_entry.copy()
    if by_user.order is not None:
        fold[by_user.order] = by_entry
    predicted = np.empty((3, len(train)))
    for number in range(FOLDS):
        held = fold == number
        posterior = sample_posterior(train.take(~held), config, rng)
        predicted[:, by_user.aligned(held)] = held_out_predictions(posterior, train, held)
    return predicted[0], predicted[1], predicted[2]
