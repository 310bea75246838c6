"""``NetworkConfig``: the architecture of the autoencoder."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ..base.widths import most_units, within
from ..config import ColumnNames, Config
from .activations import ActivationName


class NetworkConfig(Config):
    """The architecture of the autoencoder: inputs, hidden layers, outputs, initialisation."""

    rows: Literal["users", "items"] = "users"
    """What a row of the network is: a user's ratings (new users can be folded in), or an item's
    (more accurate on some data, but without fold-in of new users)."""
    hidden: tuple[int, ...] = (128, 128, 128)
    """Width of each hidden layer, first to last; the middle one is the code."""
    max_table: int = Field(0, ge=0)
    """Largest number of weights of the first, and of the last layer: with more columns, the
    adjacent hidden layer is narrower. 0 for no limit."""
    width_per_rating: float = Field(0.0, ge=0.0, allow_inf_nan=True)
    """Largest number of units of a hidden layer, as a multiple of the geometric mean of the ratings
    per user and per item; 0 for no limit. If both are few, 20 saves most of the time and memory,
    and costs up to 0.005 of RMSE."""
    activation: ActivationName = "elu"
    """Activation after every hidden layer."""
    output_activation: ActivationName = "linear"
    """Activation of the output layer."""
    output: Literal["rating", "ordinal"] = "rating"
    """What an output is: a "rating", trained by squared error; or "ordinal", a latent score from
    which an ordered logistic model computes the probability of each level, trained by likelihood
    (McCullagh 1980; Koren & Sill 2011); the prediction is then the expected rating. Needs ratings
    of 2 to 20 levels, a linear output_activation, and no refeed."""
    output_bias: bool = True
    """Whether the output layer has a bias per column."""
    bias_start: Literal["zero", "mean"] = "zero"
    """Initial output bias: zero, or each column's mean rating shrunk to the global mean."""
    tied: bool = False
    """Whether the decoder uses the encoder's weights, transposed (hidden must be symmetric)."""
    input: Literal["ratings", "presence"] = "ratings"
    """Encoding of a rating at the first layer: "ratings", its item's weight row times the (centred)
    rating; "presence", that plus a second row for the item being rated."""
    columns: ColumnNames = False
    """Item columns, such as genres and year, used as additional inputs by a network with items as
    rows, and so by the teachers of one with users as rows: their names, or true for all except
    those that are nearly unique. Needs input = "presence"."""
    input_scale: Literal["none", "sqrt"] = "none"
    """Whether a row's input is divided by the square root of its number of ratings."""
    center: Literal["none", "mean", "bias"] = "none"
    """What is subtracted from the ratings at the input and added to the output: nothing, the mean
    rating, or the mean plus user and item biases."""
    input_dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout probability of the input ratings. The conditional objective itself hides a share of
    each row and takes no input dropout."""
    code_dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout on the code (the middle hidden layer), as in Kuchaiev & Ginsburg 2017."""
    batch_norm: bool = False
    """Batch normalisation of every hidden layer, before its activation."""
    init: Literal["normal", "xavier"] = "xavier"
    """Initial weights: N(0, init_scale), or Glorot's uniform by fan-in and fan-out."""
    init_scale: float = Field(0.05, gt=0.0)
    """Standard deviation of the normal init; no effect on the xavier init."""
    center_output: bool = False
    """Whether outputs are centred: at prediction, the row's mean output over its rated columns is
    subtracted; after training, each column's mean over the rows that rated it. Needs center =
    "bias" and a linear, untied output; no effect otherwise."""
    shrink: bool = False
    """Whether, after training, the network's deviations from the bias model are multiplied by a
    shrinkage coefficient (0 to 1) fitted on the validation part, which varies with the row's number
    of ratings. Needs a validation part, center = "bias", and a linear, untied output; no effect
    otherwise."""
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
        if self.columns and self.input != "presence":
            raise ValueError("columns need input = 'presence'")
        if self.output == "ordinal" and self.output_activation != "linear":
            raise ValueError("output = 'ordinal' needs output_activation = 'linear'")
        return self

    def within(self, columns: int, table_rows: int, counts: tuple[int, int, int]) -> Self:
        """Apply ``max_table`` and ``width_per_rating`` to the architecture, for given data.

        Args:
            columns: Rows of the last layer's table.
            table_rows: Rows of the first layer's table.
            counts: Numbers of training ratings, users and items.
        """
        units = most_units(self.width_per_rating, *counts)
        hidden = within(self.hidden, self.max_table, columns, table_rows, most=units)
        return self.model_copy(update={"hidden": hidden})

    @property
    def shrinks(self) -> bool:
        """Whether ``shrink`` is set and applicable."""
        return self.shrink and self._deviates

    @property
    def centers_output(self) -> bool:
        """Whether ``center_output`` is set and applicable."""
        return self.center_output and self._deviates

    @property
    def has_free_unit(self) -> bool:
        """Whether ratings in another unit need no more than multiples of the tables."""
        return self.output_activation == "linear" and not self.tied

    @property
    def _deviates(self) -> bool:
        """Whether outputs are deviations from the bias model that can be scaled and shifted."""
        return self.center == "bias" and self.has_free_unit

    @property
    def code_layer(self) -> int:
        """Index of the code among the hidden layers."""
        return (len(self.hidden) - 1) // 2
