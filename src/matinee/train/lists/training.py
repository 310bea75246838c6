"""Train a list network: a deep autoencoder with a loss over all items."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...base.arrays import Float32, Int64
from ...data import Csr
from ...errors import TrainingError
from ...nn.activations import activation
from ..linear import interactions
from .cells import Cells
from .fused import FUSED
from .losses import Targets, list_loss, weighted_sums
from .network_config import ListNetworkConfig
from .run import ListEpoch, ListRun, train_epochs
from .weights import OUTPUT, OUTPUT_BIAS, START, TABLE, ListNetworkWeights

TABLE_SCALE, OUTPUT_SCALE = 0.05, 0.01
"""Standard deviations of the first and the last layer's initial weights."""
RESIDUAL_SCALE = 0.3
"""Factor of the initial weights of residual layers."""
WARMUP = 20
"""Warmup steps of the cosine schedule."""
LEAST_RATE = 0.02
"""Final learning rate of the cosine schedule, as a share of the highest."""


def fit_list_network(
    rows: Csr,
    config: ListNetworkConfig,
    rng: np.random.Generator,
    *,
    last: int | None = None,
    score: Callable[[ListNetworkWeights], float] | None = None,
    on_epoch: Callable[[ListEpoch], None] | None = None,
) -> ListRun[ListNetworkWeights]:
    """Train a list network on the interactions of users.

    Args:
        rows: Interactions by user, with weights of mean 1 or none; values are not read.
        config: The options. ``choose_epoch`` is applied by the caller, by ``score`` or ``last``.
        rng: Draws the initial weights, the batches and the input items.
        last: Epoch after which to stop, by default ``config.epochs``. The learning rate schedule is
            that of all ``config.epochs``.
        score: Called every ``config.score_every`` epochs and after the last; the weights of the
            epoch with the highest score are kept; without it, those of the last.
        on_epoch: Called after each epoch.

    Raises:
        TrainingError: The loss is not finite, or there are no interactions.
    """
    people = np.flatnonzero(rows.counts > 0)
    if not len(people):
        raise TrainingError("a list network needs interactions, and there are none")
    step = _Step(rows, config, rng, len(people))

    def train() -> float:
        batches = np.array_split(rng.permutation(people), step.per_epoch)
        return sum(step.take(batch) * len(batch) for batch in batches) / len(people)

    last = last or config.epochs
    return train_epochs(train, step.network.weights, last, config, score, on_epoch)


