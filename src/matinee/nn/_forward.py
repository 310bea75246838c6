"""The forward pass without torch, for inference: NumPy, and compiled kernels for large batches.

``Network``, ``Inputs`` and ``_predict`` are the definition; the results agree up to rounding.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from ..base.arrays import Array, Float32, Float64, Int32, Int64, row_bounds
from ..baseline.ordinal import OrdinalLink, expected_ratings
from ..data import Csr
from ._config import NetworkConfig
from ._row_outputs import RowOutputs
from .activations import activation
from .inputs import with_levels
from .sparse import gather

_NORM_EPS = 1e-5  # torch's default


class Forward:
    """A trained autoencoder for inference.

    Attributes:
        offset, row_reg, outputs, link: The arguments.
        table_in: The first layer, float32 (table rows, hidden[0]), with batch norm folded in.
        layers: Each hidden layer as (weight (in, out), bias); the first one's weight is the table.
        table_out: The last layer, float32 (columns, hidden[-1]): the learned vectors of columns.
        bias_out: The last layer's bias, float32 (columns,).
    """

    def __init__(
        self,
        config: NetworkConfig,
        arrays: Mapping[str, Array],
        *,
        offset: Float32,
        row_reg: float,
        outputs: RowOutputs,
        link: OrdinalLink | None = None,
    ) -> None:
        self.config, self.link = config, link
        self.offset, self.row_reg, self.outputs = offset, row_reg, outputs
        self.table_in: Float32 = arrays["table_in"]
        self.table_out: Float32 = self.table_in if config.tied else arrays["table_out"]
        self.bias_out: Float32 = arrays["bias_out"]
        self.layers = self._stack(arrays)
        self._activation = activation(config.activation)
        self._output = activation(config.output_activation)

    def _stack(self, arrays: Mapping[str, Array]) -> list[tuple[Float32 | None, Float32]]:
        """Return hidden layers as (weight (in, out), bias); the first one's weight is the table."""
        hidden = self.config.hidden
        half = len(hidden) // 2
        pairs = list(itertools.pairwise(hidden))
        distinct = half if self.config.tied else len(pairs)
        layers: list[tuple[Float32 | None, Float32]] = [(None, arrays["bias_in"])]
        for index in range(len(pairs)):
            mirrored = index >= distinct
            weight = arrays[f"weights.{len(pairs) - 1 - index if mirrored else index}"]
            layers.append((weight if mirrored else weight.T, arrays[f"biases.{index}"]))
        if not self.config.batch_norm:
            return layers
        folded: list[tuple[Float32 | None, Float32]] = []
        for index, (weight_, bias) in enumerate(layers):
            scale, shift = _norm(arrays, index)
            if weight_ is None:  # folding into the table saves a product per rating
                self.table_in = self.table_in * scale
                folded.append((None, bias * scale + shift))
            else:
                folded.append((weight_ * scale, bias * scale + shift))
        return folded

    def encode(self, known: Csr) -> tuple[Float32, Float32]:
        """Return the last hidden layer of each row, and the constant added to its outputs.

        Args:
            known: The input ratings by row.

        Returns:
            float32 (rows, hidden[-1]) and float32 (rows,): the row bias with ``center = "bias"``,
            minus the row's mean output with ``center_output``.
        """
        x, row_bias = self._hidden(known)
        if self.outputs.centred:
            outputs = self._decode(x, known.entry_rows, known.indices)
            row_bias -= self._mean_output(outputs, known)
        return x, row_bias

    def _mean_output(self, outputs: Float32, known: Csr) -> Float32:
        """Return the mean output of each row over its ratings (entries,), float32 (rows,)."""
        return self.outputs.mean(outputs, known.indptr).astype(np.float32)

    def _hidden(self, known: Csr) -> tuple[Float32, Float32]:
        """Compute ``encode`` without centring: the last hidden layer and the row biases."""
        source, coef, ptr, row_bias = self._inputs(known)
        x = gather.weighted_rows(ptr, source, coef.astype(np.float32, copy=False), self.table_in)
        for weight, bias in self.layers:
            if weight is not None:
                x = x @ weight
            x += bias
            x = self._activation.numpy(x)
        if self.outputs.slope:
            x *= self.outputs.scale(known.counts)[:, None]
        return x, row_bias

    def scores(self, known: Csr) -> Float32:
        """Return unclipped predictions of each row at every column, float32 (rows, columns)."""
        hidden, row_bias = self._hidden(known)
        out = self._all_outputs(hidden)
        if self.outputs.centred:
            row_bias -= self._mean_output(out[known.entry_rows, known.indices], known)
        out += self.offset
        out += row_bias[:, None]
        return expected_ratings(out, self.link)

    def scores_of(self, hidden: Float32, row_bias: Float32) -> Float32:
        """Compute ``scores`` from the output of ``encode``."""
        out = self._all_outputs(hidden)
        out += self.offset
        out += row_bias[:, None]
        return expected_ratings(out, self.link)

    def _all_outputs(self, hidden: Float32) -> Float32:
        out = hidden @ self.table_out.T
        out += self.bias_out
        return self._output.numpy(out)

    def entries(self, known: Csr, rows: Int64, columns: Int32) -> Float64:
        """Return unclipped predictions at entries, float64 (entries,).

        Args:
            known: The encoder's input, by row.
            rows: The row of each entry.
            columns: The column of each entry.
        """
        return self.entries_of(*self.encode(known), rows, columns)

    def entries_of(
        self, hidden: Float32, row_bias: Float32, rows: Int64, columns: Int32
    ) -> Float64:
        """Compute ``entries`` from the output of ``encode``."""
        out = self._decode(hidden, rows, columns).astype(np.float64)
        out += self.offset[columns]
        out += row_bias[rows]
        return expected_ratings(out, self.link)

    def _decode(self, hidden: Float32, rows: Int32 | Int64, columns: Int32) -> Float32:
        """Return outputs at entries without the added constants, float32 (entries,)."""
        unique, position = gather.distinct(columns, len(self.table_out))
        if len(hidden) * len(unique) <= 4 * len(columns):  # many rows need the same few columns
            dots = (hidden @ self.table_out[unique].T)[rows, position]
            return self._output.numpy(dots + self.bias_out[columns])
        out = np.empty(len(columns), dtype=np.float32)
        if self.table_out.size and len(columns) * self.table_out.shape[1] >= gather.COMPILED:
            self._decode_compiled(hidden, rows, columns, out)
            return out
        step = max(1, gather.GATHERED // self.table_out.shape[1])
        for first in range(0, len(columns), step):
            part = slice(first, first + step)
            c = columns[part]
            dots = np.einsum("ij,ij->i", hidden[rows[part]], self.table_out[c])
            out[part] = self._output.numpy(dots + self.bias_out[c])
        return out

    def _decode_compiled(
        self, hidden: Float32, rows: Int32 | Int64, columns: Int32, out: Float32
    ) -> None:
        """Compute ``_decode`` by the training kernel, sorting ``rows`` if needed."""
        from .sparse import kernels

        order = None if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")
        sorted_columns = columns if order is None else columns[order]
        ptr = row_bounds(np.bincount(rows, minlength=len(hidden)))
        values = out if order is None else np.empty_like(out)
        kernels.decode(
            ptr,
            np.ascontiguousarray(sorted_columns, dtype=np.int32),
            np.ascontiguousarray(hidden),
            gather.writable(self.table_out),
            gather.writable(self.bias_out),
            activation(self.config.output_activation).code,
            values,
        )
        if order is not None:
            out[order] = values

    def decode(self, hidden: Float32, columns: Int32) -> Float32:
        """Return outputs of last hidden layers at some columns, float32 (rows, columns).

        The offset and the row constants are not added.
        """
        return self._output.numpy(hidden @ self.table_out[columns].T + self.bias_out[columns])

    def activated(self, x: Float32) -> Float32:
        """Apply the output activation to ``x``, which may be overwritten."""
        return self._output.numpy(x)

    def _inputs(self, known: Csr) -> tuple[Int64, Float32, Int64, Float32]:
        """Return input table rows, their coefficients, the start of each row, and row biases."""
        ptr, columns = known.indptr, known.indices.astype(np.int64)
        counts, row_of = known.counts, known.entry_rows
        residual = known.values - self.offset[columns]
        row_bias = np.zeros(len(counts), dtype=np.float32)
        if self.row_reg >= 0.0:
            sums = np.bincount(row_of, residual, minlength=len(counts))
            # No ratings and no shrinkage: no bias.
            row_bias[:] = sums / np.maximum(counts + self.row_reg, 1e-12)
            residual = residual - row_bias[row_of]
        lift = np.ones(len(counts), dtype=np.float32)
        if self.config.input_scale == "sqrt":
            lift /= np.sqrt(np.maximum(counts, 1)).astype(np.float32)
        each = lift[row_of]
        if self.config.input == "ratings":
            return columns, each * residual, ptr, row_bias
        source = (2 * columns[:, None] + (0, 1)).ravel()
        coef, ptr = np.stack([each, each * residual], axis=1).ravel(), 2 * ptr
        if known.side is not None:
            first = 2 * len(self.offset)
            ptr, source, coef = with_levels(known.side, first, ptr, source, coef)
        return source, coef, ptr, row_bias


def _norm(arrays: Mapping[str, Array], index: int) -> tuple[Float32, Float32]:
    """Return a batch norm in evaluation mode as a scale and a shift."""
    name = f"norms.{index}"
    variance: Float32 = arrays[f"{name}.running_var"] + np.float32(_NORM_EPS)
    scale: Float32 = arrays[f"{name}.weight"] * variance ** np.float32(-0.5)
    shift: Float32 = arrays[f"{name}.bias"] - arrays[f"{name}.running_mean"] * scale
    return scale, shift
