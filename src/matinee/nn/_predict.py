"""Predictions of a network at some entries, or at all columns, in batches of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..data import Csr
from . import _kernels as kernels
from . import _reference as reference
from ._activations import TORCH
from ._inputs import Batch, Inputs
from ._network import Network

Float = npt.NDArray[np.floating[Any]]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

ROWS = 1024
"""Rows encoded at once: enough for the matrix products, little memory."""


def _hidden(network: Network, batch: Batch) -> torch.Tensor:
    """The last hidden layer of a batch, (rows, hidden[-1]), without dropout."""
    table = network.table_in
    if table.device.type == "cpu":
        gathered = np.empty((batch.rows, table.shape[1]), dtype=batch.coef.dtype)
        kernels.encode(batch.in_ptr, batch.source, batch.coef, table.detach().numpy(), gathered)
        return network.middle(torch.from_numpy(gathered))
    return network.middle(
        reference.encode(network, reference.tensors(batch, table.device, table.dtype))
    )


def _batch(network: Network, inputs: Inputs, known: Csr, rows: Int64) -> Batch:
    dtype = np.float64 if network.table_in.dtype == torch.float64 else np.float32
    return inputs.batch(known.indptr, known.indices, known.values, rows, dtype=dtype)


@torch.no_grad()
def predict_entries(
    network: Network, inputs: Inputs, known: Csr, rows: Int64, indptr: Int64, columns: Int32
) -> npt.NDArray[np.float64]:
    """Predicted ratings at some entries.

    Args:
        network: The network; left in evaluation mode.
        inputs: The fitted input recipe.
        known: What the encoder may see, row by row.
        rows: int64 (n,), the rows of ``known`` that are asked about.
        indptr: int64 (n + 1,), the entries asked of each.
        columns: int32 (entries,), the columns asked.

    Returns:
        float64 (entries,), not clipped.
    """
    network.eval()
    out = np.empty(len(columns), dtype=np.float64)
    for first in range(0, len(rows), ROWS):
        chunk = rows[first : first + ROWS]
        low, high = indptr[first], indptr[first + len(chunk)]
        if low == high:
            continue
        batch = _batch(network, inputs, known, chunk)
        asked = columns[low:high]
        ptr = indptr[first : first + len(chunk) + 1] - low
        hidden = _hidden(network, batch)
        if hidden.device.type == "cpu":
            part = np.empty(len(asked), dtype=batch.coef.dtype)
            kernels.decode(
                ptr,
                asked,
                hidden.numpy(),
                network.table_out.detach().numpy(),
                network.bias_out.detach().numpy(),
                network.output_code,
                part,
            )
        else:
            index = torch.from_numpy(asked).to(hidden.device).long()
            row = torch.from_numpy(np.repeat(np.arange(len(chunk)), np.diff(ptr)))
            entries = {"column": index, "row": row.to(hidden.device)}
            part = reference.decode(network, entries, hidden).cpu().numpy()
        out[low:high] = part + inputs.offset[asked] + np.repeat(batch.row_bias, np.diff(ptr))
    return out


@torch.no_grad()
def predict_rows(network: Network, inputs: Inputs, known: Csr, rows: Int64) -> Float:
    """Predicted ratings of some rows at every column, float (rows, columns), not clipped.

    The caller batches: this allocates rows x columns.
    """
    network.eval()
    batch = _batch(network, inputs, known, rows)
    hidden = _hidden(network, batch)
    activation = TORCH[network.config.output_activation]
    scores: Float = activation(hidden @ network.table_out.t() + network.bias_out).cpu().numpy()
    scores += inputs.offset
    scores += batch.row_bias[:, None]
    return scores


@torch.no_grad()
def encode_rows(network: Network, inputs: Inputs, known: Csr, rows: Int64) -> Float:
    """The last hidden layer of some rows, float (rows, hidden[-1]): their learned vectors."""
    network.eval()
    vectors: Float = _hidden(network, _batch(network, inputs, known, rows)).cpu().numpy()
    return vectors


@torch.no_grad()
def decode_vectors(network: Network, vectors: Float, columns: Int32) -> Float:
    """Outputs of last hidden layers (rows, hidden[-1]) at some columns: float (rows, columns).

    Without the offset and the rows' own biases.
    """
    index = torch.from_numpy(columns).long()
    activation = TORCH[network.config.output_activation]
    dots = torch.from_numpy(vectors) @ network.table_out[index].t() + network.bias_out[index]
    scores: Float = activation(dots).numpy()
    return scores


def row_biases(inputs: Inputs, known: Csr, rows: Int64 | None = None) -> Float:
    """What rows' ratings say of their own bias, float32 (rows,); zeros unless so centred."""
    chosen = np.arange(known.n_rows, dtype=np.int64) if rows is None else rows
    out = np.zeros(len(chosen), dtype=np.float32)
    for first in range(0, len(chosen) if inputs.row_reg >= 0 else 0, ROWS):
        part = chosen[first : first + ROWS]
        batch = inputs.batch(known.indptr, known.indices, known.values, part)
        out[first : first + ROWS] = batch.row_bias
    return out