class _Step:
    """The network with its optimiser, trained batch by batch."""

    def __init__(
        self, rows: Csr, config: ListNetworkConfig, rng: np.random.Generator, people: int
    ) -> None:
        self.config, self.rng = config, rng
        known = interactions(rows, config.user_power, rows.entry_weights)
        self.matrix, self.importance = known.matrix, known.weights.astype(np.float32)
        self.network = _Network(rows.n_columns, config, rng)
        self.per_epoch = max(1, math.ceil(people / config.people_per_step(people)))
        self.plan = _Schedule(config, self.per_epoch * config.epochs)
        self.optimizer = _optimizer(self.network.parameters, config)
        self.done = 0

    def take(self, batch: Int64) -> float:
        """Train on a batch of users; return its loss before the step."""
        drawn = _draw(self.matrix[batch], self.config, self.rng)
        loss = self.network.loss(drawn, self.importance[batch], self.plan.beta(self.done))
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate(self.done)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        _add_l2(self.network.parameters, self.config.l2)
        self.optimizer.step()
        self.done += 1
        return float(loss.detach())


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A batch: the histories, the input sampled from them, and the loss weight of each entry."""

    cells: Cells
    values: Float32
    weights: Float32


def _draw(rows: Any, config: ListNetworkConfig, rng: np.random.Generator) -> _Drawn:
    cells = Cells.of(rows.indptr.astype(np.int64), rows.indices, rows.shape[1])
    owner, counts = cells.owner, np.diff(cells.indptr)
    low, high = config.shown
    share = (low + (high - low) * rng.random(len(counts))).astype(np.float32)
    shown = rng.random(len(owner), dtype=np.float32) < share[owner]
    if config.objective == "conditional":
        # The input part is scaled like a whole history.
        lengths = np.bincount(owner[shown], minlength=len(counts))
        size = (1.0 / np.sqrt(np.maximum(lengths, 1))).astype(np.float32)
        weights = np.where(shown, np.float32(config.given_weight), np.float32(1.0))
    else:
        size = (1.0 / (np.sqrt(np.maximum(counts, 1)) * share)).astype(np.float32)
        weights = np.ones(len(owner), dtype=np.float32)
    values = np.where(shown, size[owner], np.float32(0.0))
    return _Drawn(cells, values, weights * rows.data)


class _Network:
    """The network in torch; see ``ListNetworkWeights`` for the names of its parameters."""

    def __init__(self, items: int, config: ListNetworkConfig, rng: np.random.Generator) -> None:
        self.config, self.rng = config, rng
        self.act = activation(config.activation).torch(torch)
        first, last = config.hidden[0], config.hidden[-1]
        parameters: dict[str, Float32] = {
            TABLE: _normal(rng, (items, first), TABLE_SCALE),
            START: np.zeros(first, np.float32),
        }
        for at, (before, width) in enumerate(
            zip(config.hidden, config.hidden[1:], strict=False), 1
        ):
            scale = 1.0 / math.sqrt(before)
            if config.residual and before == width:
                scale *= RESIDUAL_SCALE
            wide = 2 * width if at == config.latent else width
            parameters[f"weight.{at}"] = _normal(rng, (before, wide), scale)
            parameters[f"bias.{at}"] = np.zeros(wide, np.float32)
        parameters[OUTPUT] = _normal(rng, (items, last), OUTPUT_SCALE)
        parameters[OUTPUT_BIAS] = np.zeros(items, np.float32)
        self.parameters = {
            name: torch.from_numpy(array).requires_grad_() for name, array in parameters.items()
        }

    def loss(self, batch: _Drawn, importance: Float32, beta: float) -> Tensor:
        """Compute the loss of a batch; ``beta`` weights the divergence of a variational network."""
        parameters, config = self.parameters, self.config
        layer = self.act(
            weighted_sums(batch.cells, batch.values, parameters[TABLE]) + parameters[START]
        )
        people = torch.from_numpy(importance)
        divergence = torch.zeros(())
        for at in range(1, len(config.hidden)):
            layer_out = torch.addmm(parameters[f"bias.{at}"], layer, parameters[f"weight.{at}"])
            if at == config.latent:
                mean, log_variance = layer_out.chunk(2, dim=1)
                each = mean.square() + log_variance.exp() - 1.0 - log_variance
                divergence = (people * 0.5 * each.sum(1)).mean()
                noise = self.rng.standard_normal(mean.shape, dtype=np.float32)
                layer = mean + torch.from_numpy(noise) * (0.5 * log_variance).exp()
                continue
            layer_out = self.act(layer_out)
            residual = config.residual and layer_out.shape == layer.shape
            layer = layer + layer_out if residual else layer_out
        if config.code_dropout:
            kept = self.rng.random(layer.shape, dtype=np.float32) >= config.code_dropout
            layer = layer * torch.from_numpy(kept / np.float32(1.0 - config.code_dropout))
        targets = Targets(batch.cells, batch.weights, people, config.zero_weight)
        loss = list_loss(config.loss, layer, parameters[OUTPUT], parameters[OUTPUT_BIAS], targets)
        return loss + beta * divergence

    def weights(self) -> ListNetworkWeights:
        """Return a copy of the weights."""
        arrays = {name: each.detach().numpy().copy() for name, each in self.parameters.items()}
        config = self.config
        return ListNetworkWeights(arrays, config.activation, config.residual, config.latent)


def _normal(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Float32:
    normal = rng.standard_normal(shape, dtype=np.float32)
    normal *= np.float32(scale)
    return normal


@dataclass(frozen=True)
class _Schedule:
    """The learning rate and the weight of the divergence of each step, from 0."""

    config: ListNetworkConfig
    steps: int

    def rate(self, step: int) -> float:
        config = self.config
        if config.schedule == "constant":
            return config.learning_rate
        fall = 0.5 * (1.0 + math.cos(math.pi * step / self.steps))
        rise = min(1.0, (step + 1) / WARMUP)
        return config.learning_rate * rise * (LEAST_RATE + (1.0 - LEAST_RATE) * fall)

    def beta(self, step: int) -> float:
        config = self.config
        if not config.variational:
            return 0.0
        length = config.beta_rise * self.steps
        return config.beta * (min(1.0, step / length) if length else 1.0)


def _optimizer(parameters: dict[str, Tensor], config: ListNetworkConfig) -> torch.optim.Optimizer:
    matrices = [each for each in parameters.values() if each.ndim > 1]
    biases = [each for each in parameters.values() if each.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=FUSED)


def _add_l2(parameters: dict[str, Tensor], l2: float) -> None:
    if not l2:
        return
    for each in parameters.values():
        if each.ndim > 1 and each.grad is not None:
            each.grad.add_(each.detach(), alpha=2.0 * l2)
