"""``TimeOffset``: what is added to predictions of ratings given after all those of training.

The bias model is fitted on the earliest tenth of the training ratings, on the earliest two tenths
and so on to nine, and predicts each time all that follow (rolling origins). Of its residuals,

- those of people without a rating before the origin have the mean ``new``;
- those of the others are regressed on log(1 + days since the person's last rating before it),
  without an intercept: ``per_log_day``.

Each coefficient c is shrunk to 0 by its standard error s, to c max(0, 1 - (s / c)^2) (James &
Stein 1961). s is the larger of that clustered by person and that clustered by origin. What was
tried instead is in docs/lab-notes.md; ``benchmarks/time_offset.py`` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ..base.arrays import Float64, Int64
from ..base.memory import entries_of
from ..data import Csr, Histories, Ratings, Scale
from .bias import fit_bias

ORIGINS = tuple(tenth / 10 for tenth in range(1, 10))
"""Shares of the training ratings, in order of time, that the bias model is fitted on."""
DAY = 86_400
NEVER = int(np.iinfo(np.int64).min)
"""Stands for the time of the last rating of a person who has none."""
NOW = int(np.iinfo(np.int64).max)
"""Stands for one that is not known, and for which the offset is 0."""
_FEWEST = 20
"""People whose residuals a coefficient other than 0 needs, as a standard error by person does."""
_MOST = 2_000_000
"""Ratings, about, that the offset is fitted to: of more, those of people evenly spaced."""


@dataclass(frozen=True)
class TimeOffset:
    """A fitted offset, in units of the ratings.

    Attributes:
        per_log_day: Per log(1 + days since the person's last rating).
        new: For people without ratings.
        longest: Days, the most in the fit; more count as these.
    """

    per_log_day: float
    new: float
    longest: float

    def at(self, times: Int64, last: Int64) -> Float64:
        """Offsets of predictions, float64 (n,).

        Args:
            times: When each prediction is for, in seconds, (n,).
            last: Time of the person's last rating before, (n,); ``NEVER`` for people without one,
                ``NOW`` where it is not known.
        """
        known = last != NEVER
        days = (times - np.where(known & (last != NOW), last, times)) / DAY
        grown = self.per_log_day * np.log1p(np.clip(days, 0.0, self.longest))
        return np.where(known, grown, self.new)


@dataclass(frozen=True, eq=False)
class TimedPeople:
    """A time offset, and when the people it is for gave their last rating.

    Attributes:
        offset: The offset.
        last: int64 (people,), times in seconds; ``NEVER`` for people without ratings.
    """

    offset: TimeOffset
    last: Int64

    def last_of(self, rows: Int64) -> Int64:
        """The last time of each row, (n,); ``NEVER`` for a row of -1."""
        return np.append(self.last, NEVER)[rows]

    def at(self, rows: Int64, times: Int64) -> Float64:
        """Offsets for the people of some rows at some times, float64 (n,)."""
        return self.offset.at(times, self.last_of(rows))


class Scaled(Protocol):
    """A model whose predictions may be clipped."""

    @property
    def clip(self) -> bool:
        """Whether predicted ratings are clipped to the scale."""

    @property
    def scale(self) -> Scale:
        """Range of the ratings."""


def moved(model: Scaled, predicted: Float64, offsets: Float64 | None) -> Float64:
    """Predictions with offsets added, within the scale if the model clips, float64 (n,)."""
    if offsets is None:
        return predicted
    out: Float64 = predicted + offsets
    return np.clip(out, model.scale.low, model.scale.high) if model.clip else out


def last_times(ratings: Ratings) -> Int64:
    """Time of the last rating of each user code, int64 (n_users,); ``NEVER`` without one."""
    assert ratings.times is not None
    rows = ratings.by_user
    last = np.full(ratings.n_users, NEVER)
    rated = np.flatnonzero(rows.counts)
    last[rated] = np.maximum.reduceat(rows.aligned(ratings.times), rows.indptr[rated])
    return last


def fit_time_offset(train: Ratings) -> TimeOffset | None:
    """Fit a time offset; None without times, or where nothing is left of its coefficients.

    Args:
        train: Training ratings.
    """
    if train.times is None or train.implicit:
        return None
    csr, times = _some_people(train.by_user, train.by_user.aligned(train.times))
    order = np.sort(times)
    cuts = np.unique([order[int(share * len(order))] for share in ORIGINS])
    cuts = cuts[cuts > order[0]]
    if not len(cuts):
        return None
    # Sums by origin and person: of regressor times residual, and of squared regressors.
    known, new = np.zeros((2, 2, len(cuts), csr.n_rows))
    longest = 0.0
    for at, cut in enumerate(cuts):
        longest = max(longest, _add_origin(csr, times, int(cut), known[:, at], new[:, at]))
    offset = TimeOffset(shrunk_coefficient(*known), shrunk_coefficient(*new), longest)
    return offset if offset.per_log_day or offset.new else None


def shrunk_coefficient(products: Float64, squares: Float64) -> float:
    """A least-squares coefficient of one regressor without intercept, shrunk by its standard error.

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
    """The rows of people evenly spaced, with about ``_MOST`` ratings, and their times."""
    step = -(-len(csr.values) // _MOST)
    if step == 1:
        return csr, times
    people = np.arange(0, csr.n_rows, step)
    histories = Histories.of(csr)
    return histories.take(people).csr(csr.n_columns), times[entries_of(csr.indptr, people)[1]]


def _add_origin(csr: Csr, times: Int64, cut: int, known: Float64, new: Float64) -> float:
    """Add the sums of residuals from a time on, of a model fitted on what was before.

    Args:
        csr: Ratings by user.
        times: Their times, shape (entries,).
        cut: The time.
        known: Sums of products and of squares of people with ratings before, (2, people).
        new: Likewise of the others.

    Returns:
        The most days in it since a person's last rating before.
    """
    before = times < cut
    people = np.repeat(np.arange(csr.n_rows), csr.counts)
    counts = np.bincount(people[before], minlength=csr.n_rows)
    weights = None if csr.weights is None else csr.weights[before]
    train = replace(
        csr,
        indptr=np.append(0, np.cumsum(counts)),
        indices=csr.indices[before],
        values=csr.values[before],
        order=None,
        weights=weights,
    )
    bias = fit_bias(train)
    last = np.full(csr.n_rows, NEVER)
    rated = np.flatnonzero(counts)
    last[rated] = np.maximum.reduceat(times[before], train.indptr[rated])
    users, items = people[~before], csr.indices[~before]
    residuals = csr.values[~before] - bias.predict(Histories.of(train), users, items)
    returning = counts[users] > 0
    days = (times[~before][returning] - last[users[returning]]) / DAY
    for sums, chosen, regressor in (
        (known, returning, np.log1p(days)),
        (new, ~returning, np.ones(len(users) - len(days))),
    ):
        for row, values in zip(sums, (residuals[chosen], regressor), strict=True):
            row += np.bincount(users[chosen], regressor * values, minlength=csr.n_rows)
    return float(days.max(initial=0.0))
