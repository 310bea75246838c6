"""``OrdinalLink``: ratings as ordered levels of a latent score (ordered logistic regression).

With thresholds t and a slope a, a rating of the latent score s exceeds level k with the probability

    P(rating > level k | s) = 1 / (1 + exp(-a (s - t_k)))

(the cumulative logit model of McCullagh, JRSS B 1980; for recommenders OrdRec, Koren & Sill, RecSys
2011). The score is on the scale of the ratings: thresholds and slope are fitted to scores of the
bias model first. The negative log-likelihood of level k is convex in s, and a sum of two logistic
losses: with z_k = a (t_k - s),

    log(1 + exp(-z_k)) + log(1 + exp(z_(k-1))) - log(1 - exp(z_(k-1) - z_k))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..base.arrays import Array, Float64, Int32, Int64, evenly_spaced
from ..errors import UsageError

MOST_LEVELS = 20
"""Largest number of distinct ratings that are modelled as ordered levels."""
SAMPLE = 50_000
"""Largest number of ratings used to fit a link."""
PRIOR = 2000.0
"""Weight of the earlier link, in ratings, when a link is refitted."""
_STEPS = 100
_TAIL = 18.0
"""Logits beyond the outer thresholds between which ``score`` inverts the expectation."""


@dataclass(frozen=True)
class OrdinalLink:
    """Probabilities of the levels of ratings, given a latent score.

    Attributes:
        levels: The levels, ascending.
        thresholds: The thresholds between levels, ascending.
        slope: Slope of the logits, above 0.
    """

    levels: tuple[float, ...]
    thresholds: tuple[float, ...]
    slope: float

    def __post_init__(self) -> None:
        numbers = [*self.levels, *self.thresholds, self.slope]
        rises = all(np.all(np.diff(each) > 0) for each in (self.levels, self.thresholds))
        whole = np.isfinite(numbers).all() and 2 <= len(self.levels) <= MOST_LEVELS
        if not (
            whole and rises and self.slope > 0 and len(self.thresholds) == len(self.levels) - 1
        ):
            raise ValueError(f"an ordinal link of {self.levels}, {self.thresholds}, {self.slope}")

    @classmethod
    def fit(
        cls,
        scores: Float64,
        ratings: Array,
        levels: Float64,
        earlier: OrdinalLink | None = None,
        weights: Array | None = None,
    ) -> OrdinalLink:
        """Fit by maximum likelihood to at most ``SAMPLE`` ratings.

        Args:
            scores: float64 (n,), the latent scores.
            ratings: The ratings, each equal to one of the levels, shape (n,).
            levels: float64 (levels,), ascending.
            earlier: A link with the same levels, used as a prior of ``PRIOR`` ratings. Without it,
                one rating of each level at that score is added.
            weights: Weights of the ratings, of mean 1, shape (n,); None for equal weights.
        """
        sample = evenly_spaced(len(scores), SAMPLE)
        scores, codes = scores[sample].astype(np.float64), np.searchsorted(levels, ratings[sample])
        weights = np.ones(len(scores)) if weights is None else weights[sample].astype(np.float64)
        if earlier is None:
            added, added_codes = levels.astype(np.float64), np.arange(len(levels))
            added_weights = np.ones(len(levels))
        else:
            each = earlier.probabilities(scores)
            added = np.repeat(scores, len(levels))
            added_codes = np.tile(np.arange(len(levels)), len(scores))
            added_weights = each.ravel() * (PRIOR / max(len(scores), 1))
        return _maximised(
            np.concatenate([scores, added]),
            np.concatenate([codes, added_codes]),
            np.concatenate([weights, added_weights]),
            levels,
            earlier,
        )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> OrdinalLink:
        """Restore a link from plain values, as in JSON.

        Raises:
            TypeError, ValueError: The values are invalid.
        """
        levels, thresholds = (tuple(map(float, values[n])) for n in ("levels", "thresholds"))
        return cls(levels, thresholds, float(values["slope"]))

    def multiplied(self, factor: float) -> OrdinalLink:
        """Return the link for ratings and scores multiplied by ``factor``, above 0."""
        levels, thresholds = (
            tuple(factor * each for each in values) for values in (self.levels, self.thresholds)
        )
        return OrdinalLink(levels, thresholds, self.slope / factor)

    @property
    def loss_scale(self) -> float:
        """Factor of the negative log-likelihood in the loss: 6 / slope^2.

        With many levels, the loss then has the curvature of a squared error, so that learning rates
        and the weight of a teacher's targets keep their meaning.
        """
        return 6.0 / self.slope**2

    def codes(self, ratings: Array) -> Int32:
        """Return the index of each rating's level, int32."""
        return np.searchsorted(np.asarray(self.levels), ratings).astype(np.int32)

    def above(self, scores: Array, k: int) -> Array:
        """Return P(rating > level k), in the dtype and shape of the scores."""
        kind = scores.dtype.type
        half = kind(0.5 * self.slope) * (scores - kind(self.thresholds[k]))
        return kind(0.5) * (np.tanh(half) + kind(1.0))  # the logistic function

    def expectation(self, scores: Array) -> Array:
        """Return the expected rating, in the dtype and shape of the scores."""
        kind = scores.dtype.type
        total = np.full_like(scores, self.levels[0])
        for k, step in enumerate(np.diff(self.levels)):
            total += kind(step) * self.above(scores, k)
        return total

    def probabilities(self, scores: Array) -> Float64:
        """Return the probability of each level, float64 (n, levels)."""
        exact = np.asarray(scores, dtype=np.float64)
        above = [self.above(exact, k) for k in range(len(self.thresholds))]
        edges = np.stack([np.ones_like(exact), *above, np.zeros_like(exact)], axis=-1)
        return edges[..., :-1] - edges[..., 1:]

    def at_least(self, scores: Array, rating: float) -> Array:
        """Return the probability of at least ``rating``, in the dtype and shape of the scores."""
        below = int(np.searchsorted(self.levels, rating))
        if below == 0:
            return np.ones_like(scores)
        if below == len(self.levels):
            return np.zeros_like(scores)
        return self.above(scores, below - 1)

    def score(self, ratings: Array) -> Array:
        """Return the latent scores with these expected ratings, within the tails; same dtype."""
        scores, expected = self._grid
        return np.interp(ratings, expected, scores).astype(ratings.dtype)

    @cached_property
    def _grid(self) -> tuple[Float64, Float64]:
        reach = _TAIL / self.slope
        scores = np.linspace(self.thresholds[0] - reach, self.thresholds[-1] + reach, 8001)
        return scores, self.expectation(scores)


