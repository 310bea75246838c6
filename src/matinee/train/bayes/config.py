"""``BayesianConfig``: how the Bayesian factorisation machine is sampled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ...config import ColumnNames, Config


class BayesianConfig(Config):
    """Bayesian factorisation machine, trained by Gibbs sampling (kind = "bayesian")."""

    rank: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Length of the factor vectors; "auto" grows from 4 to 40 with the root of the ratings."""
    chains: int = Field(2, ge=1, le=1000)
    """Independent chains, each sampled in its own thread."""
    sweeps: int = Field(100, ge=2)
    """Gibbs sweeps per chain, burn-in included."""
    burn_in: int = Field(20, ge=1)
    """Sweeps discarded at the start of each chain."""
    samples: int = Field(60, ge=1)
    """Largest number of samples kept over all chains, evenly spaced over the sweeps after the
    burn-in. A sample takes `items × (4 × rank + 8)` bytes, independent of the number of people."""
    likelihood: Literal["auto", "probit", "normal"] = "auto"
    """"probit" models the probability of each rating level by cutpoints of a latent score
    (ordered probit), "normal" the rating itself; "auto" uses probit for 2 to 20 levels."""
    implicit: bool = True
    """Whether the items that a user has rated, and the users that have rated an item, are features
    besides the two ids, as in SVD++ and on both sides."""

    columns: ColumnNames = False
    """Columns of people and items used as further features, such as gender and genres: their names,
    or true for all in the data except those that nearly identify a person. New people get the mean
    of the people trained on."""

    validation: Annotated[float, Field(ge=0.0, lt=1.0)] | Literal["auto"] = "auto"
    """Share of the training ratings held out of sampling, to fit the shrinkage towards the bias
    model and the predictive variance; 0 for none, "auto" as in `train`.
    With "auto", fewer than 50,000 ratings are cross-fitted instead of held out."""

    @model_validator(mode="after")
    def _some_are_kept(self) -> BayesianConfig:
        if self.burn_in >= self.sweeps:
            raise ValueError(
                f"burn_in = {self.burn_in} leaves no sample of {self.sweeps} sweeps; lower it"
            )
        return self
