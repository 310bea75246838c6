"""SparseFC as a kind of model: an autoencoder of items with kernelised sparse weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from ...config import Config
from ...models.registry import ModelKind, around
from ...models.settings import Settings


class SparseFCConfig(Config):
    """An autoencoder of items with kernelised sparse weights (kind = "sparsefc")."""

    units: int = Field(500, ge=1)
    """Width of the hidden layers."""
    layers: int = Field(2, ge=1)
    """Number of hidden layers."""
    kernel_dim: int = Field(5, ge=1)
    """Length of the vectors whose distance determines a weight's kernel."""
    lambda_2: float = Field(60.0, ge=0.0)
    """Half of this times the sum of the squared weights is added to the loss, which is half the
    sum of the squared errors."""
    lambda_s: float = Field(0.013, ge=0.0)
    """Half of this times the sum of the squared kernels is added to the loss."""
    iterations: int = Field(1000, ge=1)
    """Iterations of L-BFGS, over all ratings each."""
    restart: int = Field(50, ge=1)
    """Iterations after which L-BFGS is restarted and metrics are computed."""
    memory: int = Field(10, ge=1)
    """Pairs of steps and gradients that L-BFGS remembers."""


def _epochs(settings: Mapping[str, Any]) -> int:
    options = settings["sparsefc"]
    return -(-int(options["iterations"]) // int(options["restart"]))


def _shortened(settings: Settings, epochs: int) -> dict[str, Any]:
    options = settings.section(SparseFCConfig)
    return {"sparsefc.iterations": min(options.iterations, epochs * options.restart)}


def _space(settings: Settings) -> dict[str, Any]:
    net = settings.section(SparseFCConfig)
    return {
        "sparsefc.units": around(net.units, 4.0, 1.5, least=2),
        "sparsefc.layers": {"low": 1, "high": max(2, net.layers + 1)},
        "sparsefc.lambda_2": around(net.lambda_2 or 1.0, 5.0, 5.0),
        "sparsefc.lambda_s": around(net.lambda_s or 0.01, 10.0, 10.0),
        "sparsefc.iterations": around(net.iterations, 2.0, 1.5, least=1),
    }


KINDS = (
    ModelKind(
        name="sparsefc",
        cls="matinee.lab.rivals._sparsefc:SparseFC",
        summary="An autoencoder of items with kernelised sparse weights (Muller et al. 2018).",
        settings=SparseFCConfig,
        epochs=_epochs,
        cost=lambda settings, users, ratings: 1.0 + 1e-3 * ratings,
        shorten=_shortened,
        space=_space,
    ),
)
