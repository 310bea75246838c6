"""Statistics over seeds: means, paired differences, and questions decided by intervals.

What varies over seeds is all that these intervals speak of: the draw of the weights and batches,
and of the split where each seed splits anew. With one split for all, they say nothing of other
held-out ratings: for that see ``bootstrap``.

A run that diverged counts as worse than any finite value: it stands here as infinity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from ._bootstrap import Interval

Float64 = npt.NDArray[np.float64]

Status = Literal["established", "refuted", "undecided"]

ALPHA = 0.05


@dataclass(frozen=True)
class Estimate:
    """The mean of a figure over seeds.

    Attributes:
        n: Seeds.
        mean: Mean; infinite if a run diverged.
        deviation: Standard deviation between seeds; None with one seed or a diverged run.
        interval: 95% Student-t interval of the mean; None with one seed or a diverged run.
        diverged: How many of the runs diverged.
    """

    n: int
    mean: float
    deviation: float | None
    interval: Interval | None
    diverged: int = 0

    @classmethod
    def of(cls, values: Sequence[float] | Float64) -> Estimate:
        """From one value per seed, shape (n,), n at least 1.

        Raises:
            ValueError: There are no values, or one is not a number.
        """
        x = _values(values)
        diverged = int(np.isinf(x).sum())
        if diverged:
            return cls(len(x), math.inf, None, None, diverged)
        mean = float(x.mean())
        if len(x) == 1:
            return cls(1, mean, None, None)
        return cls(len(x), mean, float(x.std(ddof=1)), t_interval(x))


@dataclass(frozen=True)
class Difference:
    """A figure of one arm less that of another, paired by seed: below 0, the first is lower.

    Attributes:
        n: Seeds that both have; seeds on which both diverged are left out.
        mean: Mean difference; infinite if one of them diverged on some seed.
        deviation: Standard deviation of the difference between seeds, or None.
        interval: 95% Student-t interval, not corrected; None with one seed or a diverged run.
        p: Two-sided p value of no difference; 0 if one arm diverged on every seed (at least two)
            and the other on none; None where nothing can be said.
        adjusted: The p value by Holm's correction over the differences it was judged with.
        diverged: Seeds on which one of the two diverged.
    """

    n: int
    mean: float
    deviation: float | None
    interval: Interval | None
    p: float | None
    adjusted: float | None = None
    diverged: int = 0


class Question(Protocol):
    """An unknown number, and the band it lies in if what is asked is so."""

    @property
    def n(self) -> int:
        """Seeds."""

    @property
    def mean(self) -> float:
        """The estimate."""

    @property
    def band(self) -> Interval:
        """Where it lies if it is so; an infinite end is no bound."""

    @property
    def p(self) -> float | None:
        """The smallest alpha whose interval is wholly inside or outside the band, or None."""

    def interval(self, alpha: float) -> Interval | None:
        """The interval of level 1 - alpha, or None."""


@dataclass(frozen=True)
class Answer:
    """A question decided, or not.

    Attributes:
        status: "established" (the interval is inside the band), "refuted" (outside) or "undecided".
        leaning: Which side the estimate is on; None where it is not a number.
        mean: The estimate.
        interval: The interval it was decided by: its level is the one that Holm's correction asks
            for, so it is inside or outside the band just when the answer is decided.
        p: Uncorrected p value, or None.
        adjusted: By Holm's correction, or None.
        n: Seeds.
    """

    status: Status
    leaning: Status | None
    mean: float
    interval: Interval | None
    p: float | None
    adjusted: float | None
    n: int


def t_interval(values: Sequence[float] | Float64, alpha: float = ALPHA) -> Interval | None:
    """Student-t interval of the mean of finite values, shape (n,); None with fewer than two."""
    x = _values(values)
    if len(x) < 2:
        return None
    half = float(stdtrit(len(x) - 1, 1 - alpha / 2) * x.std(ddof=1) / math.sqrt(len(x)))
    mean = float(x.mean())
    return Interval(mean - half, mean + half)


def t_p(values: Sequence[float] | Float64, at: float = 0.0) -> float | None:
    """Two-sided p value that the mean is ``at``, by Student's t; None with fewer than two.

    Where all values are equal nothing varies: 1 if they are ``at``, else 0.
    """
    x = _values(values)
    if len(x) < 2:
        return None
    error = float(x.std(ddof=1)) / math.sqrt(len(x))
    away = abs(float(x.mean()) - at)
    # Equal values may differ by a rounding, which is no deviation.
    if error <= 1e-15 * max(1.0, float(np.abs(x).max())):
        return 1.0 if away <= 1e-12 * max(1.0, abs(at)) else 0.0
    return float(2 * stdtr(len(x) - 1, -away / error))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p values by Holm's step-down procedure (1979).

    Args:
        p_values: One per comparison; a None counts as a comparison that cannot be rejected.

    Returns:
        In the order given, each at most 1; None stays None.
    """
    order = sorted(range(len(p_values)), key=lambda at: _certain(p_values[at]))
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, _certain(p_values[at]) * (len(order) - rank)))
        adjusted[at] = None if p_values[at] is None else largest
    return adjusted


