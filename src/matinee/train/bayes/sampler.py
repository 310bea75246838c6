"""The Gibbs sampler of the Bayesian factorisation machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...data import Ratings
from .config import BayesianConfig
from .kernels import (
    COUNT,
    SELF,
    P,
    X,
    block_sums,
    draw_factor,
    draw_linear,
    residuals,
    sums_by_item,
    sums_by_user,
)
from .probit import bounds_of, draw_cutpoints, draw_latent, first_cutpoints

MOST_LEVELS = 20
_SHAPE, _RATE, _MEANS, _START = 1.0, 1.0, 1.0, 0.1
"""Hyperpriors, as in libFM and myFM: precisions ~ Gamma(shape / 2, rate / 2), means ~ N(0, 1 /
(_MEANS * precision)); and the standard deviation of the first factors."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample of the posterior, as far as predictions need it. No array has a row per user.

    Attributes:
        items: q of the items, float32 (items, rank).
        scalars: What an item adds to a prediction by itself, float64 (items,).
        rated: Factors of having rated an item, float32 (items, rank); 0 without implicit features.
        rated_weights: Their linear weights, float64 (items,).
        prior: Mean and precision of the user ids' factors, then of their weights in the last
            column, float64 (2, rank + 1).
        start: w0.
        alpha: Precision of the residuals.
        cutpoints: float64 (levels - 1,); empty with the likelihood "normal".
    """

    items: Float32
    scalars: Float64
    rated: Float32
    rated_weights: Float64
    prior: Float64
    start: float
    alpha: float
    cutpoints: Float64


class _Side:
    """The features of the users, or of the items.

    Args:
        count: Ratings of each row, int64 (rows,).
        indptr: Where the rows that have each implicit feature begin, int64.
        rows: These rows, int32.
        rank: Length of the factors.
        rng: For the first factors.
    """

    def __init__(
        self, count: Int64, indptr: Int64, rows: Int32, rank: int, rng: np.random.Generator
    ) -> None:
        n, m = len(count), len(indptr) - 1
        self.indptr, self.rows = indptr, rows
        self.explicit_weights, self.implicit_weights = np.zeros(n), np.zeros(m)
        self.explicit = rng.normal(0.0, _START, (rank, n))
        self.implicit = rng.normal(0.0, _START, (rank, m))
        self.block = np.zeros((n, 8))
        self.block[:, COUNT] = count
        self.block[:, X] = 1.0 / np.sqrt(np.maximum(count, 1))
        self.explicit_prior = np.tile([0.0, 1e-5], (rank + 1, 1))
        self.implicit_prior = self.explicit_prior.copy()
        self.linear = np.zeros(n)
        self.sums = self.explicit.copy()
        squares = np.square(self.explicit)
        x = np.ascontiguousarray(self.block[:, X])
        for k in range(rank):
            block_sums(indptr, rows, x, self.implicit[k], 1, self.sums[k])
            block_sums(indptr, rows, x, self.implicit[k], 2, squares[k])
        self.squares = squares.sum(axis=0)

    @property
    def scalars(self) -> Float64:
        """What each row adds to a prediction by itself, float64 (rows,)."""
        scalars: Float64 = self.linear + 0.5 * (np.square(self.sums).sum(axis=0) - self.squares)
        return scalars

    def draw_weights(self, alpha: float, rng: np.random.Generator) -> Float64:
        """Draw the linear weights; what that adds to the predictions of each row, (rows,)."""
        priors = self.explicit_prior[-1], self.implicit_prior[-1]
        normals = rng.standard_normal(len(self.explicit_weights) + len(self.implicit_weights))
        draw_linear(
            self.block,
            self.indptr,
            self.rows,
            self.explicit_weights,
            self.implicit_weights,
            *priors,
            alpha,
            normals,
        )
        change = self.block[:, SELF].copy()
        self.linear += change
        return change

    def draw_factor(
        self, k: int, alpha: float, rng: np.random.Generator
    ) -> tuple[Float64, Float64]:
        """Draw factor k; the constant and slope by which predictions change, (rows,) each."""
        before = self.sums[k].copy()
        self.block[:, P], self.block[:, SELF] = before, 0.0
        normals = rng.standard_normal(self.explicit.shape[1] + self.implicit.shape[1])
        draw_factor(
            self.block,
            self.indptr,
            self.rows,
            self.explicit[k],
            self.implicit[k],
            self.explicit_prior[k],
            self.implicit_prior[k],
            alpha,
            normals,
        )
        now, squares = self.block[:, P].copy(), self.block[:, SELF]
        self.sums[k] = now
        self.squares += squares
        return 0.5 * (np.square(now) - np.square(before) - squares), now - before

    def draw_priors(self, rng: np.random.Generator) -> None:
        """Draw mean and precision of every factor's prior and of the weights', by kind."""
        kinds = (
            (self.explicit_prior, self.explicit, self.explicit_weights),
            (self.implicit_prior, self.implicit, self.implicit_weights),
        )
        for prior, factors, weights in kinds:
            n = len(weights)
            if n == 0:
                continue
            for k, values in enumerate((*factors, weights)):
                mean = prior[k, 0]
                spread = np.square(values - mean).sum() + _MEANS * mean**2
                shape, rate = 0.5 * (_SHAPE + n + 1), 0.5 * (_RATE + spread)
                precision = rng.gamma(shape) / rate
                center = values.sum() / (n + _MEANS)
                prior[k, 0] = rng.normal(center, 1.0 / np.sqrt(precision * (n + _MEANS)))
                prior[k, 1] = precision


class Gibbs:
    """A chain of samples.

    Args:
        train: The ratings, compact.
        config: The options.
        rng: For all draws.

    Attributes:
        levels: The rating levels, ascending, float64; empty with the likelihood "normal".
        mean: What is taken off the ratings, and
        spread: what they are divided by, with the likelihood "normal".
        users: The users' features.
        items: The items' features.
    """

    def __init__(self, train: Ratings, config: BayesianConfig, rng: np.random.Generator) -> None:
        self._rng = rng
        by_user, by_item = train.by_user, train.by_item
        self._indptr, self._items = by_user.indptr, by_user.indices
        rank = rank_for(len(train)) if config.rank == "auto" else config.rank
        none = np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32)
        had = (by_item.indptr, by_item.indices) if config.implicit else none
        self.users = _Side(by_user.counts, *had, rank, rng)
        had = (by_user.indptr, by_user.indices) if config.implicit else none
        self.items = _Side(by_item.counts, *had, rank, rng)
        self.start, self.alpha = 0.0, 1.0
        self.levels = rating_levels(by_user.values, config)
        self._residual = np.empty(len(train), dtype=np.float32)
        self.cutpoints = np.zeros(0)
        self.mean, self.spread = 0.0, 1.0
        if len(self.levels):
            self._level = np.searchsorted(self.levels, by_user.values).astype(np.int32)
            counts = np.bincount(self._level, minlength=len(self.levels)).astype(np.float64)
            self.cutpoints = first_cutpoints(counts)
            self._target = np.zeros(len(train), dtype=np.float32)
        else:
            self.mean = float(by_user.values.mean(dtype=np.float64))
            spread = float(by_user.values.std(dtype=np.float64))
            self.spread = spread if spread > 1e-9 * max(abs(self.mean), 1e-12) else 1.0
            scaled = (by_user.values.astype(np.float64) - self.mean) / self.spread
            self._target = scaled.astype(np.float32)

    def scores(self) -> Float32:
        """Predictions of the training ratings, as latent scores, float32, by user."""
        return self._target - self._residual

    def sweep(self) -> None:
        """Draw everything once."""
        rng, users, items = self._rng, self.users, self.items
        self._refresh()
        if len(self.levels):
            scores = self.scores()
            self.cutpoints = draw_cutpoints(self.cutpoints, scores, self._level, rng)
            uniforms = rng.random(len(scores))
            bounds = bounds_of(self.cutpoints)
            draw_latent(scores, self._level, bounds, uniforms, self._target)
            np.subtract(self._target, scores, out=self._residual)
        else:
            self._draw_noise()
        for side in (users, items):
            side.draw_priors(rng)
        self._draw_weights()
        for k in range(len(users.explicit)):
            self._draw_factor(k)
        self._apply_last_draw()

    def sample(self) -> Sample:
        """The current sample of the chain."""
        users, items = self.users, self.items
        shape = items.sums.shape
        empty = users.implicit.shape[1] == 0
        return Sample(
            np.ascontiguousarray(items.sums.T, dtype=np.float32),
            items.scalars,
            np.ascontiguousarray(
                (np.zeros(shape) if empty else users.implicit).T, dtype=np.float32
            ),
            np.zeros(shape[1]) if empty else users.implicit_weights.copy(),
            users.explicit_prior.T.copy(),
            self.start,
            self.alpha,
            self.cutpoints.copy(),
        )

    def _refresh(self) -> None:
        """Compute the residuals anew, so that rounding errors do not add up."""
        users, items = self.users, self.items
        residuals(
            self._indptr,
            self._items,
            self._target,
            users.scalars + self.start,
            items.scalars,
            np.ascontiguousarray(users.sums.T, dtype=np.float32),
            np.ascontiguousarray(items.sums.T, dtype=np.float32),
            self._residual,
        )
        self._shift = np.zeros((len(items.block), 3))
        self._last = np.zeros(len(users.block))

    def _draw_noise(self) -> None:
        """Draw the precision of the residuals, and w0."""
        n = len(self._residual)
        squares = float(np.square(self._residual, dtype=np.float64).sum())
        self.alpha = self._rng.gamma(0.5 * (_SHAPE + n)) * 2.0 / (_RATE + squares)
        quad = self.alpha * n + 1.0
        first = self.alpha * (float(self._residual.sum(dtype=np.float64)) + n * self.start)
        start = self._rng.normal(first / quad, 1.0 / np.sqrt(quad))
        self._residual -= np.float32(start - self.start)
        self.start = start

    def _draw_weights(self) -> None:
        users, items = self.users, self.items
        self._by_user()
        change = np.column_stack([users.draw_weights(self.alpha, self._rng), self._last])
        items.block[:, P] = 0.0
        sums_by_item(self._indptr, self._items, self._residual, self._last, change, items.block)
        self._shift[:, 0] = items.draw_weights(self.alpha, self._rng)
        self._shift[:, 1] = 0.0

    def _draw_factor(self, k: int) -> None:
        users, items = self.users, self.items
        self._shift[:, 2] = items.sums[k]
        self._by_user()
        change = np.column_stack(users.draw_factor(k, self.alpha, self._rng))
        items.block[:, P] = items.sums[k]
        self._last = users.sums[k]
        sums_by_item(self._indptr, self._items, self._residual, self._last, change, items.block)
        self._shift[:, 0], self._shift[:, 1] = items.draw_factor(k, self.alpha, self._rng)

    def _by_user(self) -> None:
        sums_by_user(
            self._indptr, self._items, self._residual, self._last, self._shift, self.users.block
        )

    def _apply_last_draw(self) -> None:
        """Apply what the last draw changed."""
        self._by_user()
        self._shift[:] = 0.0


def sampled(gibbs: Gibbs, config: BayesianConfig) -> Iterator[Sample | None]:
    """Sweep by sweep, the sample if it is one of those that are kept."""
    after = config.sweeps - config.burn_in
    number = min(max(config.samples // config.chains, 1), after)
    kept = np.linspace(after, 1, number).round().astype(int) + config.burn_in
    wanted = set(kept.tolist())
    for sweep in range(1, config.sweeps + 1):
        gibbs.sweep()
        yield gibbs.sample() if sweep in wanted else None


def rank_for(ratings: int) -> int:
    """The rank for a number of ratings: 4 up to 10,000 of them, 40 from a million on."""
    return int(np.clip(round(0.04 * ratings**0.5), 4, 40))


def rating_levels(values: Float32, config: BayesianConfig) -> Float64:
    """The levels of an ordered probit, ascending; none where the ratings are taken as numbers."""
    levels = np.unique(values).astype(np.float64)
    if config.likelihood == "normal" or len(levels) < 2:
        return np.zeros(0)
    if config.likelihood == "auto" and len(levels) > MOST_LEVELS:
        return np.zeros(0)
    return levels
