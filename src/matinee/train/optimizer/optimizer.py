"""The optimiser of the compiled backend: sparse updates of tables, dense ones of the rest."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from torch import Tensor

from ...base.arrays import Array, Float, Float64, Int32
from ...nn import Columns
from ..config import TrainConfig
from . import _moves as moves, _row_kernels as kernels

_KINDS = {"adam": moves.ADAM, "sgd": moves.SGD}


def has_l2(config: TrainConfig, parameter: Tensor) -> bool:
    """Return whether L2 regularisation applies to a parameter of the network."""
    return config.l2_on == "all" or parameter.ndim > 1


class StepSizes:
    """Learning rates and correction factors of every step; see ``_row_kernels`` for their use.

    Args:
        config: The training options.
        rates: The learning rate of each step, see ``learning_rates``.
    """

    def __init__(self, config: TrainConfig, rates: Float64) -> None:
        self.kind = _KINDS[config.optimizer]
        self.eps = config.eps
        self.l2 = config.l2
        adam = config.optimizer == "adam"
        self.beta1 = config.beta1 if adam else config.momentum
        self.beta2 = config.beta2 if adam else 1.0
        step = np.arange(len(rates), dtype=np.float64)
        self.root: Array = np.ones_like(rates)
        if adam:
            self.root[:] = np.sqrt(1.0 - np.power(self.beta2, step))
        self.rate = rates.copy()
        if adam:
            self.rate[1:] /= 1.0 - self.beta1 ** step[1:]
        self.keep: Float64 = 1.0 - rates * config.weight_decay
        self.keep[0] = 1.0
        # As a logarithm: the product would underflow in a long run.
        shrunk: Array = np.cumsum(np.log(self.keep))
        ratio = self.beta1 / np.sqrt(self.beta2)
        tail = np.zeros_like(rates)
        # The direction is m / sqrt(v); the size includes the root of Adam's second bias correction.
        size = self.rate * self.root
        for t in range(len(rates) - 2, -1, -1):
            tail[t] = ratio * (size[t + 1] + tail[t + 1]) / self.keep[t + 1]
        self.decays = self.beta1, self.beta2, ratio, tail, shrunk, self.root, self.eps
        self.uses_v = adam

    def step(self, t: int, *, decays: bool = True, penalised: bool = True) -> moves.Step:
        """Return the factors of step ``t``, without weight decay or L2 if these do not apply."""
        keep, l2 = self.keep[t] if decays else 1.0, self.l2 if penalised else 0.0
        beta1, beta2 = self.beta1, self.beta2
        return self.rate[t], keep, beta1, beta2, self.root[t], self.eps, l2

    def moments(self, like: Float) -> tuple[Float, Float]:
        """Return zero first and second moments for parameters; SGD has no second."""
        # Unlike zeros_like, zeros allocates memory only when it is first written to.
        second = like if self.uses_v else like[:0]
        return np.zeros(like.shape, like.dtype), np.zeros(second.shape, second.dtype)


class SparseTable:
    """A table whose rows are updated only when they have a gradient, and its moments.

    Args:
        sizes: The step sizes.
        weights: float (n, width), updated in place.
    """

    def __init__(self, sizes: StepSizes, weights: Float) -> None:
        self.sizes = sizes
        self.weights = weights
        self.m, self.v = sizes.moments(weights)
        self.last = np.zeros(len(weights), dtype=np.int32)
        self._table = self.weights, self.m, self.v, self.last
        self._empty = (weights[:0, 0].copy(), weights[:0].copy())

    def catch_up(self, columns: Int32, step: int) -> None:
        """Apply the deferred updates of rows up to ``step``, as in a dense optimiser."""
        kernels.catch_up(self.sizes.kind, columns, self._table, step, self.sizes.decays)

    def step(
        self,
        columns: Columns,
        step: int,
        factors: tuple[Float, Float],
        second: tuple[Float, Float] | None = None,
    ) -> None:
        """Update the rows of a batch by their gradient, given as (entries, rows) factors.

        Args:
            columns: The batch's entries by column.
            step: The step, from 1.
            factors: float (entries,) and (batch rows, width); see ``step_rows``.
            second: A tied table's other pair of factors.
        """
        kernels.step_rows(
            self.sizes.kind,
            columns.columns,
            (columns.start, columns.row_of, columns.entry_of),
            factors + (second or self._empty),
            self._table,
            step,
            self.sizes.step(step),
        )

    def step_given(self, rows: Int32, gradient: Float, step: int) -> None:
        """Update some rows by a dense gradient, float (rows, width)."""
        factors = self.sizes.step(step)
        kernels.step_given(self.sizes.kind, rows, gradient, self._table, step, factors)


class Flat:
    """The parameters outside the tables as one flat vector with dense updates, and its moments.

    Args:
        sizes: The step sizes.
        weights: float (n,), updated in place.
        parts: For each consecutive part, its size, and whether weight decay and L2 apply.
    """

    def __init__(
        self, sizes: StepSizes, weights: Float, parts: list[tuple[int, bool, bool]]
    ) -> None:
        self.sizes = sizes
        self.weights = weights
        self.gradient = np.zeros_like(weights)
        self.m, self.v = sizes.moments(weights)
        self._spans: list[tuple[slice, bool, bool]] = []
        start = 0
        for (decays, penalised), group in groupby(parts, key=lambda part: part[1:]):
            size = sum(part[0] for part in group)
            self._spans.append((slice(start, start + size), decays, penalised))
            start += size

    def step(self, step: int) -> None:
        """Update by ``gradient`` and set it to 0."""
        sizes = self.sizes
        for span, decays, penalised in self._spans:
            long = span.stop - span.start > kernels.STRETCH
            (kernels.step_long if long else kernels.step_flat)(
                sizes.kind,
                self.weights[span],
                self.m[span],
                self.v[span],
                self.gradient[span],
                sizes.step(step, decays=decays, penalised=penalised),
            )
