"""Re-feeding against plain PyTorch: dense rows, autograd, torch's own optimisers, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from problems import batches, parts, ratings, settings
from test_backend import gap
from torch.nn import functional

from matinee.models import Settings
from matinee.nn import Batch, Network
from matinee.train._backend import KernelBackend, TorchBackend

STEPS = 12
ACTIVATIONS = {"linear": lambda x: x, "selu": torch.selu, "elu": functional.elu}

SGD: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 0.01}
ADAM: dict[str, Any] = {"optimizer": "adam", "learning_rate": 3e-3, "eps": 1e-16}
SELU: dict[str, Any] = {"activation": "selu", "output_activation": "selu"}


class Plain:
    """The whole thing written out: dense rows, one pass, one step, and the same on the output."""

    def __init__(self, net: Network, chosen: Settings, columns: int) -> None:
        self.chosen, self.columns = chosen, columns
        self.hidden_act = ACTIVATIONS[chosen.network.activation]
        self.output_act = ACTIVATIONS[chosen.network.output_activation]
        self.presence = chosen.network.input == "presence"
        names = dict(net.named_parameters())
        self.p = {n: p.detach().clone().requires_grad_(p.requires_grad) for n, p in names.items()}
        free = [p for p in self.p.values() if p.requires_grad]
        train = chosen.train
        l2 = train.l2
        self.optimizer: torch.optim.Optimizer = (
            torch.optim.SGD(free, lr=train.learning_rate, momentum=train.momentum, weight_decay=l2)
            if train.optimizer == "sgd"
            else torch.optim.Adam(free, lr=train.learning_rate, eps=train.eps, weight_decay=l2)
        )
        assert not train.weight_decay
        assert train.schedule == "constant"

    def forward(self, x: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """The output at every column from dense rows, ``shown`` 1 where x is an input."""
        p = self.p
        table = p["table_in"]
        h = shown @ table[0::2] + x @ table[1::2] if self.presence else x @ table
        if self.chosen.network.input_scale == "sqrt":
            h = h / shown.sum(1, keepdim=True).sqrt()
        h = self.hidden_act(h + p["bias_in"])
        last = len(self.chosen.network.hidden) - 2
        for index in range(last + 1):
            tied = self.chosen.network.tied and f"weights.{index}" not in p
            weight = p[f"weights.{last - index}"].t() if tied else p[f"weights.{index}"]
            h = self.hidden_act(functional.linear(h, weight, p[f"biases.{index}"]))
        return self.output_act(h @ p.get("table_out", table).t() + p["bias_out"])

    def descend(self, loss: torch.Tensor) -> float:
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss.detach())

    def step(self, batch: Batch) -> float:
        """A step on x, then one on f(x), which is what the first pass gave."""
        row = np.repeat(np.arange(batch.rows), np.diff(batch.indptr))
        x = torch.zeros(batch.rows, self.columns, dtype=torch.float64)
        mask = torch.zeros_like(x)
        x[row, batch.column] = torch.from_numpy(batch.target)
        mask[row, batch.column] = 1
        output = self.forward(x, mask)
        loss = self.descend((mask * (output - x) ** 2).sum() / mask.sum())
        fed = output.detach()
        self.descend(functional.mse_loss(self.forward(fed, torch.ones_like(fed)), fed))
        return loss


@pytest.mark.parametrize("kind", [KernelBackend, TorchBackend])
@pytest.mark.parametrize("form", [{}, {"refeed": "sampled", "refeed_entries": 1000}], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {**SGD, **SELU},
        {**ADAM, **SELU},
        {**SGD, **SELU, "tied": True},
        {**ADAM, "tied": True, "hidden": [5, 3, 3, 5]},
        {**SGD, "center": "mean", "hidden": [5]},
        {**SGD, "center": "bias", "input": "presence", "input_scale": "sqrt"},
        {**ADAM, "center": "mean", "input": "presence", "output_bias": False},
        {**SGD, "l2": 0.05, "output_activation": "elu"},
        {**ADAM, "l2": 0.05, "tied": True, "input_scale": "sqrt"},
    ],
    ids=str,
)
def test_the_same_weights_as_written_out(
    kind: Any, form: dict[str, Any], options: dict[str, Any]
) -> None:
    """Dense, or a sample as large as all there is: both are the paper's second step."""
    chosen = settings(**{"refeed": "dense", **options, **form})
    csr = ratings()
    net, inputs = parts(chosen, csr)
    net.train()
    plain = Plain(net, chosen, csr.n_columns)
    backend = kind(net, chosen.train, STEPS)
    for n, batch in enumerate(batches(chosen, inputs, csr, STEPS), 1):
        assert backend.step(batch, n) == pytest.approx(plain.step(batch), rel=1e-8)
    backend.flush(STEPS)
    assert set(plain.p) == {n for n, _ in net.named_parameters()}
    tolerance = 1e-10 if options["optimizer"] == "sgd" else 1e-7
    for name, p in net.named_parameters():
        assert float((p - plain.p[name]).detach().abs().max()) < tolerance, name


@pytest.mark.parametrize("form", ["dense", "sampled"])
@pytest.mark.parametrize(
    "options",
    [
        {**SGD, "code_dropout": 0.5, **SELU},
        {**SGD, "weight_decay": 0.3, "schedule": "step", "milestones": [1, 2], "tied": True},
        {**ADAM, "weight_decay": 0.3, "schedule": "cosine", "warmup": 0.5},
        {**ADAM, "l2": 0.01, "l2_on": "weights", "input": "presence", "hidden": [7]},
        {**SGD, "l2": 0.01, "tied": True, "center": "bias", "input_scale": "sqrt"},
        {**SGD, "learning_rate": 2e-3, "batch_norm": True},
        {**ADAM, "objective": "conditional"},
        {**SGD, "input_dropout": 0.3},
    ],
    ids=str,
)
def test_both_engines_take_the_same_steps(form: str, options: dict[str, Any]) -> None:
    """With every other option there is; the sample is the same, being drawn by one generator."""
    chosen = settings(**{"refeed": form, "refeed_entries": 11, **options})
    csr = ratings()
    weights, losses = [], []
    for kind in (KernelBackend, TorchBackend):
        net, inputs = parts(chosen, csr)
        net.train()
        backend = kind(net, chosen.train, 20)
        made = batches(chosen, inputs, csr, 60)
        losses.append([backend.step(batch, n) for n, batch in enumerate(made, 1)])
        backend.flush(60)
        weights.append({name: array.copy() for name, array in net.arrays().items()})
    adaptive = options["optimizer"] == "adam"
    assert gap(*weights) < (1e-7 if adaptive else 1e-10)
    assert np.abs(np.subtract(*losses)).max() < (1e-6 if adaptive else 1e-9)
