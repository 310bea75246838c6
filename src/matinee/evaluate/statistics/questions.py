"""Hypotheses about figures over seeds, decided jointly by their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...base.arrays import Float64
from ..metric import Interval
from .bootstrap import interval
from .seeds import ALPHA, holm, t_interval, t_p

Status = Literal["established", "refuted", "undecided"]


@dataclass(frozen=True)
class Answer:
    """The decision on a question.

    Attributes:
        status: "established" (the interval is inside the band), "refuted" (outside) or "undecided".
        leaning: The side that the estimate is on; None if it is NaN.
        mean: The estimate.
        interval: The interval it was decided by, at the level required by Holm's correction: it is
            inside or outside the band exactly if the question is decided.
        p: Uncorrected p value, or None.
        adjusted: p value adjusted by Holm's correction, or None.
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

    Infinite values (one of the two diverged on that seed) decide if all seeds point the same way
    and fewer than two are finite; with two or more finite values those decide, and only in the
    direction of the infinite ones.

    Attributes:
        values: One per seed, float64, shape (n,).
        band: Range of the mean under the hypothesis.
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
        """Of Student's t against the edge of the band."""
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
        """Return the Student-t interval; None with one seed or a diverged run."""
        finite = self.n > 0 and bool(np.isfinite(self.values).all())
        return t_interval(self.values, alpha) if finite else None


@dataclass(frozen=True, eq=False)
class Slope:
    """A slope with draws from its distribution, with the hypothesis of a band.

    Attributes:
        mean: The estimate.
        draws: float64, shape (draws,); empty with one seed.
        band: Range of the slope under the hypothesis.
        n: Seeds.
    """

    mean: float
    draws: Float64
    band: Interval
    n: int

    @property
    def p(self) -> float | None:
        """Twice the share of draws on the far side of the edge, at least two in all draws.

        A draw on the edge is outside the band: a slope of zero is no growth.
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
        """Return percentiles of the draws."""
        return interval(self.draws, alpha) if len(self.draws) else None


Question = Mean | Slope
"""An unknown number, and the band in which it lies under the hypothesis."""


def answer(questions: Sequence[Question], alpha: float = ALPHA) -> list[Answer]:
    """Decide questions jointly, with Holm's correction over all of them.

    Each question's interval has the level at which the procedure decided it, or stopped.
    """
    p_values = [q.p for q in questions]
    adjusted = holm(p_values)
    decided = [a is not None and a <= alpha for a in adjusted]
    order = np.argsort([1.0 if p is None else p for p in p_values], kind="stable").tolist()
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
            p=p_values[at],
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
    """Fit the slope, by least squares, of the position of the lowest mean figure over x.

    Its distribution is by resampling: at every x, the residuals of the figures beside the means of
    positions and of seeds (a seed moves all positions alike, as another split does) are pooled over
    the positions, since each has only two or three, widened for the degrees of freedom of the
    means, and resampled. A position with a diverged run is never the lowest.

    Args:
        figures: For each x, float64, shape (positions, seeds); at least one row is finite.
        positions: For each x, the values of the rows of ``figures``, float64.
        x: float64, shape (len(figures),), at least two different values.
        band: The band of the hypothesis.
        rng: Generator of the draws.
        draws: Number of draws.
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
    """Return the residuals of a table beside its row and column means, widened."""
    rows, seeds = figure.shape
    if rows < 2:
        return np.zeros(1)
    left = figure - figure.mean(axis=1, keepdims=True) - figure.mean(axis=0) + figure.mean()
    return left.ravel() * math.sqrt(seeds / (seeds - 1) * rows / (rows - 1))


def _slope(x: Float64, y: Float64) -> Float64:
    centred = x - x.mean()
    return (y - y.mean(axis=1, keepdims=True)) @ centred / (centred @ centred)


def _inside(value: float, band: Interval) -> bool:
    """Return whether a value is strictly inside; an infinite value is inside an infinite end."""
    return (value > band.low or math.isinf(band.low)) and (
        value < band.high or math.isinf(band.high)
    )


def _edge_p(values: Float64, edge: float) -> float:
    """Return ``t_p``; constant values on the edge are certainly outside."""
    p = t_p(values, edge)
    assert p is not None
    return 0.0 if p == 1.0 and np.ptp(values) == 0 else p
