"""Train RecVAE (Shenbin et al. 2020, arXiv 1912.11160)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...base.arrays import Float32, Int64
from ...base.memory import entries_of
from ...data import Csr
from ...errors import TrainingError
from .cells import Cells
from .fused import FUSED
from .losses import Targets, list_loss, weighted_sums
from .recvae_config import RecVaeConfig
from .recvae_weights import EPSILON, LAYERS, RecVaeWeights
from .run import ListEpoch, ListRun, train_epochs

DECODER = ("output", "output_bias")
WIDE = 10.0
"""Logarithm of the variance of the wide part of the prior."""

Parameters = dict[str, Tensor]


def fit_recvae(
    rows: Csr,
    config: RecVaeConfig,
    rng: np.random.Generator,
    *,
    last: int | None = None,
    score: Callable[[RecVaeWeights], float] | None = None,
    on_epoch: Callable[[ListEpoch], None] | None = None,
) -> ListRun[RecVaeWeights]:
    """Train RecVAE on the interactions of users.

    Args:
        rows: Interactions by user, with weights of mean 1 or none; values are not read.
        config: The options.
        rng: Draws the initial weights, the batches, the dropout and the codes.
        last: Round after which to stop, by default ``config.rounds``.
        score: Called every ``config.score_every`` rounds and after the last; the weights of the
            round with the highest score are kept; without it, those of the last.
        on_epoch: Called after each round, with the mean loss of its last decoder epoch.

    Raises:
        TrainingError: The loss is not finite, or there are no interactions.
    """
    people = np.flatnonzero(rows.counts > 0)
    if not len(people):
        raise TrainingError("RecVAE needs interactions, and there are none")
    network = _Network(rows, config, rng)

    def train() -> float:
        for _ in range(config.encoder_epochs):
            network.passed(people, encoder=True)
        network.keep_posterior()
        for _ in range(config.decoder_epochs):
            loss = network.passed(people, encoder=False)
        return loss

    last = last or config.rounds
    return train_epochs(train, network.weights, last, config, score, on_epoch)


class _Network:
    """The encoder, the decoder, their optimisers, and the previous round's encoder."""

    def __init__(self, rows: Csr, config: RecVaeConfig, rng: np.random.Generator) -> None:
        self.rows, self.config, self.rng = rows, config, rng
        self.entry_weights, self.row_weights = rows.entry_weights, rows.row_weights
        arrays = initial(rows.n_columns, config, rng)
        self.parameters = {
            name: torch.from_numpy(array).requires_grad_() for name, array in arrays.items()
        }
        encoder = [each for name, each in self.parameters.items() if name not in DECODER]
        decoder = [self.parameters[name] for name in DECODER]
        self.optimizers = {
            True: torch.optim.Adam(encoder, lr=config.learning_rate, fused=FUSED),
            False: torch.optim.Adam(decoder, lr=config.learning_rate, fused=FUSED),
        }
        # As in the authors' code, the previous encoder has other initial weights.
        self.before = {
            name: torch.from_numpy(array)
            for name, array in initial(rows.n_columns, config, rng).items()
        }

    def passed(self, people: Int64, *, encoder: bool) -> float:
        """Train encoder or decoder in one pass over the users; return the mean loss."""
        steps = max(1, math.ceil(len(people) / self.config.batch_size))
        optimizer, total = self.optimizers[encoder], 0.0
        dropout = self.config.input_noise if encoder else 0.0
        for batch in np.array_split(self.rng.permutation(people), steps):
            loss = self.loss(batch, dropout)
            for each in self.parameters.values():
                each.grad = None
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += float(loss.detach()) * len(batch)
        return total / len(people)

    def loss(self, batch: Int64, dropout: float) -> Tensor:
        """Return the negative evidence lower bound of users, with weighted divergences."""
        indptr, entries = entries_of(self.rows.indptr, batch)
        counts = np.diff(indptr)
        items = self.rows.indices[entries]
        cells = Cells.of(indptr, items, self.rows.n_columns)
        values = np.repeat(1.0 / np.sqrt(counts), counts).astype(np.float32)
        mean, log_variance = encoded(self.parameters, cells, self._dropped(values, dropout))
        noise = torch.from_numpy(self.rng.standard_normal(mean.shape, dtype=np.float32))
        code = mean + noise * (0.5 * log_variance).exp()
        with torch.no_grad():
            earlier = encoded(self.before, cells, values)
        divergence = density(code, mean, log_variance) - self._prior(code, earlier)
        gamma = self.config.gamma * self.row_weights[batch]
        weight = torch.from_numpy(gamma.astype(np.float32))
        targets = Targets(cells, self.entry_weights[entries], torch.ones(len(batch)), 0.0)
        output, bias = (self.parameters[name] for name in DECODER)
        return (
            list_loss("multinomial", code, output, bias, targets)
            + (weight * divergence.sum(1)).mean()
        )

    def _dropped(self, values: Float32, dropout: float) -> Float32:
        if not dropout:
            return values
        kept = self.rng.random(len(values), dtype=np.float32) >= dropout
        return np.where(kept, values / np.float32(1.0 - dropout), np.float32(0.0))

    def _prior(self, code: Tensor, earlier: tuple[Tensor, Tensor]) -> Tensor:
        """Return the log density of the mixture prior, (people, latent)."""
        zero = torch.zeros(1)
        parts = [
            density(code, zero, zero),
            density(code, *earlier),
            density(code, zero, torch.full((1,), WIDE)),
        ]
        weighted = [
            part + math.log(weight) for part, weight in zip(parts, self.config.mixture, strict=True)
        ]
        return torch.logsumexp(torch.stack(weighted), dim=0)

    def keep_posterior(self) -> None:
        """Make the current encoder the prior's."""
        self.before = {name: each.detach().clone() for name, each in self.parameters.items()}

    def weights(self) -> RecVaeWeights:
        """Return a copy of the arrays that scoring needs."""
        return RecVaeWeights(
            {
                name: each.detach().numpy().copy()
                for name, each in self.parameters.items()
                if not name.startswith("log_variance")
            }
        )


