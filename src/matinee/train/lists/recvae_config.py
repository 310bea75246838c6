"""``RecVaeConfig``: how RecVAE is trained."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...config import Config

Weight = Annotated[float, Field(gt=0.0)]


class RecVaeConfig(Config):
    """RecVAE (Shenbin et al. 2020, arXiv 1912.11160), with the settings of its authors' code.

    A variational autoencoder with a multinomial likelihood and a linear decoder. The encoder has
    five layers, each added to those before it and normalised; the prior is a mixture of the
    standard normal, a wide normal and the posterior of the round before; and encoder and decoder
    are trained alternately. An interaction of weight w, over the mean weight, counts w times in the
    likelihood and in ``gamma``; the input has no weights.
    """

    hidden: int = Field(600, ge=1)
    """Width of the five layers of the encoder."""
    latent: int = Field(200, ge=1)
    """Width of the latent layer."""
    rounds: int = Field(50, ge=1)
    """Rounds of ``encoder_epochs`` and then ``decoder_epochs``."""
    encoder_epochs: int = Field(3, ge=1)
    """Passes over the users in each round that train the encoder, under input dropout."""
    decoder_epochs: int = Field(1, ge=1)
    """Passes in each round that train the decoder, on whole inputs."""
    input_noise: float = Field(0.5, ge=0.0, lt=1.0)
    """Dropout probability of the input while the encoder is trained."""
    gamma: float = Field(0.005, ge=0.0)
    """Weight of a user's KL divergence from the prior, per interaction of theirs."""
    mixture: tuple[Weight, Weight, Weight] = (0.15, 0.75, 0.1)
    """Weights of the standard normal, of the posterior of the round before, and of a normal whose
    logarithm of the variance is 10; each above 0."""
    batch_size: int = Field(500, ge=1)
    """Users per step."""
    learning_rate: float = Field(5e-4, gt=0.0)
    """Learning rate of Adam, for encoder and decoder."""
    score_every: int = Field(5, ge=1)
    """Rounds between evaluations. The number of rounds is that with the best held-out nDCG in a
    first training without the held-out interactions."""
