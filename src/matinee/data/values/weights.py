"""Weights of ratings in training, by their age."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...base.arrays import Float32, Int64
from ...errors import DataError
from ..ratings import Ratings

_DAY = 86_400
LEAST = 1e-6
"""The smallest weight by age."""


def by_age(ages: Int64, half_life: float) -> Float32:
    """Return weights that halve every ``half_life`` days, float32, at least ``LEAST``.

    Args:
        ages: int64, seconds.
        half_life: Days.
    """
    return np.maximum(np.exp2(-ages / (half_life * _DAY)), LEAST).astype(np.float32)


def relative(weights: Float32, unit: float) -> Float32:
    """Return positive weights over a unit, float32, above 0 whatever the unit."""
    least = np.finfo(np.float32).tiny
    return np.maximum(weights / np.float64(unit), least).astype(np.float32)


def weighted_together(
    before: Ratings, newest: int | None, new: Ratings, half_life: float
) -> tuple[Ratings, Ratings]:
    """Weights of ratings trained on and of new ones, as if they were weighted by age together.

    Args:
        before: Ratings without times, weighted by age from the newest of them.
        newest: The time of the newest rating, seconds since 1970; None if times are unknown.
        new: New ratings.
        half_life: Days; 0 for the ratings as they are.

    Raises:
        DataError: Ages matter, and some have no times.
    """
    if not half_life:
        return before, new
    if new.times is None or newest is None or before.weights is None:
        raise DataError(f"{new.name}: half_life weighs ratings by their age; all need times")
    latest = max(newest, int(new.times.max()))
    factor = by_age(np.array([latest - newest]), half_life)
    ages = by_age(latest - new.times, half_life)
    return (
        replace(before, weights=np.maximum(before.weights * factor, np.float32(LEAST**2))),
        replace(new, weights=ages if new.weights is None else ages * new.weights),
    )


def weighted_by_age(ratings: Ratings, half_life: float, newest: int | None = None) -> Ratings:
    """Multiply the weights of ratings by ``by_age``.

    Args:
        ratings: With times.
        half_life: Days; 0 for the ratings as they are.
        newest: The time from which age is counted, seconds since 1970; newer ratings have age 0.
            By default the time of the newest of them.

    Raises:
        DataError: They have no times.
    """
    if not half_life or not len(ratings):
        return ratings
    if ratings.times is None:
        raise DataError(
            f"{ratings.name}: half_life weighs ratings by their age, and these have no times; "
            "state their column with --time COL, or set half_life = 0"
        )
    newest = int(ratings.times.max()) if newest is None else newest
    weights = by_age(np.maximum(newest - ratings.times, 0), half_life)
    if ratings.weights is not None:
        weights = weights * ratings.weights
    return replace(ratings, weights=weights)
