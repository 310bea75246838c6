"""The user-mean baseline."""

from __future__ import annotations

import numpy as np

from ..data import Ratings
from .metrics import rmse


def user_mean_rmse(train: Ratings, test: Ratings) -> float:
    """Return the global RMSE of predicting each user's mean training rating.

    Users without training ratings get the global mean. Vocabularies may differ.
    """
    counts = np.bincount(train.users, minlength=train.n_users)
    sums = np.bincount(train.users, train.values, minlength=train.n_users)
    overall = float(train.values.mean(dtype=np.float64))
    means = np.divide(sums, counts, out=np.full(train.n_users, overall), where=counts > 0)
    users = train.user_ids.encode(test.user_ids.ids)
    return rmse(np.append(means, overall)[users][test.users], test.values)
