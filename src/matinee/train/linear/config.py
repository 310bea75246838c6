"""``LinearConfig``: a linear autoencoder in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from ...config import Config


class LinearConfig(Config):
    """A linear autoencoder of interactions in closed form.

    With the defaults it is EASE (Steck 2019). ``denoising`` makes it EDLAE (Steck 2020), ``relax``
    RLAE or RDLAE (Moon et al. 2023), ``user_power`` weights users by their history length, and
    ``diagonal_power`` below 1 favours items that the others predict badly. An interaction of weight
    w, over the mean weight, is the entry √w of the matrix X that X B reproduces, and of the history
    that is scored: the squared error of a user whose weights are all w counts w times, and the
    diagonal of X'X, to which the penalty is added, holds the total weight of each item.
    """

    earlier_names: ClassVar[Mapping[str, str]] = {"dropout": "denoising"}

    penalty: float = Field(500.0, gt=0.0)
    """L2 regularisation of the weights, in interactions."""
    user_power: float = Field(0.0, ge=0.0, le=1.0)
    """Users are weighted by n to the power of minus this, n their number of interactions, scaled to
    keep the total weight of all interactions; 0 for equal weights."""
    denoising: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout probability of the input interactions (p of EDLAE); the expectation over the dropout
    is taken in closed form."""
    relax: float = Field(0.0, ge=0.0, lt=1.0)
    """Relaxation of the zero diagonal (xi of RLAE); 0 keeps the diagonal constraint."""
    diagonal_power: float = Field(1.0, ge=0.0, le=1.0)
    """Power of the diagonal of the inverse by which an item's weights are divided: 1 in EASE and
    EDLAE. No effect if relax is above 0."""
    tilt: float = Field(0.0, ge=0.0, le=1.0)
    """Weight of interactions by rating: a rating z standard deviations above the mean has the
    weight 1 + tilt z, at least 0.02; 0 for equal weights."""
    solve: Literal["auto", "items", "users"] = "auto"
    """Side on which the system is solved, exactly in both cases: memory and time grow with the
    square and the cube of the number of items, or of users. "auto" takes the smaller side."""
    max_gib: float = Field(6.0, gt=0.0)
    """Memory for solving, at most half of the memory available to the process (a container's limit,
    for instance); a larger problem is refused before it starts."""
    nearest: int = Field(0, ge=0)
    """If above 0, the weights of each item are solved for separately among that many nearest items:
    memory is items times nearest, whatever max_gib and solve are. 0 solves the closed form over all
    items. Requires diagonal_power = 1 and relax = 0."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.nearest and (self.relax or self.diagonal_power != 1.0):
            raise ValueError("nearest needs relax = 0 and diagonal_power = 1")
        return self
