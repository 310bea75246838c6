"""Forward and backward through the middle layers, for training on the CPU.

``Network.middle`` is the definition. Autograd's bookkeeping around these few small products costs
more than the products at small batches (a third of a step at batch 8), so they are differentiated
by hand here; batch norm is left to autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ._activations import LEAK, SELU_ALPHA, SELU_SCALE, TORCH
from ._network import Network

_ATEN: Any = torch.ops.aten

# d loss / d (pre-activation) from (d loss / d out, pre-activation, out).
_BACK: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "linear": lambda d, x, y: d,
    "sigmoid": lambda d, x, y: _ATEN.sigmoid_backward(d, y),
    "tanh": lambda d, x, y: _ATEN.tanh_backward(d, y),
    "relu": lambda d, x, y: _ATEN.threshold_backward(d, y, 0),
    "relu6": lambda d, x, y: _ATEN.hardtanh_backward(d, x, 0, 6),
    "leaky_relu": lambda d, x, y: _ATEN.leaky_relu_backward(d, x, LEAK, False),
    "elu": lambda d, x, y: _ATEN.elu_backward(d, 1, 1, 1, True, y),
    "selu": lambda d, x, y: _ATEN.elu_backward(d, SELU_ALPHA, SELU_SCALE, 1, True, y),
    "silu": lambda d, x, y: _ATEN.silu_backward(d, x),
}


class Middle:
    """The middle layers of a network, with gradients added to the parameters' ``grad``.

    Args:
        network: On the CPU; every middle parameter must have a ``grad`` of its own, zeroed by
            the caller, and keep its storage.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.by_autograd = len(network.norms) > 0
        config = network.config
        self._activate = TORCH[config.activation]
        self._back = _BACK[config.activation]
        # Views made once: the optimiser updates parameters in place.
        self._weights = [network.layer(i).detach() for i in range(len(network.biases))]
        self._transposed = [weight.t() for weight in self._weights]
        self._biases = [bias.detach() for bias in network.biases]
        self._bias_in = network.bias_in.detach()
        self._saved: list[tuple[Tensor, Tensor, Tensor, Tensor | None]] = []
        self._leaf = self._hidden = torch.empty(0)

    def forward(self, gathered: Tensor) -> Tensor:
        """The last hidden layer from the encoder's sums, which are overwritten."""
        if self.by_autograd:
            with torch.enable_grad():
                self._leaf = gathered.requires_grad_()
                self._hidden = self.network.middle(self._leaf)
            return self._hidden.detach()
        self._saved.clear()
        x = y = gathered.add_(self._bias_in)
        before = gathered
        for index in range(len(self._weights) + 1):
            if index > 0:
                before = y
                x = torch.addmm(self._biases[index - 1], before, self._transposed[index - 1])
            y = out = self._activate(x)
            keep = None
            if index == self.network.config.code_layer:
                keep = self.network.dropout_mask(y)
                y = y if keep is None else y * keep
            self._saved.append((before, x, out, keep))
        return y

    def backward(self, d: Tensor) -> Tensor:
        """The gradient d loss / d (encoder's sums) from d loss / d (last hidden layer)."""
        if self.by_autograd:
            torch.autograd.backward(self._hidden, d)
            assert self._leaf.grad is not None
            return self._leaf.grad
        own = len(self.network.weights)
        for index in range(len(self._weights), -1, -1):
            before, x, out, keep = self._saved[index]
            d = self._back(d if keep is None else d * keep, x, out)
            if index == 0:
                _grad(self.network.bias_in).add_(d.sum(0))
                break
            _grad(self.network.biases[index - 1]).add_(d.sum(0))
            if index - 1 < own:
                _grad(self.network.weights[index - 1]).addmm_(d.t(), before)
            else:  # a tied decoder's layer is an encoder's, transposed
                mirror = len(self._weights) - index
                _grad(self.network.weights[mirror]).addmm_(before.t(), d)
            d = d.mm(self._weights[index - 1])
        return d


def _grad(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