def expected_ratings(scores: Array, link: OrdinalLink | None) -> Array:
    """Convert sums of outputs and offsets (latent scores, with a link) to predicted ratings."""
    return scores if link is None else link.expectation(scores)


def levels_of(ratings: Array, name: str) -> Float64:
    """Return the distinct ratings, ascending, float64 (levels,).

    Raises:
        UsageError: There is only one, or more than ``MOST_LEVELS``.
    """
    levels = np.unique(ratings).astype(np.float64)
    if not 2 <= len(levels) <= MOST_LEVELS:
        raise UsageError(
            f"{name}: output = 'ordinal' needs ratings of 2 to {MOST_LEVELS} levels; these have "
            f"{len(levels):,}; set output = 'rating'"
        )
    return levels


def _maximised(
    scores: Float64, codes: Int64, weights: Float64, levels: Float64, start: OrdinalLink | None
) -> OrdinalLink:
    """Minimise the negative log-likelihood, convex in logits and slope, by Newton's method."""
    count = len(levels) - 1
    center = float(levels.mean())
    scores = scores - center
    if start is None:
        share = np.cumsum(np.bincount(codes, weights, minlength=count + 1))[:-1] / weights.sum()
        slope = 1.8 / max(float(np.std(levels[codes])), 1e-9)
        point = np.append(np.log(share) - np.log1p(-share), slope)
    else:
        slope = start.slope
        point = np.append(slope * (np.array(start.thresholds) - center), slope)
    value, gradient, hessian = _slopes(point, scores, codes, weights)
    for _ in range(_STEPS):
        step = np.linalg.solve(hessian + 1e-12 * np.eye(count + 1), gradient)
        size = 1.0
        while size > 1e-9:
            trial = point - size * step
            if trial[-1] > 0.0 and np.all(np.diff(trial[:-1]) > 0.0):
                then = _slopes(trial, scores, codes, weights)
                if then[0] <= value:
                    break
            size /= 2.0
        else:
            break
        fell = value - then[0]
        point, (value, gradient, hessian) = trial, then
        if fell < 1e-10 * (1.0 + abs(value)):
            break
    thresholds = point[:-1] / point[-1] + center
    return OrdinalLink(tuple(levels.tolist()), tuple(thresholds.tolist()), float(point[-1]))


@np.errstate(over="ignore")  # far apart, thresholds do not affect each other: 1 / infinity is 0
def _slopes(
    point: Float64, scores: Float64, codes: Int64, weights: Float64
) -> tuple[float, Float64, Float64]:
    """Compute the negative log-likelihood, and its derivatives by threshold logits and slope.

    Args:
        point: float64 (thresholds + 1,): the logits at score 0, ascending, and the slope.
        scores: float64 (n,).
        codes: int64 (n,), the level of each rating.
        weights: float64 (n,).

    Returns:
        The value, its gradient and its Hessian.
    """
    logits, slope = point[:-1], point[-1]
    count = len(logits)
    upper, lower = np.append(logits, np.inf)[codes], np.append(-np.inf, logits)[codes]
    z_upper, z_lower = upper - slope * scores, lower - slope * scores
    above, below = np.exp(-np.logaddexp(0.0, z_upper)), np.exp(-np.logaddexp(0.0, -z_lower))
    gaps = np.diff(logits)
    mass = np.bincount(codes, weights, minlength=count + 1)[1:-1]
    value = float(weights @ (np.logaddexp(0.0, -z_upper) + np.logaddexp(0.0, z_lower)))
    value -= float(mass @ np.log(-np.expm1(-gaps)))
    gradient, hessian = np.zeros(count + 1), np.zeros((count + 1, count + 1))
    pulls = mass / np.expm1(gaps)
    curves = pulls / -np.expm1(-gaps)
    at = np.arange(count)
    for edge, sign, miss in ((codes, -1.0, above), (codes - 1, 1.0, below)):
        inner = (edge >= 0) & (edge < count)
        k, w, s, m = edge[inner], weights[inner], scores[inner], miss[inner]
        gradient[:count] += sign * np.bincount(k, w * m, minlength=count)
        gradient[count] -= sign * float((w * m) @ s)
        w = w * m * (1.0 - m)
        hessian[at, at] += np.bincount(k, w, minlength=count)
        hessian[at, count] -= np.bincount(k, w * s, minlength=count)
        hessian[count, count] += float(w @ np.square(s))
    hessian[count, :count] = hessian[:count, count]
    gradient[1:count] -= pulls
    gradient[: count - 1] += pulls
    hessian[at[1:], at[1:]] += curves
    hessian[at[:-1], at[:-1]] += curves
    hessian[at[1:], at[:-1]] -= curves
    hessian[at[:-1], at[1:]] -= curves
    return value, gradient, hessian
