"""Re-feeding: a second step of each batch, on the network's own output (Kuchaiev & Ginsburg 2017).

A perfect f would have f(f(x)) = f(x). So each step on a batch x is followed by one that takes
y = f(x) for input and target, at every column: y is what the first pass gave (the weights before
its step, its dropout mask), and no gradient flows into it. The loss is the mean of
(f(y) - y)^2 over rows and all n columns. In centred units an output is an input as it stands.

That costs batch x n x width, however few the ratings. The sampled form draws, for each batch, m
columns to be shown to the encoder and, independently, m to be scored. Then

- the encoder's sums over the shown columns, times n / m, have the dense sums as their mean;
- the mean squared error over the scored columns, and its gradients by the output table, the output
  biases and the last hidden layer, have those over all n columns as their mean, whatever that layer
  is;
- the input table's gradient, for a given gradient by the sums, has the dense one as its mean over
  the shown columns.

What is not linear in the sums (the hidden layers, hence the loss as a whole) is not unbiased: its
bias shrinks with the sums' variance, n (n - m) / m times the variance over the columns of input
times weight row. Raw ratings make that large, as every input is near the mean rating; centred ones,
10 to 100 times smaller.

One sample for the whole batch, not one a row, keeps all of it in small matrix products.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..nn import Network, reference
from ._config import TrainConfig
from ._distributed import ALONE, Group
from ._optimizer import Flat, Table

Index = Tensor | slice
"""Columns: int64 (m,), ascending; or all of them, without a copy."""
_EVERY = slice(None)


@dataclass(frozen=True, eq=False)
class Fed:
    """The network's output, to be fed back.

    Attributes:
        shown: The columns shown to the encoder.
        scored: The columns whose error counts.
        input: (rows, m), the output at the shown columns.
        target: (rows, m), the output at the scored columns.
        place: Where these rows begin in their batch, and how many rows it has.
    """

    shown: Index
    scored: Index
    input: Tensor
    target: Tensor
    place: tuple[int, int]


class _Refeed:
    """What both engines share: which columns are fed back, and what the second loss is.

    Args:
        network: The network.
        config: The training options.
    """

    def __init__(self, network: Network, config: TrainConfig) -> None:
        self.network = network
        self._n = network.bias_out.numel()
        self._m = min(config.refeed_entries, self._n) if config.refeed == "sampled" else self._n
        self._each = len(network.table_in) // self._n
        self._scale = self._n / self._m
        if network.config.input_scale == "sqrt":
            self._scale /= math.sqrt(self._n)

    def _columns(self) -> tuple[Index, Index]:
        """The columns shown and the columns scored, by the network's generator."""
        if self._m == self._n:
            return _EVERY, _EVERY
        generator = self.network.generator
        seed = torch.randint(2**62, (2,), generator=generator, device=generator.device).tolist()
        rng = np.random.default_rng(seed)  # its cost is by m; torch's permutation is by n
        shown, scored = (
            np.sort(rng.choice(self._n, self._m, replace=False, shuffle=False)) for _ in range(2)
        )
        device = self.network.bias_out.device
        return torch.from_numpy(shown).to(device), torch.from_numpy(scored).to(device)

    @torch.no_grad()
    def _output(self, hidden: Tensor, shown: Index, scored: Index, place: tuple[int, int]) -> Fed:
        given = self._decode(hidden, self.network.table_out[shown], shown)
        if scored is shown:
            return Fed(shown, scored, given, given, place)
        target = self._decode(hidden, self.network.table_out[scored], scored)
        return Fed(shown, scored, given, target, place)

    def _decode(self, hidden: Tensor, table: Tensor, columns: Index) -> Tensor:
        return reference.decode_all(self.network, hidden, table, self.network.bias_out[columns])

    def _loss(self, fed: Fed, table_in: Tensor, table_out: Tensor) -> Tensor:
        """What these rows add to the second loss.

        Args:
            fed: The output fed back.
            table_in: (m, each * width), the tables' rows of the columns shown.
            table_out: (m, width), those of the columns scored.
        """
        table_in = table_in.view(len(table_in), self._each, -1)
        gathered = self._scale * reference.encode_all(fed.input, table_in)
        hidden = self.network.middle(gathered, fed.place)
        miss = self._decode(hidden, table_out, fed.scored) - fed.target
        return miss.square().sum() / (fed.place[1] * self._m)


class TorchRefeed(_Refeed):
    """Re-feeding for the engine whose gradients are all autograd's."""

    def output(self, hidden: Tensor, place: tuple[int, int]) -> Fed:
        """What to feed back, from the last hidden layer of the step on x."""
        return self._output(hidden, *self._columns(), place)

    def loss(self, fed: Fed) -> Tensor:
        """What these rows add to the loss of the second step."""
        table_in = self.network.table_in.view(self._n, -1)
        return self._loss(fed, table_in[fed.shown], self.network.table_out[fed.scored])


class KernelRefeed(_Refeed):
    """Re-feeding for the compiled engine: the second step moves the rows of the drawn columns only.

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
        group: Group = ALONE,
    ) -> None:
        super().__init__(network, config)
        self._tables = (table_in, table_out)
        self._flat = flat
        self._group = group
        self._everything = config.l2 > 0  # then every row has a gradient at every step
        self._every_row = [np.arange(len(t.weights), dtype=np.int32) for t in self._tables]

    def output(self, hidden: Tensor, step: int, place: tuple[int, int]) -> Fed:
        """What to feed back, from the last hidden layer of ``step``, before it moves anything."""
        shown, scored = self._columns()
        self._tables[1].catch_up(self._rows(1, _union(shown, scored)), step - 1)
        return self._output(hidden, shown, scored, place)

    def step(self, fed: Fed, step: int) -> None:
        """Do step number ``step``, on what is fed back."""
        if self._tables[0] is self._tables[1]:
            taken = [self._take(0, step, fed.shown, fed.scored)]
        else:
            taken = [self._take(0, step, fed.shown), self._take(1, step, fed.scored)]
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
    if not found:
        return _EVERY
    return torch.from_numpy(np.unique(torch.cat(found).numpy()))
