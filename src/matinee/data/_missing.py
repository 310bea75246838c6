"""Values of a table that mean "not rated"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base.arrays import Float32, Int64
from ..errors import UsageError

_LOOKED_AT = 100_000
"""Ratings among which the most frequent is counted."""
_MANY = 100
"""So many ratings, and more, are rarely all equal."""
_HIGHEST = 1000
"""Ratings are not above this, unlike counts, prices and ids."""


def missing_values(missing: float | Sequence[float]) -> tuple[float, ...]:
    """Return the ratings that mean "not rated".

    Raises:
        UsageError: One is no number, or too large to be a rating.
    """
    try:
        values = [missing] if isinstance(missing, int | float) else list(missing)
        missing_values = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        missing_values = (float("nan"),)
    largest = float(np.finfo(np.float32).max)
    if not all(abs(value) <= largest for value in missing_values):
        raise UsageError(
            f"missing = {missing!r}: give the numbers that mean 'not rated', as 0 or -1"
        )
    return missing_values


def _likely_unrated(values: Float32) -> tuple[str, ...]:
    """Note that the lowest value may mean "not rated": -1 alone below 1, or the most frequent 0."""
    low = float(values.min())
    if low not in (-1.0, 0.0):
        return ()
    marked = values == low
    count = int(np.count_nonzero(marked))
    if count == len(values) or float(values[~marked].min()) < 1:
        return ()
    if low == 0:
        some = values[:: len(values) // _LOOKED_AT + 1]
        _, counts = np.unique(some[some != 0], return_counts=True)
        if np.count_nonzero(some == 0) <= counts.max(initial=0):
            return ()
    subject = "rating is" if count == 1 else "ratings are"
    return (
        f"{count:,} {subject} {low:g}, apart from the others ({values[~marked].min():g} to "
        f"{values.max():g}); if that means 'not rated', state --missing {low:g}",
    )


def unlikely(values: Float32, column: str, missing: Sequence[float]) -> tuple[str, ...]:
    """Notes on values that may be no ratings.

    Args:
        values: Ratings, float32, shape (n,), not empty.
        column: Their column.
        missing: Ratings that are stated to mean "not rated".
    """
    notes = () if missing else _likely_unrated(values)
    low, high = float(values.min()), float(values.max())
    if low == high and len(values) >= _MANY:
        notes = (
            *notes,
            f"all {len(values):,} ratings are {low:g}, which leaves none to predict; if they mean "
            f"that an item was chosen, --relevant {low:g} reads interactions",
        )
    if max(-low, high) <= _HIGHEST:
        return notes
    return (
        *notes,
        f"ratings in column {column!r} are from {low:g} to {high:g}: if they are counts, state "
        f"--weight {column}; if they are something else, name the column of the ratings with "
        "--rating COL",
    )


def unrated(values: Float32, missing: Sequence[float]) -> Int64:
    """Return positions of the values that mean "not rated", int64, ascending."""
    return np.flatnonzero(np.isin(values, np.array(missing, dtype=np.float32)))
