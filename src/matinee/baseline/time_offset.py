"""``TimeOffset``: a correction of predictions of ratings given after training.

The bias model is fitted on the earliest tenth of the training ratings, on the earliest two tenths
and so on up to nine, and each time predicts all later ones (rolling origins). Of its residuals,

- those of users without a rating before the origin have the mean ``new``;
- those of other users are regressed on log(1 + days since the user's last rating before it),
  without an intercept: ``per_log_day``.

Each coefficient c is shrunk to 0 by its standard error s, to c max(0, 1 - (s / c)^2) (James &
Stein 1961). s is the larger of the errors clustered by user and by origin. Alternatives are in
docs/lab-notes.md; ``benchmarks/time_offset.py`` prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..base.arrays import Float64, Int64
from ..base.memory import entries_of
from ..data import Csr, Histories, Ratings, Scale
from .bias import fit_bias

ORIGINS = tuple(tenth / 10 for tenth in range(1, 10))
"""Shares of the training ratings, in order of time, on which the bias model is fitted."""
DAY = 86_400
NEVER = int(np.iinfo(np.int64).min)
"""Time of the last rating of a user without ratings."""
NOW = int(np.iinfo(np.int64).max)
"""An unknown time of the last rating, for which the offset is 0."""
_FEWEST = 20
"""Minimum number of users for a non-zero coefficient, as for a standard error by user."""
_MOST = 2_000_000
"""Approximate number of ratings used in the fit; of more, an evenly spaced sample of users."""


@dataclass(frozen=True)
class TimeOffset:
    """A fitted offset, in units of the ratings.

    Attributes:
        per_log_day: Offset per log(1 + days since the user's last rating).
        new: Offset for users without ratings.
        longest: Largest number of days in the fit, to which days are clipped.
    """

    per_log_day: float
    new: float
    longest: float

    def at(self, times: Int64, last: Int64) -> Float64:
        """Return offsets of predictions, float64 (n,).

        Args:
            times: Time of each prediction, in seconds, (n,).
            last: Time of the user's last rating before, (n,); ``NEVER`` for users without one,
                ``NOW`` if unknown.
        """
        known = last != NEVER
        days = (times - np.where(known & (last != NOW), last, times)) / DAY
        grown = self.per_log_day * np.log1p(np.clip(days, 0.0, self.longest))
        return np.where(known, grown, self.new)


@dataclass(frozen=True, eq=False)
class TimedPeople:
    """A time offset, and the times of users' last ratings.

    Attributes:
        offset: The offset.
        last: int64 (people,), times in seconds; ``NEVER`` for users without ratings.
    """

    offset: TimeOffset
    last: Int64

    def last_of(self, rows: Int64) -> Int64:
        """Return the last time of each row, (n,); ``NEVER`` for a row of -1."""
        return np.append(self.last, NEVER)[rows]

    def at(self, rows: Int64, times: Int64) -> Float64:
        """Return offsets of users, by row, at times, float64 (n,)."""
        return self.offset.at(times, self.last_of(rows))


class Scaled(Protocol):
    """A model whose predictions may be clipped."""

    @property
    def clip(self) -> bool:
        """Whether predicted ratings are clipped to the scale."""

    @property
    def scale(self) -> Scale:
        """Range of the ratings."""


def with_offsets(model: Scaled, predicted: Float64, offsets: Float64 | None) -> Float64:
    """Add offsets to predictions, within the scale if the model clips, float64 (n,)."""
    if offsets is None:
        return predicted
    out: Float64 = predicted + offsets
    return np.clip(out, model.scale.low, model.scale.high) if model.clip else out


def last_times(ratings: Ratings) -> Int64:
    """Return the time of each user's last rating, int64 (n_users,); ``NEVER`` without one."""
    assert ratings.times is not None
    return _last_of_rows(ratings.by_user, ratings.by_user.aligned(ratings.times))


def _last_of_rows(csr: Csr, times: Int64) -> Int64:
    """Return the largest of the times (entries,) in each row, int64 (rows,); ``NEVER`` if empty."""
    last = np.full(csr.n_rows, NEVER)
    rated = np.flatnonzero(csr.counts)
    last[rated] = np.maximum.reduceat(times, csr.indptr[rated])
    return last


def fit_time_offset(train: Ratings) -> TimeOffset | None:
    """Fit a time offset; None without times, or if both coefficients are shrunk to 0."""
    if train.times is None or train.implicit:
        return None
    csr, times = _some_people(train.by_user, train.by_user.aligned(train.times))
    order = np.sort(times)
    cuts = np.unique([order[int(share * len(order))] for share in ORIGINS])
    cuts = cuts[cuts > order[0]]
    if not len(cuts):
        return None
    # Sums by origin and user: of regressor times residual, and of squared regressors.
    known, new = np.zeros((2, 2, len(cuts), csr.n_rows))
    longest = 0.0
    for at, cut in enumerate(cuts):
        longest = max(longest, _add_origin(csr, times, int(cut), known[:, at], new[:, at]))
    offset = TimeOffset(shrunk_coefficient(*known), shrunk_coefficient(*new), longest)
    return offset if offset.per_log_day or offset.new else None


def shrunk_coefficient(products: Float64, squares: Float64) -> float:
    """Fit one regressor without intercept by least squares, shrunk by its standard error.

    Args:
        products: Sums of regressor times target, (origins, people).
        squares: Sums of squared regressors, (origins, people).
    """
    power = float(squares.sum())
    people = int(np.count_nonzero(squares.sum(axis=0)))
    origins = int(np.count_nonzero(squares.sum(axis=1)))
    if people < _FEWEST or origins < 2:
        return 0.0
    coefficient = float(products.sum()) / power
    scores = products - coefficient * squares
    by_person = np.square(scores.sum(axis=0)).sum() * people / (people - 1)
    by_origin = np.square(scores.sum(axis=1)).sum() * origins / (origins - 1)
    variance = max(float(by_person), float(by_origin)) / power**2
    return coefficient * max(1.0 - variance / coefficient**2, 0.0) or 0.0 if coefficient else 0.0


def _some_people(csr: Csr, times: Int64) -> tuple[Csr, Int64]:
    """Return an evenly spaced sample of users with about ``_MOST`` ratings, and their times."""
    step = -(-len(csr.values) // _MOST)
    if step == 1:
        return csr, times
    people = np.arange(0, csr.n_rows, step)
    histories = Histories.of(csr)
    return histories.take(people).csr(csr.n_columns), times[entries_of(csr.indptr, people)[1]]


def _add_origin(csr: Csr, times: Int64, cut: int, known: Float64, new: Float64) -> float:
    """Add the sums of residuals from a time on, for a model fitted on earlier ratings.

    Args:
        csr: Ratings by user.
        times: Their times, shape (entries,).
        cut: The time.
        known: Sums of products and of squares for users with earlier ratings, (2, people).
        new: Likewise for the others.

    Returns:
        The largest number of days since a user's last rating before the time.
    """
    before = times < cut
    train = csr.where(before)
    bias = fit_bias(train)
    last = _last_of_rows(train, times[before])
    users = csr.entry_rows[~before]
    items = csr.indices[~before]
    residuals = csr.values[~before] - bias.predict(Histories.of(train), users, items)
    returning = train.counts[users] > 0
    days = (times[~before][returning] - last[users[returning]]) / DAY
    for sums, chosen, regressor in (
        (known, returning, np.log1p(days)),
        (new, ~returning, np.ones(len(users) - len(days))),
    ):
        for row, values in zip(sums, (residuals[chosen], regressor), strict=True):
            row += np.bincount(users[chosen], regressor * values, minlength=csr.n_rows)
    return float(days.max(initial=0.0))
