"""``BayesianConfig``: how the Bayesian factorisation machine is sampled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ...config import Config, names_in


class BayesianConfig(Config):
    """Bayesian factorisation machine, trained by Gibbs sampling (kind = "bayesian")."""

    rank: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Length of the factor vectors; "auto" grows with the root of the number of ratings, from 4 to
    40."""
    chains: int = Field(2, ge=1)
    """Chains that are sampled independently, each in a thread of its own."""
    sweeps: int = Field(100, ge=2)
    """Gibbs sweeps of each chain, those of the burn-in included."""
    burn_in: int = Field(20, ge=1)
    """Sweeps at the start of each chain whose samples are not used."""
    samples: int = Field(60, ge=1)
    """Samples kept of all chains, at most, evenly spaced over the sweeps after the burn-in. One is
    `items × (4 × rank + 8)` bytes, whatever the number of people."""
    likelihood: Literal["auto", "probit", "normal"] = "auto"
    """"probit" models the probability of each rating level by cutpoints of a latent score
    (ordered probit), "normal" the rating itself; "auto" takes the first with 2 to 20 levels."""
    implicit: bool = True
    """Whether the items that a user has rated, and the users that have rated an item, are features
    beside the two ids, as in SVD++ and on both sides."""

    columns: bool | tuple[str, ...] = False
    """Columns of people and items that are features too, such as gender and genres: their names, or
    true for all that the data has, but for those that nearly say who somebody is. New people have
    the mean of those trained on."""

    validation: Annotated[float, Field(ge=0.0, lt=1.0)] | Literal["auto"] = "auto"
    """Share of the training ratings kept out of sampling, to fit the shrinkage towards the bias
    model and the predictive variance; 0 for none, "auto" as in `train`.
    With "auto" fewer than 50,000 ratings are cross-fitted instead, and none is kept out."""

    @field_validator("columns", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return names_in(value)

    @model_validator(mode="after")
    def _some_are_kept(self) -> BayesianConfig:
        if self.burn_in >= self.sweeps:
            raise ValueError(
                f"burn_in = {self.burn_in} leaves no sample of {self.sweeps} sweeps; lower it"
            )
        return self
