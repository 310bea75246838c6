"""Predictions of a network at given entries, in batches of rows."""

from __future__ import annotations

import numpy as np
import torch

from ..base.arrays import Float, Float64, Int32, Int64
from ..baseline.ordinal import expected_ratings
from ..data import Csr
from .inputs import Inputs
from .network import Network
from .sparse import kernels, reference

ROWS = 1024
"""Rows encoded at a time: efficient matrix products, little memory."""


def _encode(
    network: Network, inputs: Inputs, known: Csr, rows: Int64
) -> tuple[torch.Tensor, Float]:
    """Return the last hidden layer of rows (rows, hidden[-1]), and the constants of their outputs.

    The layer is scaled according to ``inputs``; with tables in blocks, it is this process's columns
    of it. The constant is the row's bias, minus its mean output if outputs are centred.
    """
    dtype = np.float64 if network.table_in.dtype == torch.float64 else np.float32
    batch = inputs.batch(
        known.indptr, known.indices, known.values, rows, dtype=dtype, side=known.side
    )
    table, blocks = network.table_in, network.blocks
    if table.device.type == "cpu":
        gathered = np.empty((batch.rows, table.shape[1]), dtype=batch.coef.dtype)
        kernels.encode(batch.in_ptr, batch.source, batch.coef, table.detach().numpy(), gathered)
        if blocks is not None:
            gathered = blocks.to_rows(gathered, network.config.hidden[0])
        hidden = network.middle(torch.from_numpy(gathered))
        if blocks is not None:
            hidden = torch.from_numpy(blocks.to_columns(hidden.numpy(), batch.rows))
    else:
        hidden = network.middle(
            reference.encode(network, reference.tensors(batch, table.device, table.dtype))
        )
    added, outputs = batch.row_bias, inputs.outputs
    if outputs.slope:
        scale = torch.from_numpy(outputs.scale(np.diff(batch.indptr)))
        hidden = hidden * scale.to(hidden.device, hidden.dtype)[:, None]
    if outputs.centred:
        outputs_of_row = _decode(network, hidden, batch.indptr, batch.column)
        added = added - outputs.mean(outputs_of_row, batch.indptr).astype(dtype)
    return hidden, added


def _decode(network: Network, hidden: torch.Tensor, indptr: Int64, columns: Int32) -> Float:
    """Return outputs at entries of rows without the added constants, float (entries,)."""
    if hidden.device.type == "cpu":
        table, bias = network.table_out.detach().numpy(), network.bias_out.detach().numpy()
        if network.blocks is not None:
            at = (indptr, columns, hidden.numpy())
            sums = torch.from_numpy(network.blocks.sums_of_outputs(*at, table, bias))
            return reference.activated(network, sums).numpy()
        out = np.empty(len(columns), dtype=table.dtype)
        kernels.decode(indptr, columns, hidden.numpy(), table, bias, network.output_code, out)
        return out
    row = torch.from_numpy(np.repeat(np.arange(len(hidden)), np.diff(indptr)))
    entries = {
        "column": torch.from_numpy(columns).to(hidden.device).long(),
        "row": row.to(hidden.device),
    }
    return reference.decode(network, entries, hidden).cpu().numpy()


@torch.no_grad()
def predict_entries(
    network: Network, inputs: Inputs, known: Csr, rows: Int64, indptr: Int64, columns: Int32
) -> Float64:
    """Predict ratings at entries.

    ``indptr`` are the entries of each of the ``rows``, int64 (n + 1,), and ``columns`` those to
    predict. The network is left in evaluation mode. If its tables are in blocks, every process must
    call this with the same rows of the same ratings.

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
        hidden, added = _encode(network, inputs, known, chunk)
        part = columns[low:high]
        ptr = indptr[first : first + len(chunk) + 1] - low
        output = _decode(network, hidden, ptr, part)
        out[low:high] = output + inputs.offset[part] + np.repeat(added, np.diff(ptr))
    return expected_ratings(out, inputs.link)


@torch.no_grad()
def encode_rows(network: Network, inputs: Inputs, known: Csr, rows: Int64) -> tuple[Float, Float]:
    """Return the learned vectors of rows, and the constants added to their outputs.

    Returns:
        The last hidden layer, float (rows, hidden[-1]), and float (rows,): the row biases,
        minus their mean outputs if outputs are centred.
    """
    network.eval()
    hidden, added = _encode(network, inputs, known, rows)
    vectors: Float = hidden.cpu().numpy()
    return vectors, added


def row_biases(inputs: Inputs, known: Csr, rows: Int64 | None = None) -> Float:
    """Estimate row biases from their ratings, float32 (rows,); 0 unless center = "bias"."""
    chosen = np.arange(known.n_rows, dtype=np.int64) if rows is None else rows
    out = np.zeros(len(chosen), dtype=np.float32)
    for first in range(0, len(chosen) if inputs.row_reg >= 0 else 0, ROWS):
        part = chosen[first : first + ROWS]
        batch = inputs.batch(known.indptr, known.indices, known.values, part)
        out[first : first + ROWS] = batch.row_bias
    return out
