"""The usual way: dense users x items arrays, and batches to try both ways on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import strategies as st
from torch.nn import functional

from matinee.nn import Network, NetworkConfig

Array = npt.NDArray[Any]

# Written out again, so that a slip in the package's table of activations is seen.
ACTIVATIONS = {
    "linear": lambda x: x * 1.0,
    "sigmoid": torch.nn.Sigmoid(),
    "tanh": torch.nn.Tanh(),
    "relu": torch.nn.ReLU(),
    "relu6": torch.nn.ReLU6(),
    "leaky_relu": torch.nn.LeakyReLU(0.01),
    "elu": torch.nn.ELU(),
    "selu": torch.nn.SELU(),
    "silu": torch.nn.SiLU(),
    "mish": torch.nn.Mish(),
}


def decoded(net: Network, vectors: Array, columns: Array) -> Array:
    """Outputs of last hidden layers (rows, hidden[-1]) at some columns: (rows, columns)."""
    table, bias = net.table_out.detach()[columns], net.bias_out.detach()[columns]
    output = ACTIVATIONS[net.config.output_activation]
    outputs: Array = output(torch.from_numpy(vectors) @ table.t() + bias).numpy()
    return outputs


@dataclass(frozen=True)
class Entries:
    """A batch in float64, in the kernels' layout, with tables of one width."""

    indptr: Array
    index: Array
    coef: Array
    target: Array
    weight: Array
    table: Array
    bias: Array
    hidden: Array

    @property
    def row(self) -> Array:
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    def grid(self, values: Array) -> torch.Tensor:
        """Values by entry as a dense (rows, table rows) tensor, 0 elsewhere."""
        out = np.zeros((len(self.indptr) - 1, len(self.table)))
        out[self.row, self.index] = values
        return torch.from_numpy(out)

    def to(self, dtype: type) -> Entries:
        return Entries(
            self.indptr,
            self.index,
            *(
                a.astype(dtype)
                for a in (
                    self.coef,
                    self.target,
                    self.weight,
                    self.table,
                    self.bias,
                    self.hidden,
                )
            ),
        )


@st.composite
def entries(draw: st.DrawFn) -> Entries:
    """Rows with and without entries, items shared by rows, any width, zeros and negatives."""
    counts = draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    n = draw(st.integers(max(1, *counts), 14)) if len(counts) > 1 else draw(st.integers(9, 14))
    width = draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    hide, unweighted = draw(st.sampled_from([0.0, 0.4])), draw(st.sampled_from([0.0, 0.4, 1.0]))
    total = sum(counts)
    index = [rng.permutation(n)[:c] for c in counts]
    weight = rng.uniform(0.2, 3.0, total) * (rng.random(total) >= unweighted)
    return Entries(
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        index=np.concatenate(index).astype(np.int32),
        coef=rng.integers(-3, 6, total) * (rng.random(total) >= hide),
        target=rng.integers(-3, 6, total).astype(np.float64),
        weight=weight,
        table=rng.normal(0, 0.7, (n, width)),
        bias=rng.normal(0, 0.5, n),
        hidden=rng.normal(0, 0.7, (len(counts), width)),
    )


def close(actual: Array, expected: Any, tolerance: float) -> bool:
    """Whether arrays agree relative to the largest expected value (and to 1 where all are tiny)."""
    wanted = np.asarray(expected, dtype=np.float64)
    assert actual.shape == wanted.shape
    size = max(1.0, float(np.abs(wanted).max(initial=0.0)))
    return bool(np.abs(actual - wanted).max(initial=0.0) <= tolerance * size)


def network(seed: int = 0, columns: int = 9, double: bool = True, **options: Any) -> Network:
    """A network on ratings, its biases and norms off zero so that a slip in them is seen."""
    config = NetworkConfig.make(options)
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.float64 if double else torch.float32
    made = Network(config, columns, columns, generator, dtype)
    with torch.no_grad():
        for p in made.parameters():
            if p.ndim == 1 and p.requires_grad:
                p.add_(torch.empty_like(p).normal_(0, 0.3, generator=generator))
    return made


def dense_forward(net: Network, ratings: torch.Tensor) -> torch.Tensor:
    """The whole network on dense rows, (rows, columns) to (rows, columns), as usually written."""
    config, activation = net.config, ACTIVATIONS[net.config.activation]
    stack = [net.table_in.t(), *net.weights]
    if config.tied:  # with an even number of hidden layers the middle weight has no twin
        twins = len(config.hidden) + 1 - len(stack)
        stack += [w.t() for w in reversed(stack[:twins])]
    else:
        stack.append(net.table_out)
    biases = [net.bias_in, *net.biases, net.bias_out]
    x = ratings
    for index, (weight, bias) in enumerate(zip(stack, biases, strict=True)):
        x = functional.linear(x, weight, bias)
        if index < len(config.hidden):
            if config.batch_norm:
                x = net.norms[index](x)
            x = activation(x)
    return ACTIVATIONS[config.output_activation](x)
