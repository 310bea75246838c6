"""Losses over all items, with their gradients, from the code of the last hidden layer.

With p[u, i] = code[u] . table[i] + bias[i], x the histories, t the weight of a history's entry
and w the weight of a user:

    square       mean over u of w[u] * sum over all i of c[u, i] * (p[u, i] - x[u, i])^2
                 where c is t at the entries and the weight of zeros elsewhere
    multinomial  mean over u of w[u] * sum over entries of -t[u, i] * log softmax(p[u])[i]

The square loss never forms p: the sum of p^2 over all items is code' (table' table) code plus terms
of the bias (the Gram trick), so a batch costs its entries times the width, plus users and items
times its square. The multinomial loss forms p in blocks of users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...base.arrays import Float
from .cells import Cells

_BLOCK_CELLS = 1 << 24
"""Number of scores that the multinomial loss holds at a time."""


@dataclass(frozen=True, eq=False)
class Targets:
    """The targets of a batch and their weights.

    Attributes:
        cells: The entries of the histories.
        weights: float (entries,), the weight of each entry.
        people: Tensor (people,), the weight of each user.
        zero: The weight of an item that is not in a history, in the square loss.
    """

    cells: Cells
    weights: Float
    people: Tensor
    zero: float


Result = tuple[Tensor, Tensor, Tensor, Tensor]
"""The loss, and its gradients of code, table and bias."""


@np.errstate(over="ignore", invalid="ignore")  # the caller reports a diverging loss
def square(code: Tensor, table: Tensor, bias: Tensor, targets: Targets) -> Result:
    """Compute the squared error over all items; see the module.

    Args:
        code: (people, width), C-contiguous like the table; all of one dtype.
        table: (items, width).
        bias: (items,).
        targets: The targets and their weights.
    """
    cells, zero = targets.cells, targets.zero
    share = targets.people / len(code)
    gram, by_bias = table.T @ table, table.T @ bias
    products = code @ gram + by_bias
    everywhere = ((code * (products + by_bias)).sum(1) + bias @ bias) * zero
    owner = cells.owner
    predicted = cells.dots(code.numpy(), table.numpy(), bias.numpy())
    weights = targets.weights
    at_entries = weights * np.square(predicted - 1.0) - zero * np.square(predicted)
    sums = np.bincount(owner, at_entries, minlength=len(code)).astype(predicted.dtype)
    loss = share @ (everywhere + torch.from_numpy(sums))
    errors = 2.0 * share.numpy()[owner] * ((weights - zero) * predicted - weights)
    errors = errors.astype(predicted.dtype, copy=False)
    weighted = code * share[:, None]
    total = weighted.sum(0)
    d_code = 2.0 * zero * share[:, None] * products
    d_code += torch.from_numpy(cells.sums(errors, table.numpy()))
    d_table = torch.from_numpy(cells.sums_by_item(errors, code.numpy()))
    d_table.addmm_(table, weighted.T @ code, alpha=2.0 * zero)
    d_table.addr_(bias, total, alpha=2.0 * zero)
    d_bias = 2.0 * zero * (table @ total + bias * share.sum())
    by_item = np.bincount(cells.items, errors, minlength=cells.n_items)
    d_bias += torch.from_numpy(by_item.astype(predicted.dtype))
    return loss, d_code, d_table, d_bias


@np.errstate(over="ignore", invalid="ignore")
def multinomial(code: Tensor, table: Tensor, bias: Tensor, targets: Targets) -> Result:
    """Compute the negative log-likelihood of a softmax over all items; see ``square``."""
    cells = targets.cells
    d_code, d_table, d_bias = (torch.zeros_like(each) for each in (code, table, bias))
    loss = torch.zeros((), dtype=code.dtype)
    share = targets.people / len(code)
    owner = cells.owner
    totals = np.bincount(owner, targets.weights, minlength=len(code)).astype(targets.weights.dtype)
    mass = share * torch.from_numpy(totals)
    each = share.numpy()[owner] * targets.weights
    step = max(1, _BLOCK_CELLS // cells.n_items)
    for start in range(0, len(code), step):
        stop = min(start + step, len(code))
        part, entries = code[start:stop], slice(cells.indptr[start], cells.indptr[stop])
        scores = torch.addmm(bias, part, table.T)
        highest = scores.amax(1, keepdim=True)
        scores -= highest
        cell = (owner[entries] - start, cells.items[entries])
        loss -= torch.from_numpy(each[entries]) @ torch.from_numpy(scores.numpy()[cell])
        scores.exp_()
        norm = scores.sum(1, keepdim=True)
        loss += mass[start:stop] @ norm[:, 0].log()
        scores *= mass[start:stop, None] / norm
        scores.numpy()[cell] -= each[entries]
        d_code[start:stop] = scores @ table
        d_table.addmm_(scores.T, part)
        d_bias += scores.sum(0)
    return loss, d_code, d_table, d_bias


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor, Targets], Result]] = {
    "square": square,
    "multinomial": multinomial,
}


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, name: str, code: Tensor, table: Tensor, bias: Tensor, targets: Targets
    ) -> Any:
        loss, *gradients = LOSSES[name](code.contiguous(), table, bias, targets)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Any:
        return (None, *(outer[0] * each for each in ctx.saved_tensors), None)


def list_loss(name: str, code: Tensor, table: Tensor, bias: Tensor, targets: Targets) -> Tensor:
    """Return the named loss, differentiable by torch in code, table and bias."""
    return _WithGradient.apply(name, code, table, bias, targets)  # type: ignore[no-untyped-call]


class _Sums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cells: Cells, values: Float, table: Tensor) -> Any:
        ctx.known = cells, values
        return torch.from_numpy(cells.sums(values, table.numpy()))

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Any:
        cells, values = ctx.known
        return None, None, torch.from_numpy(cells.sums_by_item(values, outer[0].numpy()))


def weighted_sums(cells: Cells, values: Float, table: Tensor) -> Tensor:
    """Return ``Cells.sums``, differentiable by torch in the table."""
    return _Sums.apply(cells, values, table)  # type: ignore[no-untyped-call]
