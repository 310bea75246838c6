"""Re-feeding: a second step of each batch, on the network's own output (Kuchaiev & Ginsburg 2017).

To approach a fixed point f(f(x)) = f(x), each step on a batch x is followed by one with y = f(x) as
input and target, at every column. y is the output of the first pass (weights before its step, with
its dropout mask), and receives no gradient. The loss is the mean of (f(y) - y)^2 over rows and all
n columns. Outputs are in centred units and serve as inputs without conversion.

The dense form costs batch x n x width, however few the ratings. The sampled form samples, for each
batch, m columns as inputs, m as targets and 4 m as control variates, independently. With u
the output for the batch's mean hidden layer, and w a column's weight row, the encoder's sums are
estimated by

    n (mean of (y - u) w over the input columns + mean of u w over the control columns).

u is most of y and the same for every row of the batch, so its part is computed from many more
columns at little cost. (With input = "presence" the second mean includes the columns' other weight
rows: in the dense output every column is present.) Then

- the estimated sums are unbiased for the dense ones;
- the mean squared error over the target columns, and its gradients with respect to the output
  table, the output biases and the last hidden layer, are unbiased for those over all n columns;
- the input table's gradient is unbiased for the dense one, given the gradient by the sums.

The hidden layers, and so the loss as a whole, are not linear in the sums and therefore biased; the
bias decreases with the variance of the sums, as 1 / m.

One sample per batch, rather than per row, keeps the computation in small matrix products.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..base.arrays import Int32
from ..nn import Network
from ..nn.sparse import reference
from .config import TrainConfig
from .distributed import ALONE, ProcessGroup
from .optimizer.optimizer import Flat, SparseTable

Index = Tensor | slice
"""Columns: int64 (m,), ascending; or all of them, without a copy."""
_EVERY = slice(None)
_SUMMED = 4  # control columns for each input column


@dataclass(frozen=True, eq=False)
class Fed:
    """Inputs and targets of the second step, taken from the network's output.

    Attributes:
        shown: The input columns.
        scored: The target columns.
        summed: The control columns.
        input: (rows, m), the output at the input columns, minus u.
        usual: (1, control columns), u, the output for the mean hidden layer; None in the dense
            form, where ``input`` is the whole output.
        target: (rows, m), the output at the target columns.
        span: Position of the first of these rows in their batch, and the batch's number of rows.
    """

    shown: Index
    scored: Index
    summed: Index
    input: Tensor
    usual: Tensor | None
    target: Tensor
    span: tuple[int, int]


class _Refeed:
    """Shared by both backends: the sampling of columns, and the second loss."""

    def __init__(self, network: Network, config: TrainConfig, group: ProcessGroup = ALONE) -> None:
        self.network = network
        self._group = group
        self._n = network.bias_out.numel()
        self._m = min(config.refeed_entries, self._n) if config.refeed == "sampled" else self._n
        self._each = len(network.table_in) // self._n
        self._weight = 1 / math.sqrt(self._n) if network.config.input_scale == "sqrt" else 1.0

    def _columns(self) -> tuple[Index, Index, Index]:
        """Draw the input, target and control columns, by the network's generator."""
        if self._m == self._n:
            return _EVERY, _EVERY, _EVERY
        generator = self.network.generator
        seed = torch.randint(2**62, (2,), generator=generator, device=generator.device).tolist()
        rng = np.random.default_rng(seed)  # costs O(m), torch's permutation O(n)
        shown, scored, summed = (self._some(rng, m) for m in (self._m, self._m, _SUMMED * self._m))
        return shown, scored, summed

    def _some(self, rng: np.random.Generator, m: int) -> Index:
        if m >= self._n:
            return _EVERY
        drawn = np.sort(rng.choice(self._n, m, replace=False, shuffle=False))
        return torch.from_numpy(drawn).to(self.network.bias_out.device)

    @torch.no_grad()
    def _output(
        self, hidden: Tensor, columns: tuple[Index, Index, Index], span: tuple[int, int]
    ) -> Fed:
        shown, scored, summed = columns
        output = self._decode(hidden, shown)
        if shown is scored:
            return Fed(*columns, output, None, output, span)
        mean = hidden.sum(dim=0, keepdim=True) / span[1]
        self._group.sum(mean)
        output -= self._decode(mean, shown)
        usual, target = self._decode(mean, summed), self._decode(hidden, scored)
        return Fed(*columns, output, usual, target, span)

    def _decode(self, hidden: Tensor, columns: Index, table: Tensor | None = None) -> Tensor:
        """Compute the output at some columns; ``table`` has their output rows, if available."""
        table = self.network.table_out[columns] if table is None else table
        return reference.decode_all(self.network, hidden, table, self.network.bias_out[columns])

    def _loss(self, fed: Fed, shown: Tensor, summed: Tensor, scored: Tensor) -> Tensor:
        """Compute the share of these rows in the second loss.

        Args:
            fed: The inputs and targets.
            shown: (m, each * width), the input table's rows of the input columns.
            summed: (up to 4 m, each * width), the rows of the control columns.
            scored: (m, width), the output table's rows of the target columns.
        """
        hidden = self.network.middle(self._sums(fed, shown, summed), fed.span)
        error = self._decode(hidden, fed.scored, scored) - fed.target
        return error.square().sum() / (fed.span[1] * self._m)

    def _sums(self, fed: Fed, shown: Tensor, summed: Tensor) -> Tensor:
        """Compute or estimate the encoder's sums of these rows; arguments as ``_loss``."""
        shown = shown.view(len(shown), self._each, -1)
        if fed.usual is None:
            mean = reference.encode_all(fed.input, shown) / len(shown)
        else:
            summed = summed.view(len(summed), self._each, -1)
            usual = reference.encode_all(fed.usual, summed) / len(summed)
            mean = fed.input @ shown[:, -1] / len(shown) + usual
        return self._weight * self._n * mean


