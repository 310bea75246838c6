"""Predictions of a network at all columns, which the package computes only at entries."""

from __future__ import annotations

import torch

from matinee.base.arrays import Float, Int64
from matinee.baseline.ordinal import expected_ratings
from matinee.data import Csr
from matinee.nn import Inputs, Network, encode_rows
from matinee.nn.activations import activation


@torch.no_grad()
def predict_rows(network: Network, inputs: Inputs, known: Csr, rows: Int64) -> Float:
    """Unclipped predictions of rows at every column, float (rows, columns)."""
    hidden, added = encode_rows(network, inputs, known, rows)
    table = network.table_out.cpu()
    output = activation(network.config.output_activation).torch(torch)
    scores: Float = output(torch.from_numpy(hidden) @ table.t() + network.bias_out.cpu()).numpy()
    scores += inputs.offset
    scores += added[:, None]
    return expected_ratings(scores, inputs.link)
