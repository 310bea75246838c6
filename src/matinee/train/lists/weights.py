"""``ListNetworkWeights``: a trained list network in NumPy, for scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32
from ...data import Csr
from ...nn import weighted_rows
from ...nn.activations import activation

TABLE, START, OUTPUT, OUTPUT_BIAS = "table", "start", "output", "output_bias"


def first_sums(rows: Csr, table: Float32) -> Float32:
    """Sum the table's rows over each history of n items, times 1 / sqrt(n), (people, width)."""
    lengths = rows.counts
    values = np.repeat(1.0 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    return weighted_rows(rows.indptr, rows.indices, values, table)


@dataclass(frozen=True, eq=False)
class ListNetworkWeights:
    """A list network.

    Attributes:
        arrays: float32 arrays by name: "table" (items, first width) and "start" (first width,) of
            the first layer, "weight.1" (before, width) and "bias.1" of the next ones, and "output"
            (items, last width) and "output_bias" (items,).
        activation: Name of the activation.
        residual: Whether layers as wide as the previous one have a residual connection.
        latent: Index of the layer without activation whose first half are the means, or -1.
    """

    arrays: Mapping[str, Float32]
    activation: str
    residual: bool
    latent: int

    def scores(self, rows: Csr) -> Float32:
        """Return scores of all items, float32 (people, items), for histories (people, items).

        The values of the histories are not read.
        """
        code = self.code(rows)
        item_scores = code @ self.arrays[OUTPUT].T
        item_scores += self.arrays[OUTPUT_BIAS]
        return np.asarray(item_scores, dtype=np.float32)

    def code(self, rows: Csr) -> Float32:
        """Return the last hidden layer, float32 (people, last width)."""
        act = activation(self.activation).numpy
        layer = act(first_sums(rows, self.arrays[TABLE]) + self.arrays[START])
        at = 1
        while f"weight.{at}" in self.arrays:
            weight, bias = self.arrays[f"weight.{at}"], self.arrays[f"bias.{at}"]
            if at == self.latent:
                width = weight.shape[1] // 2
                layer = layer @ weight[:, :width] + bias[:width]
            else:
                output = act(layer @ weight + bias)
                layer = layer + output if self.residual and output.shape == layer.shape else output
            at += 1
        return layer
