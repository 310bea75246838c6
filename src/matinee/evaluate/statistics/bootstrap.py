"""Intervals by bootstrap over users: a user is resampled with all of their ratings.

A user's errors are correlated, so resampling single ratings would make intervals too narrow.
"""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float64
from ..metric import Interval
from ..metrics import ErrorSums, ErrorTotals

RESAMPLES = 1000
_DRAWS = 1 << 21
_GROUPS = 20_000
"""With more users, random groups of users are resampled: equivalent, and much faster."""


def bootstrap(sums: ErrorSums, rng: np.random.Generator, resamples: int = RESAMPLES) -> ErrorTotals:
    """Draw users with replacement, as many as there are, and sum their errors.

    Every model is scored on the same draws, so that differences between columns are paired.
    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section 8.

    Returns:
        The sums of each resample, float64, each shape (resamples, models).
    """
    columns = np.hstack([sums.counts[:, None], *sums.sums.values()])
    totals = resample(columns, rng, resamples)
    each = np.split(totals[:, 1:], len(sums.sums), axis=1)
    return ErrorTotals(totals[:, :1], dict(zip(sums.sums, each, strict=True)))


def resample(columns: Float64, rng: np.random.Generator, resamples: int = RESAMPLES) -> Float64:
    """Return column sums over users drawn with replacement, as many as there are.

    Args:
        columns: float64 (users, n).
        rng: Generator of the draws.
        resamples: Number of resamples.

    Returns:
        float64 (resamples, n).
    """
    if len(columns) > _GROUPS:
        # Sums over random groups of equal size preserve the variance between users.
        starts = np.linspace(0, len(columns), _GROUPS, endpoint=False).astype(np.int64)
        columns = np.add.reduceat(columns[rng.permutation(len(columns))], starts)
    users = len(columns)
    totals = np.empty((resamples, columns.shape[1]))
    size = max(1, _DRAWS // users)
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        drawn = rng.integers(0, users, (rows, users), dtype=np.int32).astype(np.int64)
        drawn += np.arange(0, rows * users, users)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * users).reshape(rows, users)
        totals[start : start + rows] = weights.astype(np.float64) @ columns
    return totals


def interval(samples: Float64, alpha: float = 0.05) -> Interval:
    """Return the percentile interval of the values of a statistic, shape (resamples,)."""
    low, high = np.quantile(samples, [alpha / 2, 1 - alpha / 2])
    return Interval(float(low), float(high))


def finite_interval(samples: Float64 | None) -> Interval | None:
    """Return ``interval`` of the finite values; None with fewer than two."""
    finite = np.empty(0) if samples is None else samples[np.isfinite(samples)]
    return interval(finite) if len(finite) > 1 else None
