"""The Gibbs sampler of the Bayesian factorisation machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Float64
from ...baseline.ordinal import MOST_LEVELS
from ...data import CodedColumn, Ratings
from .config import BayesianConfig
from .features import RATE, SHAPE, Side
from .kernels import P, residuals, sums_by_item, sums_by_user
from .probit import bounds_of, draw_cutpoints, draw_latent, first_cutpoints


@dataclass(frozen=True, eq=False)
class Sample:
    """The part of a posterior sample that predictions need. No array has a row per user.

    Attributes:
        items: q of the items, float32 (items, rank).
        scalars: Scalar term of an item in a prediction, float64 (items,).
        rated: Factors of the implicit features, float32 (items, rank); 0 without them.
        rated_weights: Their linear weights, float64 (items,).
        columns: Factors of the user columns' levels, followed by the mean user's, float64
            (levels + 1, rank); without rows if there are no columns.
        column_weights: Their linear weights, float64 (levels + 1,).
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
    columns: Float64
    column_weights: Float64
    prior: Float64
    start: float
    alpha: float
    cutpoints: Float64


class Gibbs:
    """A chain of samples.

    Attributes:
        levels: The rating levels, ascending, float64; empty with the likelihood "normal".
        mean: Subtracted from ratings, and
        spread: the divisor of ratings, with the likelihood "normal".
        users: The users' features.
        items: The items' features.
    """

    def __init__(
        self,
        train: Ratings,
        config: BayesianConfig,
        rng: np.random.Generator,
        columns: Sequence[Sequence[CodedColumn]] = ((), ()),
    ) -> None:
        self._rng = rng
        by_user, by_item = train.by_user, train.by_item
        self._indptr, self._items = by_user.indptr, by_user.indices
        rank = rank_for(len(train)) if config.rank == "auto" else config.rank
        had = (by_item.indptr, by_item.indices) if config.implicit else None
        self.users = Side(by_user.counts, had, columns[0], rank, rng)
        had = (by_user.indptr, by_user.indices) if config.implicit else None
        self.items = Side(by_item.counts, had, columns[1], rank, rng)
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
        """Return latent scores of the training ratings, float32, by user."""
        return self._target - self._residual

    def sweep(self) -> None:
        """Draw every parameter once."""
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
        for k in range(len(users.sums)):
            self._draw_factor(k)
        self._apply_last_draw()

    def sample(self) -> Sample:
        """Return the current sample of the chain."""
        users, items = self.users, self.items
        shape, implicit = items.sums.shape, users.implicit
        factors = np.zeros(shape) if implicit is None else implicit.factors
        columns = users.of_columns() if users.columns else (np.zeros((0, shape[0])), np.zeros(0))
        return Sample(
            np.ascontiguousarray(items.sums.T, dtype=np.float32),
            items.scalars,
            np.ascontiguousarray(factors.T, dtype=np.float32),
            np.zeros(shape[1]) if implicit is None else implicit.weights.copy(),
            *columns,
            users.ids.prior.T.copy(),
            self.start,
            self.alpha,
            self.cutpoints.copy(),
        )

    def _refresh(self) -> None:
        """Recompute the residuals, so that rounding errors do not accumulate."""
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
        self.alpha = self._rng.gamma(0.5 * (SHAPE + n)) * 2.0 / (RATE + squares)
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
        """Apply the changes of the last draw to the residuals."""
        self._by_user()
        self._shift[:] = 0.0


def sampled(gibbs: Gibbs, config: BayesianConfig) -> Iterator[Sample | None]:
    """Run the sweeps, yielding the sample of each sweep that is kept, else None."""
    after = config.sweeps - config.burn_in
    number = min(max(config.samples // config.chains, 1), after)
    last_sweeps = np.linspace(after, 1, number).round().astype(int) + config.burn_in
    sampled_sweeps = set(last_sweeps.tolist())
    for sweep in range(1, config.sweeps + 1):
        gibbs.sweep()
        yield gibbs.sample() if sweep in sampled_sweeps else None


def rank_for(ratings: int) -> int:
    """Return the rank for a number of ratings: 4 up to 10,000, 40 from a million."""
    return int(np.clip(round(0.04 * ratings**0.5), 4, 40))


def rating_levels(values: Float32, config: BayesianConfig) -> Float64:
    """Return the ascending levels of an ordered probit; empty with the normal likelihood."""
    levels = np.unique(values).astype(np.float64)
    if config.likelihood == "normal" or len(levels) < 2:
        return np.zeros(0)
    if config.likelihood == "auto" and len(levels) > MOST_LEVELS:
        return np.zeros(0)
    return levels
