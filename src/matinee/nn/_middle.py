"""Forward and backward through the middle layers, for training on the CPU.

``Network.middle`` is the definition. At small batches, autograd's overhead on these few small
products exceeds the cost of the products (a third of a step at batch size 8), so their gradients
are written out here. Batch norm is differentiated by autograd, and a code with high dropout by
``ThinCode``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from ..base.threads import in_parts
from .activations import activation
from .network import Network, Span
from .sparse.thin_code import Layer, ThinCode

SHARED_SIZE = 50_000_000
"""Multiplications per forward pass from which several threads share each product."""
_ROWS = 64
"""Rows of a product that one thread computes at a time: few enough for two threads on a batch of
128, and constant, since the sums of a product may depend on its number of rows."""


def shares_products(network: Network, rows: int) -> bool:
    """Return whether the products of a batch are large enough for several threads."""
    return rows * sum(n * m for n, m in pairwise(network.config.hidden)) >= SHARED_SIZE


def _in_blocks(call: Callable[[slice], object], rows: int) -> None:
    """Call a function for blocks of rows, in several threads.

    These are Matinee's own threads, which take a block whenever they are idle. Torch's threads
    divide a product evenly and wait for the slowest: if another program occupies a core, a product
    then takes 10 to 100 times as long.
    """

    def blocks(first: int, last: int) -> None:
        for block in range(first, last):
            call(slice(block * _ROWS, min((block + 1) * _ROWS, rows)))

    in_parts(blocks, -(-rows // _ROWS), ())


def _backward(name: str) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the function from d loss / d output, x and the output to d loss / d x."""
    entry = activation(name)
    if entry.backward is not None:
        return entry.backward(torch)
    function = entry.torch(torch)

    def differentiated(d: Tensor, x: Tensor, y: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            return torch.autograd.grad(function(leaf), leaf, d)[0]

    return differentiated


class Middle:
    """The middle layers of a network, with gradients added to the parameters' ``grad``.

    Args:
        network: On the CPU. Every middle parameter must have a ``grad``, zeroed by the caller;
            both must keep their storage.
        shared: Whether large products are shared among Matinee's threads; torch must then be
            limited to one thread.
    """

    def __init__(self, network: Network, *, shared: bool = False) -> None:
        self.network = network
        self._may_share, self._shared = shared, False
        self.by_autograd = len(network.norms) > 0
        config = network.config
        self._activate = activation(config.activation).torch(torch)
        self._back = _backward(config.activation)
        layers = range(len(network.biases))
        # Looked up once: the optimiser updates parameters and gradients in place.
        self._weights = [network.layer(index).detach() for index in layers]
        self._transposed = [weight.t() for weight in self._weights]
        self._biases = [bias.detach() for bias in network.biases]
        self._bias_in = network.bias_in.detach()
        self._dropped = config.code_layer if config.code_dropout > 0.0 else -1
        self._saved: dict[int, tuple[Tensor, Tensor, Tensor, Tensor | None]] = {}
        self._leaf = self._hidden = torch.empty(0)
        if not self.by_autograd:
            self._bias_gradients = [_grad(b) for b in (network.bias_in, *network.biases)]
            self._weight_gradients = [self._weight_gradient(index) for index in layers]
        self._thin = self._thin_code() if ThinCode.pays(network) and not self.by_autograd else None

    def _thin_code(self) -> ThinCode:
        inward, outward = (
            Layer(
                self._weights[index - 1],
                self._biases[index - 1],
                self._weight_gradients[index - 1],
                self._bias_gradients[index],
            )
            for index in (self._dropped, self._dropped + 1)
        )
        return ThinCode(self.network, inward, outward, self._activate, self._back)

    def _weight_gradient(self, index: int) -> Tensor:
        weights = self.network.weights
        if index < len(weights):
            return _grad(weights[index])
        # A tied decoder's layer is a transposed encoder layer.
        return _grad(weights[len(self._weights) - 1 - index]).t()

    def forward(self, gathered: Tensor, span: Span | None = None) -> Tensor:
        """Compute the last hidden layer from the encoder's sums, which are overwritten.

        ``span`` is as in ``Network.middle``.
        """
        if self.by_autograd:
            with torch.enable_grad():
                self._leaf = gathered.requires_grad_()
                self._hidden = self.network.middle(self._leaf, span)
            return self._hidden.detach()
        thin = self._thin
        self._shared = self._may_share and shares_products(self.network, len(gathered))
        before, x = gathered, gathered.add_(self._bias_in)
        for index in range(len(self._bias_gradients)):
            if thin and index == self._dropped:
                continue  # done with the next layer
            if thin and index == self._dropped + 1:
                x = thin.forward(before, span)
            elif index > 0:
                x = self._layer(index - 1, before)
            out = self._activate(x)
            keep = self.network.dropout_mask(out, span) if index == self._dropped else None
            self._saved[index] = (before, x, out, keep)
            before = out if keep is None else out * keep
        return before

    def backward(self, d: Tensor) -> Tensor:
        """Compute d loss / d (encoder's sums) from d loss / d (last hidden layer)."""
        if self.by_autograd:
            torch.autograd.backward(self._hidden, d)
            assert self._leaf.grad is not None
            return self._leaf.grad
        thin = self._thin
        for index in range(len(self._bias_gradients) - 1, -1, -1):
            if thin and index == self._dropped:
                continue
            before, x, out, keep = self._saved[index]
            d = self._back(d if keep is None else d * keep, x, out)
            self._bias_gradients[index].add_(d.sum(0))
            if thin and index == self._dropped + 1:
                d = thin.backward(d)
            elif index > 0:
                d = self._layer_backward(index - 1, d, before)
        return d

    def _layer(self, index: int, before: Tensor) -> Tensor:
        """Compute the pre-activation (rows, out) from the previous layer (rows, in)."""
        bias, weight = self._biases[index], self._transposed[index]
        if not self._shared:
            return torch.addmm(bias, before, weight)
        x = before.new_empty(len(before), len(bias))
        _in_blocks(lambda rows: torch.addmm(bias, before[rows], weight, out=x[rows]), len(before))
        return x

    def _layer_backward(self, index: int, d: Tensor, before: Tensor) -> Tensor:
        """Compute the gradient by ``before`` from that by ``_layer``'s result; add the weight's."""
        weight, total, turned = self._weights[index], self._weight_gradients[index], d.t()
        if not self._shared:
            total.addmm_(turned, before)
            return d.mm(weight)
        _in_blocks(lambda rows: total[rows].addmm_(turned[rows], before), len(total))
        d_before = d.new_empty(len(d), weight.shape[1])
        _in_blocks(lambda rows: torch.mm(d[rows], weight, out=d_before[rows]), len(d))
        return d_before


def _grad(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