def initial(items: int, config: RecVaeConfig, rng: np.random.Generator) -> dict[str, Float32]:
    """Draw initial arrays like torch's linear layers, with identity normalisation."""
    parameters: dict[str, Float32] = {}

    def uniform(shape: tuple[int, ...], inputs: int) -> Float32:
        drawn: Float32 = rng.random(shape, dtype=np.float32)
        return (2.0 * drawn - 1.0) * np.float32(1.0 / math.sqrt(inputs))

    width, latent = config.hidden, config.latent
    for at in range(LAYERS):
        inputs = width if at else items
        parameters[f"weight.{at}"] = uniform((inputs, width), inputs)
        parameters[f"bias.{at}"] = uniform((width,), inputs)
        parameters[f"gain.{at}"] = np.ones(width, dtype=np.float32)
        parameters[f"shift.{at}"] = np.zeros(width, dtype=np.float32)
    for name in ("mean", "log_variance"):
        parameters[name] = uniform((width, latent), width)
        parameters[f"{name}_bias"] = uniform((latent,), width)
    parameters["output"] = uniform((items, latent), latent)
    parameters["output_bias"] = uniform((items,), latent)
    return parameters


def encoded(parameters: Parameters, cells: Cells, values: Float32) -> tuple[Tensor, Tensor]:
    """Return means and log variances of the posterior, (people, latent) each."""
    hidden = weighted_sums(cells, values, parameters["weight.0"]) + parameters["bias.0"]
    total = _normalised(parameters, functional.silu(hidden), 0)
    layer = total
    for at in range(1, LAYERS):
        hidden = torch.addmm(parameters[f"bias.{at}"], layer, parameters[f"weight.{at}"])
        layer = _normalised(parameters, functional.silu(hidden + total), at)
        total = total + layer
    mean, log_variance = (
        torch.addmm(parameters[f"{name}_bias"], layer, parameters[name])
        for name in ("mean", "log_variance")
    )
    return mean, log_variance


def _normalised(parameters: Parameters, layer: Tensor, at: int) -> Tensor:
    gain, shift = parameters[f"gain.{at}"], parameters[f"shift.{at}"]
    return functional.layer_norm(layer, layer.shape[1:], gain, shift, EPSILON)


def density(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the log density of a normal distribution, elementwise."""
    square = (x - mean).square() / log_variance.exp()
    return -0.5 * (log_variance + math.log(2.0 * math.pi) + square)
