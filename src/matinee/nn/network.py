"""``Network``: the autoencoder's parameters and its middle layers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ._config import NetworkConfig
from .activations import activation
from .blocks import ColumnBlocks
from .sparse.dropout_kernels import draw_mask

Span = tuple[int, int]
"""A contiguous range of a batch's rows: position of the first, and number of rows of the batch."""


class Network(nn.Module):
    """A deep autoencoder whose first and last layer are tables, one row per column of the ratings.

    The tables are read by gathering rows (see ``sparse.kernels`` and ``sparse.reference``). The
    layers in between are a stack of torch layers, ``middle``.

    Args:
        config: The shape.
        columns: Number of items (or users, if items are the rows).
        table_rows: Rows of the input table: ``Inputs.table_rows``.
        generator: Source of the initial weights, and later of the dropout masks.
        dtype: float32, or float64 for checks.
        blocks: The processes of which each has some columns of the tables; None for all columns.

    Attributes:
        table_in: (table_rows, hidden[0]); with ``blocks``, this process's columns only.
        table_out: (columns, hidden[-1]), likewise; the same parameter as ``table_in`` if tied.
        bias_out: (columns,), zero and never trained if ``output_bias`` is false.
    """

    def __init__(
        self,
        config: NetworkConfig,
        columns: int,
        table_rows: int,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
        blocks: ColumnBlocks | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.generator = generator
        self.blocks = blocks
        hidden = config.hidden
        self.table_in = nn.Parameter(_table(table_rows, self._columns_of(hidden[0]), dtype))
        self.table_out = (
            self.table_in
            if config.tied
            else nn.Parameter(_table(columns, self._columns_of(hidden[-1]), dtype))
        )
        self.bias_in = nn.Parameter(torch.zeros(hidden[0], dtype=dtype))
        self.bias_out = nn.Parameter(
            torch.zeros(columns, dtype=dtype), requires_grad=config.output_bias
        )
        # A tied decoder mirrors the encoder: its layer weights are the first half's, transposed.
        half = len(hidden) // 2
        pairs = list(itertools.pairwise(hidden))
        distinct = pairs[:half] if config.tied else pairs
        self.weights = nn.ParameterList(torch.empty(n, m, dtype=dtype) for m, n in distinct)
        self.biases = nn.ParameterList(torch.zeros(n, dtype=dtype) for _, n in pairs)
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(n, dtype=dtype) for n in (hidden if config.batch_norm else ())
        )
        self._initialise()

    def _columns_of(self, width: int) -> int:
        """Return how many of a table's columns this process has."""
        if self.blocks is None:
            return width
        own = self.blocks.own(width)
        return own.stop - own.start

    def _initialise(self) -> None:
        with torch.no_grad():
            self._draw_table(self.table_in, self.config.hidden[0])
            if not self.config.tied:
                self._draw_table(self.table_out, self.config.hidden[-1])
            for weight in self.weights:
                self._draw(weight, sum(weight.shape))

    def _draw_table(self, table: Tensor, width: int) -> None:
        """Draw a table of some width, and keep this process's columns."""
        if self.blocks is None:
            self._draw(table, len(table) + width)
            return
        chunks = list(self.blocks.chunks(len(table), width))
        room = table.new_empty(max(some.stop - some.start for some in chunks), width)
        for some in chunks:
            drawn = room[: some.stop - some.start]
            self._draw(drawn, len(table) + width)
            table[some] = drawn[:, self.blocks.own(width)]

    def _draw(self, weight: Tensor, fans: int) -> None:
        if self.config.init == "normal":
            weight.normal_(0.0, self.config.init_scale, generator=self.generator)
        else:
            bound = math.sqrt(6.0 / fans)
            weight.uniform_(-bound, bound, generator=self.generator)

    @property
    def output_code(self) -> int:
        """The kernels' number for the output activation."""
        return activation(self.config.output_activation).code

    def layer(self, index: int) -> Tensor:
        """Return the weight (out, in) of the layer from hidden ``index`` to ``index + 1``."""
        stored = index < len(self.weights)
        weight: Tensor = self.weights[index if stored else len(self.biases) - 1 - index]
        return weight if stored else weight.t()

    def middle(self, gathered: Tensor, span: Span | None = None) -> Tensor:
        """Compute the last hidden layer (rows, hidden[-1]) from encoder sums (rows, hidden[0]).

        Args:
            gathered: The sums.
            span: Position in the batch, and the batch's number of rows, if these are not all rows.
        """
        activate = activation(self.config.activation).torch(torch)
        x = gathered + self.bias_in
        for index in range(len(self.config.hidden)):
            if index > 0:
                x = functional.linear(x, self.layer(index - 1), self.biases[index - 1])
            if self.norms:
                x = self.norms[index](x)
            x = activate(x)
            if self.training and index == self.config.code_layer:
                keep = self.dropout_mask(x, span)
                x = x if keep is None else x * keep
        return x

    def dropout_mask(self, code: Tensor, span: Span | None = None) -> Tensor | None:
        """Return the dropout factor of the code in training: 0, or 1 / share kept; None for 1.

        A part of a batch gets its part of the batch's mask, and leaves the generator in the same
        state as the batch would: see ``middle`` for ``span``.
        """
        rate = self.config.code_dropout
        if rate == 0.0:
            return None
        first, rows = span or (0, len(code))
        if code.device.type == "cpu":
            keep = torch.empty_like(code)
            draw_mask(self.dropout_seed(), first, rate, keep.numpy())
            return keep
        keep = code.new_empty(rows, code.shape[1])
        keep.bernoulli_(1.0 - rate, generator=self.generator)
        return keep[first : first + len(code)].mul_(1.0 / (1.0 - rate))

    def dropout_seed(self) -> np.uint64:
        """Draw the seed of a batch's mask on the CPU, from the network's generator."""
        return np.uint64(torch.randint(2**62, (), generator=self.generator).item())

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every parameter and buffer by name, as NumPy views (tied tables once)."""
        seen = dict(self.state_dict(keep_vars=False))
        if self.config.tied:
            del seen["table_out"]
        return {name: tensor.detach().cpu().numpy() for name, tensor in seen.items()}

    def load_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Set every parameter and buffer from ``arrays()`` of a network of the same shape."""
        state = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
        if self.config.tied:
            state["table_out"] = state["table_in"]
        self.load_state_dict(state)


def _table(rows: int, width: int, dtype: torch.dtype) -> Tensor:
    """Allocate a table in NumPy's memory, which uses huge pages, unlike torch's.

    Reading random rows then needs fewer address look-ups: 8% of a step at Netflix's shape.
    """
    like = torch.empty(0, dtype=dtype).numpy()
    return torch.from_numpy(np.empty((rows, width), dtype=like.dtype))
