"""Errors of predicted ratings, summed in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ErrorSums:
    """Errors summed by user: all that the global metrics and their intervals need.

    Attributes:
        counts: Ratings per user, float64, shape (users,).
        squared: Sum of squared errors per user and model, float64, shape (users, models).
        absolute: Sum of absolute errors, likewise.
    """

    counts: Float64
    squared: Float64
    absolute: Float64

    @classmethod
    def zeros(cls, users: int, models: int) -> ErrorSums:
        """Sums of nothing."""
        return cls(np.zeros(users), np.zeros((users, models)), np.zeros((users, models)))

    def add(self, users: npt.NDArray[Any], errors: Float64) -> None:
        """Add errors, shape (n, models), of ratings by some users, shape (n,)."""
        n = len(self.counts)
        self.counts[:] += np.bincount(users, minlength=n)
        for model in range(errors.shape[1]):
            error = errors[:, model]
            self.squared[:, model] += np.bincount(users, error * error, minlength=n)
            self.absolute[:, model] += np.bincount(users, np.abs(error), minlength=n)

    def take(self, users: npt.NDArray[Any]) -> ErrorSums:
        """The sums of some users: positions or a mask."""
        return ErrorSums(self.counts[users], self.squared[users], self.absolute[users])

    @property
    def n(self) -> int:
        """Number of ratings."""
        return int(self.counts.sum())

    def rmse(self) -> Float64:
        """Global root mean squared error per model, over ratings, shape (models,)."""
        root: Float64 = np.sqrt(self.squared.sum(axis=0) / self.counts.sum())
        return root

    def mae(self) -> Float64:
        """Global mean absolute error per model, over ratings, shape (models,)."""
        mean: Float64 = self.absolute.sum(axis=0) / self.counts.sum()
        return mean

    def mean_user_rmse(self) -> Float64:
        """Mean over users of each one's RMSE. Every user weighs the same: this is not the RMSE."""
        rated = self.counts > 0
        mean: Float64 = np.sqrt(self.squared[rated] / self.counts[rated, None]).mean(axis=0)
        return mean


def rmse(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Root mean squared error over all ratings, in float64; nan of none."""
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    return float(np.sqrt(np.mean(error * error))) if error.size else float("nan")


def mae(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Mean absolute error over all ratings, in float64; nan of none."""
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    return float(np.mean(np.abs(error))) if error.size else float("nan")
