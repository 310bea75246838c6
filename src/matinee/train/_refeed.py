"""Re-feeding: a second step of each batch, on the network's own output (Kuchaiev & Ginsburg 2017).

A perfect f would have f(f(x)) = f(x). So each step on a batch x is followed by one that takes
y = f(x) for input and target, at every column: y is what the first pass gave (the weights before
its step, its dropout mask), and no gradient flows into it. The loss is the mean of
(f(y) - y)^2 over rows and all n columns. In centred units an output is an input as it stands.

That costs batch x n x width, however few the ratings. The sampled form draws, for each batch, m
columns to be shown to the encoder, m to be scored and 4 m to be summed, each set independently.
With u the output for the batch's mean hidden layer, and w a column's weight row, the encoder's sums
are estimated by

    n (mean of (y - u) w over the shown columns + mean of u w over the summed ones).

u is most of y, and the same for every row of the batch, so that its part can be had from many more
columns at next to no cost. (With input = "presence" the second mean has the columns' other weight
rows as well: fed back, every column is present.) Then

- the estimated sums have the dense ones as their mean;
- the mean squared error over the scored columns, and its gradients by the output table, the output
  biases and the last hidden layer, have those over all n columns as their mean, whatever that layer
  is;
- the input table's gradient has the dense one as its mean, for a given gradient by the sums.

What is not linear in the sums (the hidden layers, hence the loss as a whole) is not unbiased: its
bias shrinks with the variance of the sums, which falls as 1 / m.

One sample for the whole batch, not one a row, keeps all of it in small matrix products.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..nn import Network
from ..nn.sparse import reference
from .config import TrainConfig
from .distributed import ALONE, ProcessGroup
from .optimizer.optimizer import Flat, Table

Index = Tensor | slice
"""Columns: int64 (m,), ascending; or all of them, without a copy."""
_EVERY = slice(None)
_SUMMED = 4  # columns summed for each one shown


@dataclass(frozen=True, eq=False)
class Fed:
    """The network's output, to be fed back.

    Attributes:
        shown: The columns shown to the encoder.
        scored: The columns whose error counts.
        summed: The columns whose usual output is summed.
        input: (rows, m), the output at the shown columns, less the usual one.
        usual: (1, columns summed), the output for the mean hidden layer; None where the output is
            fed back whole, and ``input`` is all of it.
        target: (rows, m), the output at the scored columns.
        place: Where these rows begin in their batch, and how many rows it has.
    """

    shown: Index
    scored: Index
    summed: Index
    input: Tensor
    usual: Tensor | None
    target: Tensor
    place: tuple[int, int]


class _Refeed:
    """What both engines share: which columns are fed back, and what the second loss is.

    Args:
        network: The network.
        config: The training options.
        group: The processes that share each batch.
    """

    def __init__(self, network: Network, config: TrainConfig, group: ProcessGroup = ALONE) -> None:
        self.network = network
        self._group = group
        self._n = network.bias_out.numel()
        self._m = min(config.refeed_entries, self._n) if config.refeed == "sampled" else self._n
        self._each = len(network.table_in) // self._n
        self._weight = 1 / math.sqrt(self._n) if network.config.input_scale == "sqrt" else 1.0

    def _columns(self) -> tuple[Index, Index, Index]:
        """The columns shown, scored and summed, by the network's generator."""
        if self._m == self._n:
            return _EVERY, _EVERY, _EVERY
        generator = self.network.generator
        seed = torch.randint(2**62, (2,), generator=generator, device=generator.device).tolist()
        rng = np.random.default_rng(seed)  # its cost is by m; torch's permutation is by n
        shown, scored, summed = (self._some(rng, m) for m in (self._m, self._m, _SUMMED * self._m))
        return shown, scored, summed

    def _some(self, rng: np.random.Generator, m: int) -> Index:
        if m >= self._n:
            return _EVERY
        drawn = np.sort(rng.choice(self._n, m, replace=False, shuffle=False))
        return torch.from_numpy(drawn).to(self.network.bias_out.device)

    @torch.no_grad()
    def _output(
        self, hidden: Tensor, columns: tuple[Index, Index, Index], place: tuple[int, int]
    ) -> Fed:
        shown, scored, summed = columns
        output = self._decode(hidden, shown)
        if shown is scored:
            return Fed(*columns, output, None, output, place)
        mean = hidden.sum(dim=0, keepdim=True) / place[1]
        self._group.sum(mean)
        output -= self._decode(mean, shown)
        usual, target = self._decode(mean, summed), self._decode(hidden, scored)
        return Fed(*columns, output, usual, target, place)

    def _decode(self, hidden: Tensor, columns: Index, table: Tensor | None = None) -> Tensor:
        """The output at some columns, whose rows of the output table may be given."""
        table = self.network.table_out[columns] if table is None else table
        return reference.decode_all(self.network, hidden, table, self.network.bias_out[columns])

    def _loss(self, fed: Fed, shown: Tensor, summed: Tensor, scored: Tensor) -> Tensor:
        """What these rows add to the second loss.

        Args:
            fed: The output fed back.
            shown: (m, each * width), the input table's rows of the columns shown.
            summed: (up to 4 m, each * width), those of the columns summed.
            scored: (m, width), the output table's rows of the columns scored.
        """
        hidden = self.network.middle(self._sums(fed, shown, summed), fed.place)
        miss = self._decode(hidden, fed.scored, scored) - fed.target
        return miss.square().sum() / (fed.place[1] * self._m)

    def _sums(self, fed: Fed, shown: Tensor, summed: Tensor) -> Tensor:
        """The encoder's sums of these rows, or their estimate; arguments as ``_loss``."""
        shown = shown.view(len(shown), self._each, -1)
        if fed.usual is None:
            mean = reference.encode_all(fed.input, shown) / len(shown)
        else:
            summed = summed.view(len(summed), self._each, -1)
            usual = reference.encode_all(fed.usual, summed) / len(summed)
            mean = fed.input @ shown[:, -1] / len(shown) + usual
        return self._weight * self._n * mean


