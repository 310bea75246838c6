"""``FactorsConfig``: how biased matrix factorisation is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ...config import Config


class FactorsConfig(Config):
    """Biased matrix factorisation, trained by alternating least squares (kind = "biased-mf")."""

    factors: int = Field(32, ge=1)
    """Length of the factor vectors of users and items."""
    sweeps: int = Field(12, ge=1)
    """Alternating sweeps, each over all users, then all items."""
    ridge: Annotated[float, Field(gt=0.0)] | Literal["auto"] = "auto"
    """L2 regularisation of the vectors, for ratings scaled to a standard deviation of 1; "auto"
    tries a path of values from weak to strong on ratings held out of training."""
    ridge_power: float = Field(0.5, ge=0.0, le=1.0)
    """The regularisation grows with this power of the user's or item's number of ratings."""
    user_ridge: float = Field(5.0, gt=0.0)
    """Shrinkage of user biases, in ratings."""
    item_ridge: float = Field(3.0, gt=0.0)
    """Shrinkage of item biases, in ratings."""
    held_out: float = Field(0.1, gt=0.0, lt=1.0)
    """Share of the training ratings held out to choose the ridge with "auto"."""
