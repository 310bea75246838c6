"""How far the compiled backend may differ from a dense optimiser; and a dense network."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from problems import assert_goes_on, batches, parts, ratings, settings
from test_backend import STEPS, both, gap
from torch import nn

from matinee.errors import UsageError
from matinee.train import TrainConfig
from matinee.train._backend import KernelBackend, TorchBackend


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({}, 1e-5),
        ({"weight_decay": 0.3, "schedule": "cosine"}, 1e-5),
        ({"tied": True, "hidden": [5]}, 1e-5),
        ({"input": "presence", "input_scale": "sqrt", "objective": "conditional"}, 1e-4),
    ],
    ids=str,
)
def test_adams_epsilon_is_all_that_differs(options: dict[str, Any], bound: float) -> None:
    """With the default 1e-8, weights that moved by about 1 differ by less than 1e-5 or so."""
    adam = {"optimizer": "adam", "learning_rate": 3e-3, **options}
    default = gap(*both(settings(**adam), steps=300)[:2])
    tiny = gap(*both(settings(eps=1e-16, **adam), steps=300)[:2])
    assert 1e-9 < default < bound  # it does differ, as said
    assert tiny < 1e-10


def test_the_first_missed_step_is_exact_whatever_epsilon() -> None:
    """A row missed once moves as under the dense optimiser even where epsilon is all there is."""
    chosen = settings(optimizer="adam", learning_rate=0.01, eps=0.1)
    csr = ratings()
    weights = []
    for kind in (KernelBackend, TorchBackend):
        net, inputs = parts(chosen, csr)
        net.train()
        backend = kind(net, chosen.train, 4)
        made = list(batches(chosen, inputs, csr, 2))
        for n, batch in enumerate([made[0], made[1], made[0]], 1):
            backend.step(batch, n)
        backend.flush(3)
        weights.append({n: a.copy() for n, a in net.arrays().items()})
    once = np.setdiff1d(made[0].column, made[1].column)
    assert len(once) > 5  # touched, missed, touched
    for name in ("table_in", "table_out"):
        assert np.abs(weights[0][name][once] - weights[1][name][once]).max() < 1e-12


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weight_decay_over_a_very_long_run(optimizer: str) -> None:
    """The product of all its factors would underflow float64; nothing else may notice."""
    chosen = settings(optimizer=optimizer, learning_rate=0.02, weight_decay=4.0, eps=1e-16)
    csr = ratings()
    weights = []
    for kind in (KernelBackend, TorchBackend):
        net, inputs = parts(chosen, csr)
        net.train()
        backend = kind(net, chosen.train, 10_000)
        losses = [backend.step(b, n) for n, b in enumerate(batches(chosen, inputs, csr, 60), 1)]
        backend.flush(60)
        assert np.isfinite(losses).all()
        weights.append({n: a.copy() for n, a in net.arrays().items()})
    assert gap(*weights) < 1e-9


def test_a_row_untouched_for_thousands_of_steps() -> None:
    """Catching up is the same in one go as in many."""
    for optimizer in ("sgd", "adam"):
        chosen = settings(optimizer=optimizer, weight_decay=0.01, eps=1e-16, epochs=2)
        csr = ratings()
        weights = []
        for flushed in (False, True):
            net, inputs = parts(chosen, csr)
            backend = KernelBackend(net, chosen.train, 2500)
            for n, batch in enumerate(batches(chosen, inputs, csr, 5), 1):
                backend.step(batch, n)
            for step in range(6, 5001):
                if flushed and step % 7 == 0:
                    backend.flush(step)
            backend.flush(5000)
            weights.append({n: a.copy() for n, a in net.arrays().items()})
        assert gap(*weights) < 1e-10, optimizer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta1": 0.95, "beta2": 0.9}, "beta1 below the square root of beta2"),
        ({"optimizer": "sgd", "learning_rate": 0.5, "weight_decay": 0.3}, "must be below 0.1"),
    ],
    ids=str,
)
def test_options_under_which_skipped_steps_would_grow(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        TrainConfig.make(options)
    TrainConfig.make({"optimizer": "sgd", "beta1": 0.95, "beta2": 0.9})


class Dense(nn.Module):
    """The usual way: linear layers over rows with a zero for what is missing."""

    def __init__(self, sizes: list[int], activation: nn.Module) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(sizes))
        self.layers = nn.ModuleList(nn.Linear(n, m, dtype=torch.float64) for n, m in pairs)
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        out: torch.Tensor = self.layers[-1](x)
        return out


@pytest.mark.parametrize("kind", [KernelBackend, TorchBackend])
@pytest.mark.parametrize(
    ("options", "make"),
    [
        (
            {"optimizer": "adam", "learning_rate": 5e-3, "eps": 1e-16, "activation": "sigmoid"},
            lambda p: torch.optim.Adam(p, lr=5e-3, eps=1e-16),
        ),
        (
            {"optimizer": "sgd", "learning_rate": 0.03, "activation": "elu", "l2": 0.01},
            lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.9, weight_decay=0.01),
        ),
    ],
    ids=["adam", "sgd with l2"],
)
def test_a_plain_dense_network_under_torch(kind: Any, options: dict[str, Any], make: Any) -> None:
    chosen = settings(hidden=[7, 4, 6], output_bias=True, **options)
    csr = ratings()
    net, inputs = parts(chosen, csr)
    torch_act = {"sigmoid": nn.Sigmoid(), "elu": nn.ELU()}[chosen.network.activation]
    dense = Dense([csr.n_columns, 7, 4, 6, csr.n_columns], torch_act)
    with torch.no_grad():
        tables = [net.table_in.t(), *net.weights, net.table_out]
        biases = [net.bias_in, *net.biases, net.bias_out]
        for layer, weight, bias in zip(dense.layers, tables, biases, strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
    optimizer = make(dense.parameters())
    backend = kind(net, chosen.train, STEPS)
    for n, batch in enumerate(batches(chosen, inputs, csr, STEPS), 1):
        row = np.repeat(np.arange(batch.rows), np.diff(batch.indptr))
        x = torch.zeros(batch.rows, csr.n_columns, dtype=torch.float64)
        mask = torch.zeros_like(x)
        x[row, batch.column] = torch.from_numpy(batch.target)
        mask[row, batch.column] = 1
        optimizer.zero_grad()
        loss = (mask * (dense(x) - x) ** 2).sum() / mask.sum()
        torch.autograd.backward(loss)
        optimizer.step()
        assert backend.step(batch, n) == pytest.approx(float(loss.detach()), rel=1e-7)
    backend.flush(STEPS)
    tolerance = 1e-9 if options["optimizer"] == "sgd" else 1e-7
    parameters = [
        net.table_in.t(),
        *net.weights,
        net.table_out,
        net.bias_in,
        *net.biases,
        net.bias_out,
    ]
    torch_parameters = [*(x.weight for x in dense.layers), *(x.bias for x in dense.layers)]
    for left, right in zip(parameters, torch_parameters, strict=True):
        assert float((left - right).detach().abs().max()) < tolerance


@pytest.mark.parametrize("kind", [KernelBackend, TorchBackend])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_state_there_and_back(kind: Any, optimizer: str) -> None:
    """From weights and state alone, a fresh backend goes on bit for bit."""
    chosen = settings(optimizer=optimizer, weight_decay=0.1, code_dropout=0.2)
    assert_goes_on(kind, chosen, half=10, room=50)
