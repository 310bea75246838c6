"""Questions about numbers known over seeds, decided together by their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from ...base.arrays import Float64
from ..metric import Interval
from .seeds import ALPHA, holm, t_interval, t_p

Status = Literal["established", "refuted", "undecided"]


class Question(Protocol):
    """An unknown number, and the band in which it lies under the hypothesis."""

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


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean over seeds of a figure or a paired difference, with the hypothesis of a band.

    Where some values are infinite (one of the two diverged on that seed), they settle it if all
    seeds point the same way and fewer than two are finite; with two or more finite ones those
    decide, and only in the direction of the infinite ones.

    Attributes:
        values: One per seed, float64, shape (n,).
        band: Where the mean lies under the hypothesis.
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
        # The nearer edge has the larger p value, inside the band and outside.
        return max(_edge_p(finite, edge) for edge in self.band if math.isfinite(edge))

    def interval(self, alpha: float) -> Interval | None:
        """By Student's t; None with one seed or a diverged run."""
        finite = self.n > 0 and bool(np.isfinite(self.values).all())
        return t_interval(self.values, alpha) if finite else None


@dataclass(frozen=True, eq=False)
class Slope:
    """A slope with draws from its distribution, with the hypothesis of a band.

    Attributes:
        mean: The estimate.
        draws: float64, shape (draws,); empty with one seed.
        band: Where the slope lies under the hypothesis.
        n: Seeds.
    """

    mean: float
    draws: Float64
    band: Interval
    n: int

    @property
    def p(self) -> float | None:
        """Twice the share of draws on the far side of the edge, at least two in all draws.

        A draw on the edge is outside the band: a slope of nothing is no growth.
        """
        if not len(self.draws):
            return None
        low, high = self.band
        if _inside(self.mean, self.band):
            share = max((self.draws <= low).mean(), (self.draws >= high).mean())
        elif self.mean <= low:
            share = (self.draws > low).mean()
        else:
            share = (self.draws < high).mean()
        return float(min(1.0, 2 * max(share, 1 / len(self.draws))))

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
    positions: Sequence[Float64],
    x: Float64,
    band: Interval,
    rng: np.random.Generator,
    draws: int = 4000,
) -> Slope:
    """How the position of the lowest mean figure grows with x: slope of least squares.

    Its distribution is by resampling: at every x, what a position's seeds leave over beside its
    mean and the seed's (which moves all positions alike, as another split does) is pooled over the
    positions, as the two or three of each would be too few, widened for the degrees of freedom
    that the means took, and drawn anew. A position with a diverged run is never the lowest.

    Args:
        figures: At each x, float64, shape (positions there, seeds); some row is finite.
        positions: At each x, the x values of the rows of ``figures``, float64.
        x: float64, shape (len(figures),), at least two different values.
        band: The band of the hypothesis.
        rng: Where the draws come from.
        draws: How many.
    """
    seeds = min(f.shape[1] for f in figures)
    best = np.array([p[f.mean(axis=1).argmin()] for f, p in zip(figures, positions, strict=True)])
    slope = float(_slope(x, best[None, :])[0])
    if seeds < 2:
        return Slope(slope, np.empty(0), band, seeds)
    drawn = np.empty((draws, len(x)))
    for at, (figure, tried) in enumerate(zip(figures, positions, strict=True)):
        n = figure.shape[1]
        means = figure.mean(axis=1)
        finite = np.isfinite(means)
        residuals = _residuals(figure[finite])
        noise = rng.choice(residuals, (draws, len(means), n)).mean(axis=2)
        drawn[:, at] = tried[(means + noise).argmin(axis=1)]
    return Slope(slope, _slope(x, drawn), band, seeds)


def _residuals(figure: Float64) -> Float64:
    """What is left of a table of positions and seeds beside its row and column means, widened."""
    rows, seeds = figure.shape
    if rows < 2:
        return np.zeros(1)
    left = figure - figure.mean(axis=1, keepdims=True) - figure.mean(axis=0) + figure.mean()
    return left.ravel() * math.sqrt(seeds / (seeds - 1) * rows / (rows - 1))


def _slope(x: Float64, y: Float64) -> Float64:
    centred = x - x.mean()
    return (y - y.mean(axis=1, keepdims=True)) @ centred / (centred @ centred)


def _certain(p: float | None) -> float:
    return 1.0 if p is None else p


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
