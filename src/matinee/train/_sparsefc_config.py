"""``SparseFCConfig``: how a network of kernelised sparse weights is trained."""

from __future__ import annotations

from pydantic import Field

from ..config import Config


class SparseFCConfig(Config):
    """An autoencoder of items with kernelised sparse weights (kind = "sparsefc")."""

    units: int = Field(500, ge=1)
    """Width of the hidden layers."""
    layers: int = Field(2, ge=1)
    """Number of hidden layers."""
    kernel_dim: int = Field(5, ge=1)
    """Length of the vectors whose distance decides a weight's kernel."""
    lambda_2: float = Field(60.0, ge=0.0)
    """Half of this times the sum of the squared weights is added to the loss, which is half the
    sum of the squared errors."""
    lambda_s: float = Field(0.013, ge=0.0)
    """Half of this times the sum of the squared kernels is added to the loss."""
    iterations: int = Field(1000, ge=1)
    """Iterations of L-BFGS, over all ratings each."""
    restart: int = Field(50, ge=1)
    """Iterations after which L-BFGS forgets, and metrics are taken."""
    memory: int = Field(10, ge=1)
    """Pairs of steps and gradients that L-BFGS remembers."""
