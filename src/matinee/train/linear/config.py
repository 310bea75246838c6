"""``LinearConfig``: a linear autoencoder in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from ...config import Config


class LinearConfig(Config):
    """A linear autoencoder of interactions in closed form.

    With the defaults it is EASE (Steck 2019). ``denoising`` makes it EDLAE (Steck 2020), ``relax``
    RLAE or RDLAE (Moon et al. 2023), ``user_power`` weighs people by their history length, and
    ``diagonal_power`` below 1 favours items that the others predict badly. An interaction of weight
    w, over the mean weight, is the entry √w of the matrix X that is reproduced by X B, and of the
    history that is scored: the squared error of a person whose weights are all w counts w times,
    and the diagonal of X'X, which the penalty is added to, holds the weights of each item.
    """

    earlier_names: ClassVar[Mapping[str, str]] = {"dropout": "denoising"}

    penalty: float = Field(500.0, gt=0.0)
    """L2 regularisation of the weights, in interactions."""
    user_power: float = Field(0.0, ge=0.0, le=1.0)
    """Users are weighted by n to the power of minus this, n their number of interactions, scaled so
    that the total weight of all interactions is kept; 0 for equal weights."""
    denoising: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout probability of the input interactions (p of EDLAE); the expectation over the dropout
    is taken in closed form."""
    relax: float = Field(0.0, ge=0.0, lt=1.0)
    """Relaxation of the zero diagonal (xi of RLAE); 0 keeps the diagonal constraint."""
    diagonal_power: float = Field(1.0, ge=0.0, le=1.0)
    """Power of the diagonal of the inverse that an item's weights are divided by: 1 in EASE and
    EDLAE. Without effect where relax is above 0."""
    tilt: float = Field(0.0, ge=0.0, le=1.0)
    """Weight of interactions by rating: one rated z standard deviations above the mean has the
    weight 1 + tilt z, at least 0.02; 0 for equal weights."""
    solve: Literal["auto", "items", "users"] = "auto"
    """Side on which the system is solved, exactly either way: memory and time grow with the square
    and the cube of the number of items, or of users. "auto" takes the smaller side."""
    max_gib: float = Field(6.0, gt=0.0)
    """Memory that solving may take, at most half of what the process may use (a container's limit,
    for instance); a larger problem is refused before it starts."""
    nearest: int = Field(0, ge=0)
    """If above 0, an item has weights of that many items alone, its nearest, and each item's are
    solved by themselves: memory is items times nearest, whatever max_gib and solve say. 0 is the
    closed form of all items at once. Goes with diagonal_power = 1 and relax = 0."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.nearest and (self.relax or self.diagonal_power != 1.0):
            raise ValueError("nearest goes with relax = 0 and diagonal_power = 1 alone")
        return self
