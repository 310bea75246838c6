"""Ratings in order of time, for benchmarks that train on the first and score on what follows."""

from __future__ import annotations

import numpy as np

import matinee
from matinee.data import Ratings


class ByTime:
    """The ratings of a source in order of time; of one second in the order of the source.

    Args:
        source: As for ``matinee.load``; the ratings must have times.

    Attributes:
        ratings: All of them, in the order of the source.
        order: int64 (ratings,), their positions by time.
    """

    def __init__(self, source: str) -> None:
        self.ratings = matinee.load(source)
        assert self.ratings.times is not None, "the ratings need times"
        self.order = np.lexsort((np.arange(len(self.ratings)), self.ratings.times))

    def rows(self, first: int, last: int) -> Ratings:
        """The ratings from one position in time to another."""
        return self.ratings.take(np.sort(self.order[first:last]))

    def part(self, start: float, stop: float) -> Ratings:
        """The ratings from one share of them to another."""
        return self.rows(round(start * len(self.order)), round(stop * len(self.order)))
