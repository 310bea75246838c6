"""``ThinCode``: the products around a code with high dropout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..network import Network, Span
from . import dropout_kernels as kernels
from .columns import Columns, Transposer, sum_by_column

THIN = 0.25
"""Largest share of kept units for which this pays."""
WIDE = 128
"""Smallest width of the code and its neighbours for which this pays."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer's parameters and their gradients, which the optimiser changes in place.

    Attributes:
        weight: (out, in).
        bias: (out,).
        d_weight: (out, in).
        d_bias: (out,).
    """

    weight: Tensor
    bias: Tensor
    d_weight: Tensor
    d_bias: Tensor


@dataclass(frozen=True, eq=False)
class _Pass:
    """Results of the forward pass that the backward pass needs."""

    before: Tensor
    indptr: np.ndarray
    unit: np.ndarray
    x: Tensor
    out: Tensor
    value: Tensor
    table: Tensor


class ThinCode:
    """The layers into and out of the code, computed only for the kept units.

    Neither product needs a dropped unit, nor do their gradients, so the cost of all six grows with
    the entries of the mask. The kernels reach a third to half of a dense product's speed, hence
    ``THIN``.

    Args:
        network: With dropout on its code.
        inward: The layer whose output is the code.
        outward: The layer whose input is the code.
        activate: The code's activation.
        back: d loss / d x from (d loss / d out, x, out).
    """

    def __init__(
        self,
        network: Network,
        inward: Layer,
        outward: Layer,
        activate: Callable[[Tensor], Tensor],
        back: Callable[[Tensor, Tensor, Tensor], Tensor],
    ) -> None:
        self._network = network
        self._inward, self._outward = inward, outward
        self._activate, self._back = activate, back
        self._rate = network.config.code_dropout
        self._transpose = Transposer(len(inward.bias))
        self._no_bias = torch.zeros_like(inward.bias)
        self._saved: _Pass | None = None

    @staticmethod
    def pays(network: Network) -> bool:
        """Return whether a network has a sparse enough code with layers on both sides."""
        config, code = network.config, network.config.code_layer
        around = config.hidden[max(code - 1, 0) : code + 2]
        return len(around) == 3 and min(around) >= WIDE and 1.0 - config.code_dropout <= THIN

    def forward(self, before: Tensor, span: Span | None) -> Tensor:
        """Compute the outward layer's pre-activation from the inward layer's input.

        Args:
            before: (rows, in).
            span: As in ``Network.middle``.
        """
        rows, units = len(before), len(self._inward.bias)
        indptr = np.empty(rows + 1, dtype=np.int64)
        unit = np.empty(rows * units, dtype=np.int32)
        first = span[0] if span else 0
        seed = self._network.dropout_seed()
        unit = unit[: kernels.draw_kept(seed, first, self._rate, units, indptr, unit)]
        x = before.new_empty(len(unit))
        inward, outward = self._inward, self._outward
        kernels.dots(indptr, unit, *_arrays(before, inward.weight, inward.bias, x))
        out = self._activate(x)
        value = out / (1.0 - self._rate)
        table = _by_column(outward.weight)
        after_code = before.new_empty(rows, len(outward.bias))
        kernels.sums(indptr, unit, *_arrays(value, table, outward.bias, after_code))
        self._saved = _Pass(before, indptr, unit, x, out, value, table)
        return after_code

    def backward(self, d: Tensor) -> Tensor:
        """Compute the gradient by ``before`` from that by the output; add the parameters'.

        The caller handles the outward layer's bias.
        """
        saved, inward = self._saved, self._inward
        assert saved is not None
        entries = (saved.indptr, saved.unit)
        columns = self._transpose(*entries)
        d = d.contiguous()
        _add_products(columns, saved.value, d, self._outward.d_weight.t())
        d_value = torch.empty_like(saved.value)
        kernels.dots(*entries, *_arrays(d, saved.table, self._no_bias, d_value))
        d_x = self._back(d_value.div_(1.0 - self._rate), saved.x, saved.out)
        sum_by_column(columns, *_arrays(d_x, inward.d_bias))
        _add_products(columns, d_x, saved.before, inward.d_weight)
        d_before = torch.empty_like(saved.before)
        nothing = d_before.new_zeros(d_before.shape[1])
        kernels.sums(*entries, *_arrays(d_x, inward.weight, nothing, d_before))
        return d_before


def _arrays(*tensors: Tensor) -> list[np.ndarray]:
    return [tensor.numpy() for tensor in tensors]


def _by_column(weight: Tensor) -> Tensor:
    """Return the transpose in C order: a view if possible, as in a tied decoder."""
    if weight.t().is_contiguous():
        return weight.t()
    out = weight.new_empty(weight.shape[::-1])
    kernels.transpose_to(weight.numpy(), out.numpy(), False)
    return out


def _add_products(columns: Columns, value: Tensor, dense: Tensor, total: Tensor) -> None:
    """Add a weight's gradient, with a row per unit."""
    entries = (columns.columns, columns.start, columns.row_of, columns.entry_of)
    if total.is_contiguous():
        kernels.add_products(*entries, *_arrays(value, dense, total))
        return
    gradient = torch.zeros(total.shape, dtype=total.dtype)
    kernels.add_products(*entries, *_arrays(value, dense, gradient))
    kernels.transpose_to(gradient.numpy(), total.t().numpy(), True)
