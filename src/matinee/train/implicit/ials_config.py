"""``IalsConfig``: how implicit alternating least squares is fitted."""

from __future__ import annotations

from pydantic import Field

from ...config import Config


class IalsConfig(Config):
    """Matrix factorisation of interactions by implicit alternating least squares (iALS).

    The objective of Rendle et al. 2021 (arXiv 2110.14037), after Hu et al. 2008: with
    ŷ = w_u · h_i, the sum of c (1 - ŷ)² over the interactions, of ``unobserved`` times ŷ² over all
    pairs, and of the regularisation of each vector. The confidence c of an interaction is its
    weight over the mean weight, 1 without weights; the 1 + αr of Hu et al. has α = 1 /
    (``unobserved`` times the mean weight). A weight of 2 is equivalent to two interactions.
    """

    factors: int = Field(128, ge=1)
    """Length of the factor vectors of users and items."""
    sweeps: int = Field(16, ge=1)
    """Alternating sweeps, each over all users, then all items."""
    steps: int = Field(3, ge=0)
    """Steps of conjugate gradients per vector and sweep, from its current value (Takács et al.
    2011); 0 solves exactly, which takes about five times as long. A person's vector is always
    solved exactly for scoring."""
    unobserved: float = Field(0.1, gt=0.0)
    """Weight of all pairs, whose target is 0, relative to the mean weight of interactions."""
    ridge: float = Field(0.01, gt=0.0)
    """L2 regularisation of a vector, times (the total weight of its interactions + unobserved times
    the size of the other side) to the power of ``ridge_power``."""
    ridge_power: float = Field(1.0, ge=0.0, le=1.0)
    """Exponent of the growth of regularisation with the number of interactions: 1 is proportional,
    0 constant."""
    spread: float = Field(0.1, gt=0.0)
    """Standard deviation of the initial vectors, times the root of factors."""