class TorchRefeed(_Refeed):
    """Re-feeding for ``TorchBackend``, by autograd."""

    def output(self, hidden: Tensor, span: tuple[int, int]) -> Fed:
        """Return inputs and targets of the second step from the first's last hidden layer."""
        return self._output(hidden, self._columns(), span)

    def loss(self, fed: Fed) -> Tensor:
        """Compute the share of these rows in the loss of the second step."""
        table_in = self.network.table_in.view(self._n, -1)
        shown, summed = table_in[fed.shown], table_in[fed.summed]
        return self._loss(fed, shown, summed, self.network.table_out[fed.scored])


class KernelRefeed(_Refeed):
    """Re-feeding with compiled kernels: the second step updates only the sampled columns' rows."""

    def __init__(
        self,
        network: Network,
        config: TrainConfig,
        table_in: SparseTable,
        table_out: SparseTable,
        flat: Flat,
        group: ProcessGroup = ALONE,
    ) -> None:
        super().__init__(network, config, group)
        self._tables = (table_in, table_out)
        self._flat = flat
        self._everything = config.l2 > 0  # with L2, every row has a gradient at every step
        self._every_row = [np.arange(len(t.weights), dtype=np.int32) for t in self._tables]

    def output(self, hidden: Tensor, step: int, span: tuple[int, int]) -> Fed:
        """Return inputs and targets of the second step from the last hidden layer."""
        columns = self._columns()
        self._tables[1].catch_up(self._rows(1, _union(*columns)), step - 1)
        return self._output(hidden, columns, span)

    def step(self, fed: Fed, step: int) -> None:
        """Take step number ``step``."""
        inputs = (fed.shown, fed.summed)
        if self._tables[0] is self._tables[1]:
            taken = [self._take(0, step, *inputs, fed.scored)]
        else:
            taken = [self._take(0, step, *inputs), self._take(1, step, fed.scored)]
        with torch.enable_grad():
            parts = [leaf[span] for _, leaf, spans in taken for span in spans]
            torch.autograd.backward(self._loss(fed, *parts))
        for number, (columns, leaf, _) in enumerate(taken):
            assert leaf.grad is not None
            table = self._tables[number]
            gradient = leaf.grad.view(-1, table.weights.shape[1]).numpy()
            self._group.sum(gradient)
            table.step_given(self._rows(number, columns), gradient, step)
        self._group.sum(self._flat.gradient)
        self._flat.step(step)

    def _take(self, number: int, step: int, *wanted: Index) -> tuple[Index, Tensor, list[Index]]:
        """Return a table's columns to update, their weights, and the positions of ``wanted``."""
        columns = _EVERY if self._everything else _union(*wanted)
        table = self._tables[number]
        table.catch_up(self._rows(number, columns), step - 1)
        leaf = torch.from_numpy(table.weights).view(self._n, -1)[columns].requires_grad_()
        if isinstance(columns, slice):
            return columns, leaf, list(wanted)
        sampled = [index for index in wanted if isinstance(index, Tensor)]
        return columns, leaf, [torch.searchsorted(columns, index) for index in sampled]

    def _rows(self, number: int, columns: Index) -> Int32:
        """Return the rows of a table that belong to some columns."""
        return self._every_row[number].reshape(self._n, -1)[columns].reshape(-1)


def _union(*indices: Index) -> Index:
    sampled = [index for index in indices if isinstance(index, Tensor)]
    if len(sampled) < len(indices):
        return _EVERY
    return torch.from_numpy(np.unique(torch.cat(sampled).numpy()))
