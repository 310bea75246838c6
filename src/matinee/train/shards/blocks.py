"""``block_pass``: a batch's pass with tables of which each process has a block of columns."""

from __future__ import annotations

import numpy as np
import torch

from ...base.arrays import Float
from ...nn import Batch, Middle, Network
from ...nn.sparse import kernels, reference

Pass = tuple[float, Float, Float, Float]


def block_pass(network: Network, middle: Middle, batch: Batch) -> Pass:
    """Compute the loss of a batch and its gradients; to be called in every process.

    Those of the middle layers are added to their parameters' ``grad``, for this process's rows.

    Args:
        network: With tables in blocks.
        middle: Its middle layers.
        batch: The whole batch, without levels.

    Returns:
        The loss; d loss / d (pre-activation output), (entries,); and of all rows and this process's
        columns the last hidden layer and d loss / d (encoder's sums).
    """
    blocks, hidden = network.blocks, network.config.hidden
    assert blocks is not None
    table_in, table_out, bias = (
        each.detach().numpy() for each in (network.table_in, network.table_out, network.bias_out)
    )
    sums = np.empty((batch.rows, table_in.shape[1]), dtype=table_in.dtype)
    kernels.encode(batch.in_ptr, batch.source, batch.coef, table_in, sums)
    gathered = torch.from_numpy(blocks.to_rows(sums, hidden[0]))
    layer = middle.forward(gathered, (blocks.own(batch.rows).start, batch.rows))
    last = blocks.to_columns(layer.numpy(), batch.rows)

    weighed = np.flatnonzero(batch.weight)  # the others have no loss
    indptr, column = np.searchsorted(weighed, batch.indptr), batch.column[weighed]
    output = torch.from_numpy(blocks.sums_of_outputs(indptr, column, last, table_out, bias))
    parts = {"target": batch.target[weighed], "weight": batch.weight[weighed]}
    with torch.enable_grad():
        leaf = output.requires_grad_()
        entries = {name: torch.from_numpy(array) for name, array in parts.items()}
        loss = reference.masked_mse(reference.activated(network, leaf), entries)
        slopes = torch.autograd.grad(loss, leaf)[0].numpy()
    error = np.zeros(len(batch.column), dtype=slopes.dtype)
    error[weighed] = slopes

    d_last = np.empty_like(last)
    kernels.encode(indptr, column, slopes, table_out, d_last)
    d_gathered = middle.backward(torch.from_numpy(blocks.to_rows(d_last, hidden[-1])))
    return float(loss), error, last, blocks.to_columns(d_gathered.numpy(), batch.rows)