def paired(one: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """The difference ``one - other`` over the seeds both have; None if they share none.

    Args:
        one: A figure by seed; infinite where the run diverged.
        other: Likewise.
    """
    x = pairs(one, other)
    if not len(x):
        return None
    diverged = int(np.isinf(x).sum())
    if diverged:
        question = Mean(x, Interval(0.0, math.inf))
        return Difference(len(x), question.mean, None, None, question.p, diverged=diverged)
    deviation = float(x.std(ddof=1)) if len(x) > 1 else None
    return Difference(len(x), float(x.mean()), deviation, t_interval(x), t_p(x))


def pairs(one: Mapping[int, float], other: Mapping[int, float]) -> Float64:
    """``one - other`` on the seeds both have, in order, without those on which both diverged."""
    seeds = [s for s in sorted(one.keys() & other.keys()) if not _both_infinite(one[s], other[s])]
    return np.array([one[seed] - other[seed] for seed in seeds], dtype=np.float64)


def adjust(differences: Sequence[Difference | None]) -> list[Difference | None]:
    """The same differences with Holm's correction over all that there are."""
    known = [d for d in differences if d is not None]
    adjusted = iter(holm([d.p for d in known]))
    return [d and replace(d, adjusted=next(adjusted)) for d in differences]


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean over seeds of a figure or a paired difference, asked to lie in a band.

    Where some values are infinite (one of the two diverged on that seed), they settle it if all
    seeds point the same way and fewer than two are finite; with two or more finite ones those
    decide, and only in the direction of the infinite ones.

    Attributes:
        values: One per seed, float64, shape (n,).
        band: Where the mean lies if what is asked is so.
    """

    values: Float64
    band: Interval

    @property
    def n(self) -> int:
        """Seeds."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The estimate; nan if runs diverged on both sides, or there are none."""
        if not self.n:
            return math.nan
        with np.errstate(invalid="ignore"):
            return float(self.values.mean())

    @property
    def p(self) -> float | None:
        """By Student's t against the edge of the band."""
        if self.n < 2:
            return None
        finite = self.values[np.isfinite(self.values)]
        if len(finite) < self.n:
            sides = {_inside(float(v), self.band) for v in self.values}
            if len(finite) < 2:
                return 0.0 if len(sides) == 1 else None
            if math.isnan(self.mean) or _inside(float(finite.mean()), self.band) != _inside(
                self.mean, self.band
            ):
                return None
        edges = [_edge_p(finite, edge) for edge in self.band if math.isfinite(edge)]
        inside = _inside(float(finite.mean()), self.band)
        return max(edges) if inside else min(edges)

    def interval(self, alpha: float) -> Interval | None:
        """By Student's t; None with one seed or a diverged run."""
        return t_interval(self.values, alpha) if np.isfinite(self.values).all() else None


@dataclass(frozen=True, eq=False)
class Slope:
    """A slope known by draws from its distribution, asked to lie in a band.

    Attributes:
        mean: The estimate.
        draws: float64, shape (draws,); empty with one seed.
        band: Where the slope lies if what is asked is so.
        n: Seeds.
    """

    mean: float
    draws: Float64
    band: Interval
    n: int

    @property
    def p(self) -> float | None:
        """Twice the share of draws on the far side of the edge, at least two in all draws."""
        if not len(self.draws):
            return None
        shares = [
            min((self.draws <= edge).mean(), (self.draws >= edge).mean())
            for edge in self.band
            if math.isfinite(edge)
        ]
        inside = _inside(self.mean, self.band)
        share = float(max(shares) if inside else min(shares))
        return min(1.0, 2 * max(share, 1 / len(self.draws)))

    def interval(self, alpha: float) -> Interval | None:
        """Percentiles of the draws."""
        if not len(self.draws):
            return None
        low, high = np.quantile(self.draws, [alpha / 2, 1 - alpha / 2])
        return Interval(float(low), float(high))


def answer(questions: Sequence[Question], alpha: float = ALPHA) -> list[Answer]:
    """Decide questions together, by Holm's correction over all of them.

    Each question's interval has the level at which the procedure decided it, or stopped.
    """
    adjusted = holm([q.p for q in questions])
    decided = [a is not None and a <= alpha for a in adjusted]
    order = sorted(range(len(questions)), key=lambda at: _certain(questions[at].p))
    answers: dict[int, Answer] = {}
    level = alpha
    stopped = False
    for rank, at in enumerate(order):
        question = questions[at]
        if not stopped:
            level = alpha / (len(order) - rank)
            stopped = not decided[at]
        known = not math.isnan(question.mean)
        leaning: Status = "established" if _inside(question.mean, question.band) else "refuted"
        answers[at] = Answer(
            status=leaning if decided[at] else "undecided",
            leaning=leaning if known else None,
            mean=question.mean,
            interval=question.interval(level),
            p=question.p,
            adjusted=adjusted[at],
            n=question.n,
        )
    return [answers[at] for at in range(len(questions))]


def argmin_slope(
    figures: Sequence[Float64],
    positions: Float64,
    x: Float64,
    band: Interval,
    rng: np.random.Generator,
    draws: int = 4000,
) -> Slope:
    """How the position of the lowest mean figure grows with x: slope of least squares.

    Its distribution is by resampling seeds: at every x, the residuals of all positions from
    their means over seeds are pooled (a position's own two or three would be too few), widened by
    sqrt(n / (n - 1)), and drawn anew.

    Args:
        figures: At each x, float64, shape (positions, seeds).
        positions: What the lowest is looked for in, float64, shape (positions,).
        x: float64, shape (len(figures),), at least two different values.
        band: The band the slope is asked to lie in.
        rng: Where the draws come from.
        draws: How many.
    """
    seeds = min(f.shape[1] for f in figures)
    best = np.array([positions[f.mean(axis=1).argmin()] for f in figures])
    if seeds < 2:
        return Slope(_slope(x, best[None, :])[0], np.empty(0), band, seeds)
    drawn = np.empty((draws, len(x)))
    for at, figure in enumerate(figures):
        n = figure.shape[1]
        means = figure.mean(axis=1)
        residuals = (figure - means[:, None]).ravel() * math.sqrt(n / (n - 1))
        noise = rng.choice(residuals, (draws, len(means), n)).mean(axis=2)
        drawn[:, at] = positions[(means + noise).argmin(axis=1)]
    return Slope(float(_slope(x, best[None, :])[0]), _slope(x, drawn), band, seeds)


def _slope(x: Float64, y: Float64) -> Float64:
    centred = x - x.mean()
    slope: Float64 = (y - y.mean(axis=1, keepdims=True)) @ centred / (centred @ centred)
    return slope


def _values(values: Sequence[float] | Float64) -> Float64:
    x = np.asarray(values, dtype=np.float64)
    if not x.size or np.isnan(x).any():
        raise ValueError(f"statistics over seeds need numbers, and there are {x.tolist()}")
    return x


def _certain(p: float | None) -> float:
    return 1.0 if p is None else p


def _both_infinite(one: float, other: float) -> bool:
    return math.isinf(one) and math.isinf(other)


def _inside(value: float, band: Interval) -> bool:
    """Strictly, but for an infinite value beside an infinite end."""
    return (value > band.low or math.isinf(band.low)) and (
        value < band.high or math.isinf(band.high)
    )


def _edge_p(values: Float64, edge: float) -> float:
    """As ``t_p``; values that do not vary and lie on the edge are outside for certain."""
    p = t_p(values, edge)
    assert p is not None
    return 0.0 if p == 1.0 and np.ptp(values) == 0 else p
