"""``Preference``: the probability that a user likes an item, given its predicted rating.

A logistic regression of "the rating reaches the threshold" on the predicted rating, fitted on
held-out ratings (Platt 1999). The ranking score multiplies it with the interest in the item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.arrays import Array, Float64
from ..data import Scale
from .ordinal import OrdinalLink

_RIDGE = 1.0
"""Precision of the Gaussian prior on intercept and slope."""
_STEPS = 50
_LOGISTIC = 1.702
"""A logistic curve of this slope is within 0.01 of the normal distribution function."""


@dataclass(frozen=True)
class Preference:
    """The probability that a rating reaches a threshold.

    Attributes:
        threshold: The lowest rating that counts as liked.
        intercept: Intercept of the logistic regression.
        slope: Slope per unit of the predicted rating; never negative.
        n: Number of held-out ratings it was fitted on.
        link: The link of a model with ordinal outputs, which is used instead; None without.
    """

    threshold: float
    intercept: float
    slope: float
    n: int
    link: OrdinalLink | None = None

    def probability(self, predictions: Array) -> Array:
        """Return P(rating >= threshold), in the dtype and shape of the predicted ratings."""
        if self.link is not None:
            return self.link.at_least(self.link.score(predictions), self.threshold)
        logit = predictions * predictions.dtype.type(self.slope)
        logit += predictions.dtype.type(self.intercept)
        np.negative(logit, out=logit)
        np.exp(np.minimum(logit, 60.0, out=logit), out=logit)
        logit += 1
        return np.reciprocal(logit, out=logit)


def liked_from(scale: Scale) -> float:
    """Return the default threshold of liking: three quarters up the scale, 4 on 1 to 5."""
    return scale.low + 0.75 * (scale.high - scale.low)


def fit_preference(
    predictions: Float64,
    ratings: Array,
    scale: Scale,
    threshold: float | None = None,
    error: float | None = None,
) -> Preference:
    """Fit the probability on held-out ratings.

    Args:
        predictions: Held-out predictions, float64 (n,).
        ratings: The ratings, (n,).
        scale: Range of the ratings.
        threshold: The lowest rating that counts as liked; by default three quarters up the scale.
        error: RMSE of the model to which ``probability`` will be applied, if the held-out
            predictions are another model's. The slope is then that of a normal error of this size,
            and only the intercept is fitted.
    """
    threshold = liked_from(scale) if threshold is None else threshold
    width = max(scale.high - scale.low, 1e-9)
    prior = np.array([0.0, 8.0])  # in units of the scale's width, relative to the threshold
    x = np.stack([np.ones(len(predictions)), (predictions - threshold) / width], axis=1)
    y = (np.asarray(ratings, dtype=np.float64) >= threshold).astype(np.float64)
    free = np.array([True, error is None])
    if error is not None:
        prior[1] = _LOGISTIC * width / max(error, 0.05 * width)
    weights = prior.copy()
    for _ in range(_STEPS):  # Newton; the penalised likelihood is strictly convex
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -60.0, 60.0)))
        gradient = x.T @ (p - y) + _RIDGE * (weights - prior)
        hessian = (x.T * (p * (1.0 - p))) @ x + _RIDGE * np.eye(2)
        kept = hessian * np.outer(free, free) + np.diag((~free).astype(np.float64))
        step = np.linalg.solve(kept, gradient * free)
        weights = weights - np.clip(step, -4.0, 4.0)
        if np.abs(step).max() < 1e-10:
            break
    slope = max(float(weights[1]), 0.0) / width
    return Preference(threshold, float(weights[0]) - slope * threshold, slope, len(predictions))
