"""``ListNetworkConfig``: a network that scores all items for lists, and how it is trained."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ...config import Config
from ...nn.activations import ActivationName

Width = Annotated[int, Field(ge=1)]


class ListNetworkConfig(Config):
    """A deep autoencoder of interactions with a loss over all items.

    The input is a history of n items, each as 1 / sqrt(n). With ``loss = "multinomial"`` and
    ``objective = "reconstruct"`` it is Mult-DAE, and with ``variational`` Mult-VAE (Liang et al.
    2018, arXiv 1802.05814). With the square loss the cost of a batch is its interactions and the
    square of the width, independent of the number of items. An interaction of weight w, over the
    mean weight, counts w times in the loss (the likelihood of w clicks); the input has no weights.
    """

    loss: Literal["square", "multinomial"] = "square"
    """Squared error over all items, or the likelihood of a softmax over all items."""
    objective: Literal["conditional", "reconstruct"] = "conditional"
    """Entries in the loss: with "conditional" a random share of each history is input and the rest
    is the target; with "reconstruct" all of it is the target, and the input has dropout."""
    hidden: tuple[Width, ...] = (256, 256)
    """Widths of the layers between input and output."""
    residual: bool = True
    """Whether layers as wide as the one before have a residual connection."""
    activation: ActivationName = "tanh"
    """Activation of every layer but the output."""
    shown: tuple[float, float] = (0.4, 0.9)
    """Range of the share of a history that is input, drawn for each user and epoch."""
    zero_weight: float = Field(0.2, gt=0.0)
    """Weight of items outside the history in the square loss; targets have weight 1."""
    given_weight: float = Field(0.2, ge=0.0)
    """Weight of the input items in the loss of the conditional objective."""
    user_power: float = Field(0.4, ge=0.0, le=1.0)
    """The loss of a user with n interactions is weighted by n to the power of minus this."""
    code_dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout of the last layer before the output."""
    variational: bool = False
    """Whether the middle layer of ``hidden`` is sampled from a normal distribution whose mean and
    variance are the encoder's output (a VAE); it then has no activation."""
    beta: float = Field(0.2, ge=0.0)
    """Weight of the KL divergence from the standard normal prior, after annealing."""
    beta_rise: float = Field(0.8, ge=0.0, le=1.0)
    """Share of the training steps over which ``beta`` is annealed from 0."""
    epochs: int = Field(25, ge=1)
    """Passes over the users."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Users per step; "auto" for the power of two that gives about 10 steps per epoch, between 16
    and 2,048."""
    learning_rate: float = Field(5e-3, gt=0.0)
    """Highest learning rate of AdamW."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning-rate schedule: warmup over 20 steps and cosine decay to 2%, or constant."""
    weight_decay: float = Field(0.5, ge=0.0)
    """Decoupled decay of all weights that are not biases."""
    l2: float = Field(0.0, ge=0.0)
    """L2 in the loss: l2 times the sum of all squared weights that are not biases."""
    choose_epoch: bool = False
    """Whether the number of epochs is the one with the best held-out nDCG in a first training run
    without the held-out interactions; otherwise it is ``epochs``."""
    score_every: int = Field(5, ge=1)
    """Epochs between evaluations, with ``choose_epoch``."""

    @model_validator(mode="after")
    def _consistent(self) -> ListNetworkConfig:
        low, high = self.shown
        if not 0.0 < low <= high <= 1.0:
            raise ValueError("shown must be two shares, 0 < low <= high <= 1")
        if not self.hidden:
            raise ValueError("hidden needs at least one layer")
        if self.variational and (len(self.hidden) < 3 or len(self.hidden) % 2 == 0):
            raise ValueError("a variational network needs 3, 5, ... widths in hidden")
        if self.learning_rate * self.weight_decay >= 1.0:
            raise ValueError("learning_rate * weight_decay must be below 1")
        self._refuse("beta", self.variational, "a variational network")
        self._refuse("beta_rise", self.variational, "a variational network")
        self._refuse("zero_weight", self.loss == "square", "the square loss")
        self._refuse("given_weight", self.objective == "conditional", "the conditional objective")
        self._refuse("score_every", self.choose_epoch, "choose_epoch")
        return self

    def _refuse(self, name: str, applies: bool, needs: str) -> None:
        if not applies and getattr(self, name) != type(self).model_fields[name].default:
            raise ValueError(f"{name} has no effect without {needs}")

    @property
    def latent(self) -> int:
        """Index in ``hidden`` of the sampled layer, or -1."""
        return len(self.hidden) // 2 if self.variational else -1

    def people_per_step(self, people: int) -> int:
        """Return the batch size for a number of users."""
        if self.batch_size != "auto":
            return self.batch_size
        return int(min(max(2 ** round(math.log2(max(people, 1) / 10)), 16), 2048))
