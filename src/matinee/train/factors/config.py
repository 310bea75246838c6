"""``FactorsConfig``: how biased matrix factorisation is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ...config import Config


class FactorsConfig(Config):
    """Biased matrix factorisation, trained by alternating least squares (kind = "biased-mf")."""

    factors: int = Field(32, ge=1)
    """Length of the vector of each user and each item."""
    sweeps: int = Field(12, ge=1)
    """Times that all users and then all items are solved for."""
    ridge: Annotated[float, Field(gt=0.0)] | Literal["auto"] = "auto"
    """Strength of the regularisation of the vectors, on ratings scaled to a standard deviation of
    1; "auto" tries them from weak to strong on ratings held out of training."""
    ridge_power: float = Field(0.5, ge=0.0, le=1.0)
    """The strength grows with this power of the user's or item's number of ratings."""
    user_ridge: float = Field(5.0, gt=0.0)
    """Shrinkage of user biases, in ratings."""
    item_ridge: float = Field(3.0, gt=0.0)
    """Shrinkage of item biases, in ratings."""
    held_out: float = Field(0.1, gt=0.0, lt=1.0)
    """Share of the training ratings held out while "auto" chooses the ridge."""
