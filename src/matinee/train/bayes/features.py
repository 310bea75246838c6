"""The features of a side: ids, implicit features and columns, with their priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...base.arrays import Float64, Int32, Int64
from ...data import CodedColumn
from .kernels import (
    COUNT,
    SELF,
    P,
    X,
    block_sums,
    draw_factor_of_features,
    draw_factor_of_ids,
    draw_weights_of_features,
    draw_weights_of_ids,
)

SHAPE, RATE, _MEANS, _START = 1.0, 1.0, 1.0, 0.1
"""Hyperpriors, as in libFM and myFM: precisions ~ Gamma(shape / 2, rate / 2), means ~ N(0, 1 /
(_MEANS * precision)); and the standard deviation of the first factors."""


@dataclass(eq=False)
class Features:
    """Features of a side that share a prior: the ids, or others.

    Attributes:
        factors: float64 (rank, features).
        weights: Linear weights, float64 (features,).
        prior: Mean and precision of the prior of each factor, and in the last row of the weights,
            float64 (rank + 1, 2).
        indptr: Start of each feature's rows, int64 (features + 1,); empty for ids.
        rows: Rows with each feature, int32.
        x: Value of the features of each row, float64 (rows,).
    """

    factors: Float64
    weights: Float64
    prior: Float64
    indptr: Int64
    rows: Int32
    x: Float64

    @classmethod
    def start(
        cls, n: int, indptr: Int64, rows: Int32, x: Float64, rank: int, rng: np.random.Generator
    ) -> Self:
        """Initialise before the first sweep."""
        prior = np.tile([0.0, 1e-5], (rank + 1, 1))
        return cls(rng.normal(0.0, _START, (rank, n)), np.zeros(n), prior, indptr, rows, x)

    def draw_prior(self, rng: np.random.Generator) -> None:
        """Draw mean and precision of the priors of all factors and of the weights."""
        n = len(self.weights)
        if n == 0:
            return
        for k, values in enumerate((*self.factors, self.weights)):
            mean = self.prior[k, 0]
            spread = np.square(values - mean).sum() + _MEANS * mean**2
            shape, rate = 0.5 * (SHAPE + n + 1), 0.5 * (RATE + spread)
            precision = rng.gamma(shape) / rate
            center = values.sum() / (n + _MEANS)
            self.prior[k, 0] = rng.normal(center, 1.0 / np.sqrt(precision * (n + _MEANS)))
            self.prior[k, 1] = precision


class Side:
    """The features of the users, or of the items.

    Args:
        count: Ratings of each row, int64 (rows,).
        had: Start of each implicit feature's rows, int64, and the rows, int32; None without
            implicit features.
        columns: Side columns of the rows.
        rank: Length of the factors.
        rng: Generator of the initial factors.
    """

    def __init__(
        self,
        count: Int64,
        had: tuple[Int64, Int32] | None,
        columns: Sequence[CodedColumn],
        rank: int,
        rng: np.random.Generator,
    ) -> None:
        n, none = len(count), (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32))
        self.block = np.zeros((n, 8))
        self.block[:, COUNT] = count
        self.ids = Features.start(n, *none, np.ones(n), rank, rng)
        self.others: list[Features] = []
        if had is not None:
            x = 1.0 / np.sqrt(np.maximum(count, 1))
            self.others.append(Features.start(len(had[0]) - 1, *had, x, rank, rng))
        self.columns = [
            Features.start(len(each.levels), *each.transposed(), each.scale, rank, rng)
            for each in columns
        ]
        self.others += self.columns
        self.linear = np.zeros(n)
        self.sums = self.ids.factors.copy()
        squares = np.square(self.sums)
        for each in self.others:
            for k in range(rank):
                rows = each.indptr, each.rows, each.x, each.factors[k]
                block_sums(*rows, 1, self.sums[k])
                block_sums(*rows, 2, squares[k])
        self.squares = squares.sum(axis=0)

    @property
    def implicit(self) -> Features | None:
        """The implicit features, if any."""
        return self.others[0] if len(self.others) > len(self.columns) else None

    @property
    def scalars(self) -> Float64:
        """Scalar term of each row in a prediction, float64 (rows,)."""
        return self.linear + 0.5 * (np.square(self.sums).sum(axis=0) - self.squares)

    def of_columns(self) -> tuple[Float64, Float64]:
        """Return factors and weights of the columns' levels, followed by those of the mean row.

        Returns:
            float64 (levels + 1, rank) and float64 (levels + 1,).
        """
        n, rank = len(self.linear), len(self.sums)
        linear, sums, squares = np.zeros(n), np.zeros((rank, n)), np.zeros(n)
        for each in self.columns:
            rows = each.indptr, each.rows, each.x
            block_sums(*rows, each.weights, 1, linear)
            for k in range(rank):
                block_sums(*rows, each.factors[k], 1, sums[k])
                block_sums(*rows, each.factors[k], 2, squares)
        linear += 0.5 * (np.square(sums).sum(axis=0) - squares)
        factors = [*(each.factors for each in self.columns), sums.mean(axis=1, keepdims=True)]
        weights = [*(each.weights for each in self.columns), linear.mean(keepdims=True)]
        return np.concatenate(factors, axis=1).T, np.concatenate(weights)

    def draw_weights(self, alpha: float, rng: np.random.Generator) -> Float64:
        """Draw the linear weights; return the change of each row's predictions, (rows,)."""
        ids, block = self.ids, self.block
        normals = self._normals(rng)
        draw_weights_of_ids(block, ids.weights, ids.prior[-1], alpha, normals[0])
        for each, draws in zip(self.others, normals[1:], strict=True):
            block[:, X] = each.x
            rows = each.indptr, each.rows
            draw_weights_of_features(block, *rows, each.weights, each.prior[-1], alpha, draws)
        change = self.block[:, SELF].copy()
        self.linear += change
        return change

    def draw_factor(
        self, k: int, alpha: float, rng: np.random.Generator
    ) -> tuple[Float64, Float64]:
        """Draw factor k; return constant and slope of the change of predictions, (rows,) each."""
        before, ids, block = self.sums[k].copy(), self.ids, self.block
        block[:, P] = before
        normals = self._normals(rng)
        draw_factor_of_ids(block, ids.factors[k], ids.prior[k], alpha, normals[0])
        for each, draws in zip(self.others, normals[1:], strict=True):
            block[:, X] = each.x
            rows = each.indptr, each.rows
            draw_factor_of_features(block, *rows, each.factors[k], each.prior[k], alpha, draws)
        now, squares = self.block[:, P].copy(), self.block[:, SELF]
        self.sums[k] = now
        self.squares += squares
        return 0.5 * (np.square(now) - np.square(before) - squares), now - before

    def draw_priors(self, rng: np.random.Generator) -> None:
        """Draw the priors of all features."""
        for each in (self.ids, *self.others):
            each.draw_prior(rng)

    def _normals(self, rng: np.random.Generator) -> list[Float64]:
        """Return a standard normal draw for each feature."""
        sizes = [len(each.weights) for each in (self.ids, *self.others)]
        return np.split(rng.standard_normal(sum(sizes)), np.cumsum(sizes)[:-1])
