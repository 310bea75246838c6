"""Metrics of predicted ratings: errors summed in float64, and the registry's entries.

A metric is an entry of ``RATING_METRICS``; one that needs another sum adds it to ``_SUMMANDS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ..base.arrays import Array, Float64
from .metric import Metric

_SUMMANDS: MappingProxyType[str, Callable[[Float64], Float64]] = MappingProxyType(
    {"squared": np.square, "absolute": np.abs, "signed": np.positive}
)
"""The summands per user, as functions of the errors (predicted minus actual ratings)."""


@dataclass(frozen=True, eq=False)
class ErrorTotals:
    """Sums over ratings, of all users or of each of many resamples.

    Attributes:
        counts: Number of ratings, float64, shape (..., 1).
        sums: By name of the summand, float64, shape (..., models).
    """

    counts: Float64
    sums: dict[str, Float64]

    def mean(self, summand: str) -> Float64:
        """Return the mean of a summand over ratings, float64, shape (..., models)."""
        return self.sums[summand] / self.counts

    @property
    def rmse(self) -> Float64:
        """RMSE over ratings, float64, shape (..., models)."""
        return np.sqrt(self.mean("squared"))


RATING_METRICS: tuple[Metric, ...] = (
    Metric(
        "rmse",
        "RMSE",
        "rating",
        "lower",
        lambda totals: totals.rmse,
        "Root mean squared error over all test ratings.",
    ),
    Metric(
        "mae",
        "MAE",
        "rating",
        "lower",
        lambda totals: totals.mean("absolute"),
        "Mean absolute error over all test ratings.",
    ),
    Metric(
        "mean_error",
        "mean error",
        "rating",
        "zero",
        lambda totals: totals.mean("signed"),
        "Mean of predicted less actual rating (bias): above 0, predictions are too high.",
    ),
)


@dataclass(frozen=True, eq=False)
class ErrorSums:
    """Errors summed by user, from which global metrics and their intervals are computed.

    Attributes:
        counts: Ratings per user, float64, shape (users,).
        sums: By name of the summand, its sum per user and model, float64, shape (users, models).
    """

    counts: Float64
    sums: dict[str, Float64]

    @classmethod
    def zeros(cls, users: int, models: int) -> ErrorSums:
        """Return zero sums."""
        return cls(np.zeros(users), {name: np.zeros((users, models)) for name in _SUMMANDS})

    def add(self, users: Array, errors: Float64) -> None:
        """Add errors, shape (n, models), of ratings by some users, shape (n,)."""
        n = len(self.counts)
        self.counts[:] += np.bincount(users, minlength=n)
        for model in range(errors.shape[1]):
            error = errors[:, model]
            for name, summand in _SUMMANDS.items():
                self.sums[name][:, model] += np.bincount(users, summand(error), minlength=n)

    def take(self, users: Array) -> ErrorSums:
        """Select users, by positions or a mask."""
        return ErrorSums(self.counts[users], {name: s[users] for name, s in self.sums.items()})

    @property
    def n(self) -> int:
        """Number of ratings."""
        return int(self.counts.sum())

    @property
    def models(self) -> int:
        """Number of models."""
        return int(self.squared.shape[1])

    @property
    def squared(self) -> Float64:
        """Sum of squared errors per user and model, shape (users, models)."""
        return self.sums["squared"]

    def totals(self) -> ErrorTotals:
        """Return the sums over all users, shape (models,)."""
        sums = {name: each.sum(axis=0) for name, each in self.sums.items()}
        return ErrorTotals(self.counts.sum(keepdims=True), sums)

    def rmse(self) -> Float64:
        """Return the global RMSE per model, over ratings, shape (models,)."""
        return self.totals().rmse

    def mae(self) -> Float64:
        """Return the global MAE per model, over ratings, shape (models,)."""
        return self.totals().mean("absolute")

    def mean_user_rmse(self) -> Float64:
        """Return the unweighted mean over users of each user's RMSE, which is not the RMSE."""
        rated = self.counts > 0
        return np.sqrt(self.squared[rated] / self.counts[rated, None]).mean(axis=0)


def rmse(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Return the root mean squared error over all ratings, in float64; NaN if empty."""
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    return float(np.sqrt(np.mean(error * error))) if error.size else float("nan")


def mae(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Return the mean absolute error over all ratings, in float64; NaN if empty."""
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    return float(np.mean(np.abs(error))) if error.size else float("nan")
