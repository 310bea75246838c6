"""``KernelNet``: the network of SparseFC, with its loss over observed ratings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...base.arrays import Float, Int32, Int64
from ...nn.activations import ACTIVATIONS
from ...nn.sparse.kernels import decode_loss, encode


@dataclass(frozen=True, eq=False)
class Observed:
    """The observed ratings, grouped both ways.

    Attributes:
        indptr: int64 (items + 1,), the entries of each item.
        users: int32 (entries,), by item.
        values: float (entries,), by item: the input and the target.
        user_ptr: int64 (users + 1,), the entries of each user.
        items: int32 (entries,), by user.
        position: int64 (entries,), by user: the position of the entry in the order by item.
    """

    indptr: Int64
    users: Int32
    values: Float
    user_ptr: Int64
    items: Int32
    position: Int64

    def over_items(self, entries: Float, table: Float) -> torch.Tensor:
        """The sum over each user's items of their rows of a table, weighted by entries by item."""
        out = np.empty((len(self.user_ptr) - 1, table.shape[1]), dtype=table.dtype)
        encode(self.user_ptr, self.items, entries[self.position], table, out)
        return torch.from_numpy(out)


class _Input(torch.autograd.Function):
    """The sum over each item's users of their rows of weights, times the ratings."""

    @staticmethod
    def forward(ctx: Any, weights: torch.Tensor, data: Observed) -> torch.Tensor:
        ctx.data = data
        table = weights.detach().numpy()
        out = np.empty((len(data.indptr) - 1, table.shape[1]), dtype=table.dtype)
        encode(data.indptr, data.users, data.values, table, out)
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, d: torch.Tensor) -> tuple[Any, ...]:
        return ctx.data.over_items(ctx.data.values, d.contiguous().numpy()), None


class _HalfError(torch.autograd.Function):
    """Half the sum of the squared errors at the observed ratings, in float64."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor, data: Observed
    ) -> torch.Tensor:
        table = hidden.detach().numpy()
        n, linear = len(data.values), ACTIVATIONS["linear"].code
        error, d = np.empty_like(data.values), np.empty_like(table)
        rest = data.indptr, data.users, data.values, np.ones_like(data.values), table
        out = weights.detach().numpy(), bias.detach().numpy()
        mse = decode_loss(*rest, *out, linear, error, d)
        error *= n / 2  # from the mean of squares to half their sum
        d *= n / 2
        d_bias = np.bincount(data.users, error, minlength=len(bias)).astype(error.dtype)
        ctx.gradients = torch.from_numpy(d), data.over_items(error, table), torch.from_numpy(d_bias)
        return torch.tensor(0.5 * n * mse, dtype=torch.float64)

    @staticmethod
    def backward(ctx: Any, by: torch.Tensor) -> tuple[Any, ...]:
        return *(float(by) * each for each in ctx.gradients), None


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer. The first and last have users as rows whichever way they point."""

    w: torch.Tensor
    u: torch.Tensor
    v: torch.Tensor
    bias: torch.Tensor

    def kernel(self) -> torch.Tensor:
        """Return the kernels K of all weights, float (rows, columns)."""
        squares = self.u.square().sum(1, keepdim=True) + self.v.square().sum(0)
        return (1 - squares + 2 * (self.u @ self.v)).clamp_min(0)


class KernelNet:
    """An autoencoder of items' ratings with kernelised sparse weights (Muller et al. 2018).

    Every layer's weights are ``W * K`` with ``K[i, j] = max(0, 1 - |u_i - v_j|^2)`` of learned
    vectors; hidden layers are sigmoid, the output is linear, and a missing rating is an input of 0.
    The first and last layer are computed at the observed ratings only, forward and backward: users
    x items never exists.

    Args:
        n_users: Inputs and outputs.
        units: Width of the hidden layers.
        layers: Number of hidden layers.
        dim: Length of the kernels' vectors.
        lambda_2: Strength of the L2 penalty on W.
        lambda_s: Strength of the penalty on K.
        rng: For the first weights: Glorot's uniform for W and biases, normal with a deviation of
            0.001, cut at two, for the vectors, as in the authors' code.
        dtype: float32, or float64 for checks.

    Attributes:
        parameters: All parameters: of each layer W, u, v and the biases.
    """

    def __init__(
        self,
        n_users: int,
        units: int,
        layers: int,
        dim: int,
        *,
        lambda_2: float,
        lambda_s: float,
        rng: np.random.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.lambda_2, self.lambda_s = lambda_2, lambda_s
        # Rows, columns and outputs of each layer's W.
        inner = [(units, units, units)] * (layers - 1)
        shapes = [(n_users, units, units), *inner, (n_users, units, n_users)]
        self.parameters: list[torch.Tensor] = []
        for rows, columns, out in shapes:
            bound = math.sqrt(6.0 / (rows + columns))
            w = rng.uniform(-bound, bound, (rows, columns))
            u, v = (1e-3 * _cut_normal(rng, shape) for shape in ((rows, dim), (dim, columns)))
            bound = math.sqrt(3.0 / out)
            for values in (w, u, v, rng.uniform(-bound, bound, out)):
                self.parameters.append(torch.from_numpy(values).to(dtype).requires_grad_())

    @property
    def layers(self) -> list[_Layer]:
        """The parameters by layer."""
        return [_Layer(*self.parameters[at : at + 4]) for at in range(0, len(self.parameters), 4)]

    def _hidden(self, data: Observed, weights: list[torch.Tensor]) -> torch.Tensor:
        """Return the last hidden layer, (items, units), by the effective weights."""
        first, *inner = self.layers[:-1]
        hidden = torch.sigmoid(_Input.apply(weights[0], data) + first.bias)  # type: ignore[no-untyped-call]
        for layer, weight in zip(inner, weights[1:-1], strict=True):
            hidden = torch.sigmoid(hidden @ weight + layer.bias)
        return hidden

    def vectors(self, data: Observed) -> tuple[Float, Float, Float]:
        """Return the factors of predictions: dot products of the first two, plus the third.

        Returns:
            The last hidden layer of each item (items, units), the users' effective output weights
            (users, units), and their biases (users,).
        """
        with torch.no_grad():
            weights = [layer.w * layer.kernel() for layer in self.layers]
            hidden = self._hidden(data, weights)
        return hidden.numpy(), weights[-1].numpy(), self.layers[-1].bias.detach().numpy().copy()

    def loss(self, data: Observed) -> tuple[torch.Tensor, torch.Tensor]:
        """Half the sum of squared errors, and that plus all penalties, float64."""
        kernels = [layer.kernel() for layer in self.layers]
        weights = [layer.w * kernel for layer, kernel in zip(self.layers, kernels, strict=True)]
        half: torch.Tensor = _HalfError.apply(  # type: ignore[no-untyped-call]
            self._hidden(data, weights), weights[-1], self.layers[-1].bias, data
        )
        whole = half
        for layer, kernel in zip(self.layers, kernels, strict=True):
            whole = whole + 0.5 * self.lambda_2 * layer.w.square().sum().double()
            whole = whole + 0.5 * self.lambda_s * kernel.square().sum().double()
        return half, whole


def _cut_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Float:
    """Standard normal, drawn again beyond two deviations."""
    out = rng.standard_normal(shape)
    while (outside := np.abs(out) > 2).any():
        out[outside] = rng.standard_normal(int(outside.sum()))
    return out
