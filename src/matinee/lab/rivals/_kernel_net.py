"""``KernelNet``: the network of SparseFC, with its loss and gradient over observed ratings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

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


@dataclass(frozen=True, eq=False)
class _Layer:
    """Views of one layer's parameters (or gradients) in a flat vector.

    The first and last layer have users as rows whichever way they point.
    """

    w: Float
    u: Float
    v: Float
    bias: Float

    def kernel(self, out: Float) -> None:
        """The kernels K of all weights, float (rows, columns), into ``out``."""
        np.matmul(2 * self.u, self.v, out=out)
        out -= np.square(self.u).sum(axis=1)[:, None]
        out += 1 - np.square(self.v).sum(axis=0)
        np.maximum(out, 0, out=out)


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
        parameters: All parameters, one flat vector.
        gradient: The last gradient, one flat vector.
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
        dtype: type[np.floating[Any]] = np.float32,
    ) -> None:
        self.lambda_2, self.lambda_s = lambda_2, lambda_s
        # Rows, columns and outputs of each layer's W.
        inner = [(units, units, units)] * (layers - 1)
        self._shapes = [(n_users, units, units), *inner, (n_users, units, n_users)]
        self._dim = dim
        size = sum(n * m + dim * (n + m) + out for n, m, out in self._shapes)
        self.parameters = np.empty(size, dtype=dtype)
        self.gradient = np.zeros(size, dtype=dtype)
        self._layers = self._views(self.parameters)
        self._weights = [np.empty_like(layer.w) for layer in self._layers]
        self._kernels = [np.empty_like(layer.w) for layer in self._layers]
        self._room: dict[str, Float] = {}
        self._gradients = self._views(self.gradient)
        for layer in self._layers:
            bound = math.sqrt(6.0 / sum(layer.w.shape))
            layer.w[:] = rng.uniform(-bound, bound, layer.w.shape)
            for vectors in (layer.u, layer.v):
                vectors[:] = 1e-3 * _cut_normal(rng, vectors.shape)
            bound = math.sqrt(3.0 / len(layer.bias))
            layer.bias[:] = rng.uniform(-bound, bound, len(layer.bias))

    def _views(self, flat: Float) -> list[_Layer]:
        layers, offset = [], 0
        for rows, columns, out in self._shapes:
            parts = []
            for shape in ((rows, columns), (rows, self._dim), (self._dim, columns), (out,)):
                size = math.prod(shape)
                parts.append(flat[offset : offset + size].reshape(shape))
                offset += size
            layers.append(_Layer(*parts))
        return layers

    def _scratch(self, name: str, *shape: int) -> Float:
        """An array that is kept for the next call: these are big, and fresh pages are slow."""
        buffer = self._room.get(name)
        if buffer is None or buffer.shape != shape:
            buffer = self._room[name] = np.empty(shape, dtype=self.parameters.dtype)
        return buffer

    def _effective(self) -> float:
        """Set the effective weights of each layer; all penalties."""
        penalty = 0.0
        for layer, kernel, out in zip(self._layers, self._kernels, self._weights, strict=True):
            layer.kernel(kernel)
            np.multiply(layer.w, kernel, out=out)
            penalty += 0.5 * self.lambda_2 * float(np.vdot(layer.w, layer.w))
            penalty += 0.5 * self.lambda_s * float(np.vdot(kernel, kernel))
        return penalty

    def _hidden(self, data: Observed) -> list[Float]:
        """Every hidden layer, (items, units) each, by the effective weights."""
        from scipy.special import expit

        hidden: list[Float] = []
        for number, layer in enumerate(self._layers[:-1]):
            out = self._scratch(f"hidden{number}", len(data.indptr) - 1, layer.w.shape[1])
            if number == 0:
                encode(data.indptr, data.users, data.values, self._weights[0], out)
            else:
                np.matmul(hidden[-1], self._weights[number], out=out)
            out += layer.bias
            hidden.append(expit(out, out=out))
        return hidden

    def vectors(self, data: Observed) -> tuple[Float, Float, Float]:
        """What predictions are made of: dot products of the first two, plus the third.

        Returns:
            The last hidden layer of each item (items, units), the users' effective output weights
            (users, units), and their biases (users,).
        """
        self._effective()
        last = self._hidden(data)[-1]
        return last.copy(), self._weights[-1].copy(), self._layers[-1].bias.copy()

    def loss(self, data: Observed) -> tuple[float, float]:
        """Half the sum of squared errors, and that plus all penalties; sets ``gradient``."""
        penalty = self._effective()
        hidden, weights = self._hidden(data), self._weights
        n = len(data.values)
        error = self._scratch("error", n)
        d, spare = (self._scratch(name, *hidden[-1].shape) for name in ("d", "spare"))
        ones = self._scratch("ones", n)
        ones[:] = 1
        mse = decode_loss(
            data.indptr,
            data.users,
            data.values,
            ones,
            hidden[-1],
            weights[-1],
            self._layers[-1].bias,
            ACTIVATIONS["linear"].code,
            error,
            d,
        )
        error *= n / 2  # from the mean of squares to half their sum
        d *= n / 2
        # The transposed product is a weighted sum too, over each user's items.
        by_user = np.take(error, data.position, out=self._scratch("by_user", n))
        last = self._gradients[-1]
        encode(data.user_ptr, data.items, by_user, hidden[-1], last.w)
        last.bias[:] = np.add.reduceat(
            np.append(by_user, 0), data.user_ptr[:-1], dtype=np.float64
        ) * (np.diff(data.user_ptr) > 0)
        for number in range(len(hidden) - 1, -1, -1):
            np.multiply(hidden[number], hidden[number], out=spare)
            d *= np.subtract(hidden[number], spare, out=spare)
            gradient = self._gradients[number]
            gradient.bias[:] = d.sum(axis=0)
            if number > 0:
                np.matmul(hidden[number - 1].T, d, out=gradient.w)
                d, spare = np.matmul(d, weights[number].T, out=spare), d
        np.take(data.values, data.position, out=by_user)
        encode(data.user_ptr, data.items, by_user, d, self._gradients[0].w)
        for layer, gradient, kernel in zip(
            self._layers, self._gradients, self._kernels, strict=True
        ):
            # By the kernel, twice, as the distance is squared; outside its support nothing moves.
            d = gradient.w
            pull = d * layer.w + self.lambda_s * kernel
            pull *= 2 * (kernel > 0)
            d *= kernel
            d += self.lambda_2 * layer.w
            gradient.u[:] = pull @ layer.v.T - layer.u * pull.sum(axis=1)[:, None]
            gradient.v[:] = layer.u.T @ pull - layer.v * pull.sum(axis=0)
        half = 0.5 * n * mse
        return half, half + penalty


def _cut_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Float:
    """Standard normal, drawn again beyond two deviations."""
    out = rng.standard_normal(shape)
    while (outside := np.abs(out) > 2).any():
        out[outside] = rng.standard_normal(int(outside.sum()))
    return out
