"""``NetworkConfig``: what the autoencoder looks like."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ..base.widths import within
from ..config import Config
from .activations import ActivationName


class NetworkConfig(Config):
    """The shape of the autoencoder: how ratings come in, what is between, how ratings come out."""

    rows: Literal["users", "items"] = "users"
    """What one row of the network is: a user's ratings (people it never met can be folded in) or
    an item's ratings (more accurate on some data, but a new person has no column)."""
    hidden: tuple[int, ...] = (128, 128, 128)
    """Width of each hidden layer, first to last; the middle one is the code."""
    max_table: int = Field(0, ge=0)
    """Most weights of the first layer, and of the last: where there are so many columns that it
    would have more, the hidden layer beside it is narrower. 0 for no limit."""
    activation: ActivationName = "elu"
    """Activation after every hidden layer."""
    output_activation: ActivationName = "linear"
    """Activation of the output layer."""
    output_bias: bool = True
    """Whether the output layer has a bias per column."""
    bias_start: Literal["zero", "mean"] = "zero"
    """Where the output bias starts: at zero, or at each column's mean rating shrunk to the mean."""
    tied: bool = False
    """Whether the decoder uses the encoder's weights, transposed (hidden must be symmetric)."""
    input: Literal["ratings", "presence", "levels"] = "ratings"
    """What a rating adds to the first layer: its item's weight row times the (centred) rating; that
    and a second row for the item having been rated at all; or a row of its own for each (item,
    rating level)."""
    input_scale: Literal["none", "sqrt"] = "none"
    """Whether a row's input is divided by the square root of its number of ratings."""
    center: Literal["none", "mean", "bias"] = "none"
    """What is taken off the ratings before the network and added to its output: nothing, the
    mean rating, or the mean plus the biases of user and item."""
    input_dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the input ratings hidden at each training step; the rest are scaled up. The
    conditional objective hides a share of its own, and takes none besides."""
    code_dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout on the code (the middle hidden layer), as in Kuchaiev & Ginsburg 2017."""
    batch_norm: bool = False
    """Batch normalisation of every hidden layer, before its activation."""
    init: Literal["normal", "xavier"] = "xavier"
    """How weights start: N(0, init_scale), or Glorot's uniform by fan-in and fan-out."""
    init_scale: float = Field(0.05, gt=0.0)
    """Standard deviation of the normal init; a factor on the xavier init is not applied."""
    center_output: bool = False
    """Whether a row's outputs are centred at prediction: less their mean over what the row has
    rated, as a factor model's user bias is fitted beside the factors; and, once training is done,
    the outputs of each column, over those who rated it. It needs center = "bias", which has these
    means, and an output that is linear and not tied; elsewhere it does nothing."""
    shrink: bool = False
    """Whether, after training, the network's deviations from the bias model are scaled by the share
    (0 to 1) that fits the validation part best, and rows with many ratings by more or less than
    rows with few. It needs a validation part, center = "bias", and an output that is linear and
    not tied; elsewhere there is nothing to shrink towards."""
    clip: bool = True
    """Whether predictions are clipped to the rating scale."""

    @field_validator("hidden", mode="before")
    @classmethod
    def _one_width_is_a_layer(cls, value: object) -> object:
        return (value,) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _consistent(self) -> NetworkConfig:
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError("give at least one hidden layer, each at least 1 wide")
        if self.tied and self.hidden != self.hidden[::-1]:
            raise ValueError("a tied decoder needs hidden sizes that read the same backwards")
        if self.tied and self.input != "ratings":
            raise ValueError("a tied decoder needs input = 'ratings'")
        return self

    def within(self, columns: int, table_rows: int) -> Self:
        """As it is for so many columns: with hidden layers that keep to ``max_table``.

        Args:
            columns: Rows of the last layer's table.
            table_rows: Rows of the first layer's.
        """
        hidden = within(self.hidden, self.max_table, columns, table_rows)
        return self.model_copy(update={"hidden": hidden})

    @property
    def shrinks(self) -> bool:
        """Whether there is a bias model to shrink towards, and a last layer that can be scaled."""
        return self.shrink and self._deviates

    @property
    def centers_output(self) -> bool:
        """Whether outputs are centred, and are what centring is made for."""
        return self.center_output and self._deviates

    @property
    def _deviates(self) -> bool:
        """Whether outputs are deviations from the bias model, and can be scaled and shifted."""
        return self.center == "bias" and self.output_activation == "linear" and not self.tied

    @property
    def code_layer(self) -> int:
        """Index of the code among the hidden layers."""
        return (len(self.hidden) - 1) // 2
