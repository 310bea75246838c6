"""The compiled backend against torch's own optimisers, step for step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from problems import batches, parts, ratings, settings, with_side

from matinee.models import Settings
from matinee.train._backend import KernelBackend, TorchBackend

STEPS = 120
TINY_EPS = 1e-16

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.02},
    "momentless": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.0},
    "adam": {"optimizer": "adam", "learning_rate": 3e-3, "eps": TINY_EPS},
}
DECAYS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.3},
    {"l2": 0.01},
    {"l2": 0.01, "weight_decay": 0.3},
    {"l2": 0.05, "l2_on": "weights"},
]
SCHEDULES: list[dict[str, Any]] = [
    {},
    {"schedule": "cosine", "warmup": 0.5},
    {"schedule": "step", "milestones": [1, 2], "gamma": 0.3},
]
NETWORKS: list[dict[str, Any]] = [
    {},
    {"tied": True},
    {"tied": True, "hidden": [5], "output_bias": False},
    {"input": "presence", "objective": "conditional", "input_scale": "sqrt"},
    {"input": "presence", "center": "bias", "objective": "conditional", "hidden": [7]},
    {"input": "presence", "input_scale": "sqrt", "input_dropout": 0.5},
    {"code_dropout": 0.3, "input_dropout": 0.3, "output_activation": "elu"},
    {"output": "ordinal", "input": "presence", "center": "bias", "objective": "conditional"},
    {"output": "ordinal", "tied": True, "center": "mean"},
    {"batch_norm": True, "center": "mean", "activation": "selu"},
    {"batch_norm": True, "tied": True, "objective": "conditional"},
]


def both(
    chosen: Settings,
    steps: int = STEPS,
    double: bool = True,
    weighted: bool = False,
    side: bool = False,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Weights of both engines after the same batches, and their losses, (steps, 2)."""
    csr = with_side(ratings()) if side else ratings()
    dtype, real = (torch.float64, np.float64) if double else (torch.float32, np.float32)
    weights, losses = [], []
    for kind in (KernelBackend, TorchBackend):
        net, inputs = parts(chosen, csr, dtype=dtype)
        net.train()
        per_epoch = -(-steps // chosen.train.epochs)
        backend = kind(net, chosen.train, per_epoch, link=inputs.link)
        made = batches(chosen, inputs, csr, steps, real)
        if weighted:
            rng = np.random.default_rng(5)
            made = (
                replace(b, weight=b.weight * rng.uniform(0.1, 2.0, len(b.weight))) for b in made
            )
        losses.append([backend.step(batch, n) for n, batch in enumerate(made, 1)])
        backend.flush(steps)
        assert backend.learning_rate(steps) > 0
        weights.append({name: array.copy() for name, array in net.arrays().items()})
    return weights[0], weights[1], np.array(losses).T


def gap(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> float:
    """The largest difference of any weight.

    A bias before a batch norm has no gradient but rounding, which an adaptive optimiser blows up
    to steps of its full size: it, and the running mean that takes it off again, may be anything.
    """
    assert one.keys() == two.keys()
    normed = any(name.startswith("norms") for name in one)
    free = ("bias_in", "biases", "running_mean") if normed else ()
    names = [name for name in one if not any(part in name for part in free)]
    return max(float(np.abs(one[name] - two[name]).max()) for name in names)


def cases() -> list[Any]:
    """Every optimiser with every decay and with every network, schedules in turn."""
    out = []
    for o, name in enumerate(OPTIMIZERS):
        pairs = [(decay, NETWORKS[o]) for decay in DECAYS]
        pairs += [(DECAYS[(o + n) % 4], network) for n, network in enumerate(NETWORKS)]
        for number, (decay, network) in enumerate(pairs):
            options = {**OPTIMIZERS[name], **decay, **network, **SCHEDULES[(number + o) % 3]}
            shown = [f"{k}={v}" for k, v in (decay | network | SCHEDULES[(number + o) % 3]).items()]
            out.append(pytest.param(name, options, id=" ".join([name, *shown])))
    return out


@pytest.mark.parametrize(("name", "options"), cases())
def test_the_same_weights_as_torchs_dense_optimiser(name: str, options: dict[str, Any]) -> None:
    one, two, losses = both(settings(**options))
    assert losses[-1, 0] != losses[0, 0]
    exact = name != "adam" or options.get("l2")
    tolerance = 1e-9 if exact else 1e-7
    assert gap(one, two) < tolerance
    assert np.abs(losses[:, 0] - losses[:, 1]).max() < 10 * tolerance


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("network", [NETWORKS[0], NETWORKS[3]], ids=str)
def test_the_same_weights_in_float32(name: str, network: dict[str, Any]) -> None:
    options = {**OPTIMIZERS[name], "eps": 1e-8, "weight_decay": 0.1, **network}
    one, two, losses = both(settings(**options), double=False)
    assert all(array.dtype == np.float32 for array in one.values() if array.dtype.kind == "f")
    assert gap(one, two) < 1e-4
    assert np.abs(losses[:, 0] - losses[:, 1]).max() < 1e-3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_weights_with_columns_of_the_rows(name: str) -> None:
    network = {"input": "presence", "center": "bias", "objective": "conditional"}
    one, two, losses = both(settings(**OPTIMIZERS[name], **network), side=True)
    plain, _, _ = both(settings(**OPTIMIZERS[name], **network))
    assert len(one["table_in"]) == len(plain["table_in"]) + 5
    assert gap(one, two) < 1e-7
    assert np.abs(losses[:, 0] - losses[:, 1]).max() < 1e-6


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("network", [NETWORKS[0], NETWORKS[1], NETWORKS[4], NETWORKS[6]], ids=str)
def test_the_same_weights_where_ratings_have_weights(name: str, network: dict[str, Any]) -> None:
    chosen = settings(**{**OPTIMIZERS[name], "weight_decay": 0.1, **network})
    one, two, losses = both(chosen, steps=40, weighted=True)
    tolerance = 1e-7 if name == "adam" else 1e-9
    assert gap(one, two) < tolerance
    assert np.abs(losses[:, 0] - losses[:, 1]).max() < 10 * tolerance
    plain, _, _ = both(chosen, steps=20)
    heavy, _, _ = both(chosen, steps=20, weighted=True)
    assert gap(plain, heavy) > 1e-4