class TorchRefeed(_Refeed):
    """Re-feeding for the backend whose gradients are all autograd's."""

    def output(self, hidden: Tensor, place: tuple[int, int]) -> Fed:
        """What to feed back, from the last hidden layer of the step on x."""
        return self._output(hidden, self._columns(), place)

    def loss(self, fed: Fed) -> Tensor:
        """What these rows add to the loss of the second step."""
        table_in = self.network.table_in.view(self._n, -1)
        shown, summed = table_in[fed.shown], table_in[fed.summed]
        return self._loss(fed, shown, summed, self.network.table_out[fed.scored])


class KernelRefeed(_Refeed):
    """Re-feeding with compiled kernels: the second step updates the sampled columns' rows alone.

    Args:
        network: The network, on the CPU.
        config: The training options.
        table_in: The optimiser of the input table.
        table_out: The optimiser of the output table; where tied, the same.
        flat: The optimiser of all else.
        group: The processes that share each batch.
    """

    def __init__(
        self,
        network: Network,
        config: TrainConfig,
        table_in: Table,
        table_out: Table,
        flat: Flat,
        group: ProcessGroup = ALONE,
    ) -> None:
        super().__init__(network, config, group)
        self._tables = (table_in, table_out)
        self._flat = flat
        self._everything = config.l2 > 0  # then every row has a gradient at every step
        self._every_row = [np.arange(len(t.weights), dtype=np.int32) for t in self._tables]

    def output(self, hidden: Tensor, step: int, place: tuple[int, int]) -> Fed:
        """What to feed back, from the last hidden layer of ``step``, before it moves anything."""
        columns = self._columns()
        self._tables[1].catch_up(self._rows(1, _union(*columns)), step - 1)
        return self._output(hidden, columns, place)

    def step(self, fed: Fed, step: int) -> None:
        """Do step number ``step``, on what is fed back."""
        inputs = (fed.shown, fed.summed)
        if self._tables[0] is self._tables[1]:
            taken = [self._take(0, step, *inputs, fed.scored)]
        else:
            taken = [self._take(0, step, *inputs), self._take(1, step, fed.scored)]
        with torch.enable_grad():
            parts = [leaf[place] for _, leaf, places in taken for place in places]
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
        """The columns of a table that a step moves, their weights, and where the wanted are."""
        columns = _EVERY if self._everything else _union(*wanted)
        table = self._tables[number]
        table.catch_up(self._rows(number, columns), step - 1)
        leaf = torch.from_numpy(table.weights).view(self._n, -1)[columns].requires_grad_()
        if isinstance(columns, slice):
            return columns, leaf, list(wanted)
        found = [index for index in wanted if isinstance(index, Tensor)]
        return columns, leaf, [torch.searchsorted(columns, index) for index in found]

    def _rows(self, number: int, columns: Index) -> npt.NDArray[np.int32]:
        """The rows of a table that belong to some columns."""
        return self._every_row[number].reshape(self._n, -1)[columns].reshape(-1)


def _union(*indices: Index) -> Index:
    found = [index for index in indices if isinstance(index, Tensor)]
    if len(found) < len(indices):
        return _EVERY
    return torch.from_numpy(np.unique(torch.cat(found).numpy()))
