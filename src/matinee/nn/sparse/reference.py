"""The first and last layer in torch operations: used on CUDA, and the reference of the kernels.

The cost grows with the entries here too: an embedding bag at the input, a gather and a dot product
per entry at the output. Gradients are torch's.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ...baseline.ordinal import OrdinalLink
from ..activations import activation
from ..inputs import Batch
from ..network import Network


def tensors(batch: Batch, device: torch.device, dtype: torch.dtype) -> dict[str, Tensor]:
    """Copy a batch's arrays to a device; ``row`` is the batch row of each entry."""
    ptr = torch.from_numpy(batch.indptr).to(device)
    entries = {
        "offsets": torch.from_numpy(batch.in_ptr[:-1]).to(device),
        "row": torch.repeat_interleave(torch.arange(batch.rows, device=device), ptr.diff()),
        "column": torch.from_numpy(batch.column).to(device).long(),
        "source": torch.from_numpy(batch.source).to(device).long(),
        "coef": torch.from_numpy(batch.coef).to(device, dtype),
        "target": torch.from_numpy(batch.target).to(device, dtype),
        "weight": torch.from_numpy(batch.weight).to(device, dtype),
    }
    if batch.level is not None:
        entries["level"] = torch.from_numpy(batch.level).to(device).long()
    return entries


def encode(network: Network, entries: dict[str, Tensor]) -> Tensor:
    """Compute the encoder's sums, (rows, hidden[0])."""
    return functional.embedding_bag(
        entries["source"],
        network.table_in,
        entries["offsets"],
        mode="sum",
        per_sample_weights=entries["coef"],
    )


def decode(network: Network, entries: dict[str, Tensor], hidden: Tensor) -> Tensor:
    """Predict each entry, (entries,)."""
    column = entries["column"]
    dot = (hidden[entries["row"]] * network.table_out[column]).sum(dim=1)
    return activated(network, dot + network.bias_out[column])


def encode_all(values: Tensor, table: Tensor) -> Tensor:
    """Compute the encoder's sums for an input of every row at each of m columns.

    Args:
        values: (rows, m), the inputs.
        table: (m, each, width), the input table's rows of those columns: one per column, or with
            input = "presence" two.
    """
    sums = values @ table[:, -1]
    return sums if table.shape[1] == 1 else sums + table[:, 0].sum(dim=0)


def decode_all(network: Network, hidden: Tensor, table: Tensor, bias: Tensor) -> Tensor:
    """Predict every row at m columns, (rows, m), from the columns' table rows (m, width)."""
    dot = torch.addmm(bias, hidden, table.t())
    return activated(network, dot)


def activated(network: Network, x: Tensor) -> Tensor:
    """Apply the output activation."""
    out: Tensor = activation(network.config.output_activation).torch(torch)(x)
    return out


def masked_mse(prediction: Tensor, entries: dict[str, Tensor]) -> Tensor:
    """Return the weighted mean of the squared errors over the entries."""
    miss = prediction - entries["target"]
    return (entries["weight"] * miss * miss).sum() / entries["weight"].sum().clamp_min(1e-30)


def ordinal_loss(
    output: Tensor, entries: dict[str, Tensor], link: OrdinalLink
) -> tuple[Tensor, Tensor]:
    """Compute ``sparse.ordinal_loss``: the loss, and the MSE of the expected ratings."""
    level, target, weight = entries["level"], entries["target"], entries["weight"]
    levels, thresholds = output.new_tensor(link.levels), output.new_tensor(link.thresholds)
    rated, known = level >= 0, level.clamp_min(0)
    z = link.slope * ((levels[known] - target + output)[:, None] - thresholds)
    number = torch.arange(len(thresholds), device=output.device)
    at_edge = (number == known[:, None]) * functional.softplus(z)
    at_edge = at_edge + (number == known[:, None] - 1) * functional.softplus(-z)
    width = functional.pad(-torch.expm1(-link.slope * thresholds.diff()), (1, 1), value=1.0)
    loss = link.loss_scale * (at_edge.sum(dim=1) - width.log()[known])
    expected = levels[0] + torch.sigmoid(z) @ levels.diff()
    miss = (output - target).square()
    mass = weight.sum().clamp_min(1e-30)
    squared = torch.where(rated, (expected - levels[known]).square(), miss).detach()
    total: Tensor = (weight * torch.where(rated, loss, miss)).sum() / mass
    return total, (weight * squared).sum() / mass
