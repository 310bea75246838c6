"""``TrainConfig``: how the network is trained."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..config import Config


class TrainConfig(Config):
    """How the network is trained."""

    epochs: int = Field(50, ge=1)
    """Largest number of passes over the training ratings."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = 64
    """Rows (users, or items) per step; "auto" for the power of two that gives about 12 steps per
    epoch, between 16 and 512."""
    objective: Literal["reconstruct", "conditional"] = "reconstruct"
    """Entries in the loss: with "reconstruct" all ratings, which are also the input; with
    "conditional" a random share of each row is input and the rest is the target, as at
    prediction."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Optimiser; with weight_decay above 0, adam is AdamW."""
    learning_rate: float = Field(1e-3, gt=0.0)
    """Learning rate, before schedule and warmup."""
    momentum: float = Field(0.9, ge=0.0, lt=1.0)
    """Momentum of sgd."""
    beta1: float = Field(0.9, ge=0.0, lt=1.0)
    """Decay of adam's first moment."""
    beta2: float = Field(0.999, gt=0.0, lt=1.0)
    """Decay of adam's second moment."""
    eps: float = Field(1e-8, gt=0.0)
    """Added to the root of the second moment."""
    l2: float = Field(0.0, ge=0.0)
    """L2 in the loss: l2 times half the sum of all squared parameters, as in the reference study.
    Every row is then updated at every step, so the cost grows with the parameters, not the
    ratings."""
    l2_on: Literal["all", "weights"] = "all"
    """Whether l2 applies to all parameters, or not to biases."""
    l2_against: Literal["mean", "sum"] = "mean"
    """The data term of the loss to which l2 is added: the mean squared error of a batch; or the sum
    over all training ratings, as in AutoRec's objective (l2 is then divided by their number)."""
    weight_decay: float = Field(0.0, ge=0.0)
    """Decoupled weight decay: every step shrinks all weights (not the output bias) by
    learning_rate times this."""
    schedule: Literal["constant", "step", "cosine"] = "constant"
    """Learning-rate schedule: constant, multiplied by gamma at milestones, or cosine to 0."""
    milestones: tuple[int, ...] = ()
    """Epochs after which the step schedule multiplies the rate by gamma."""
    gamma: float = Field(0.5, gt=0.0, le=1.0)
    """Factor of the step schedule."""
    warmup: float = Field(0.0, ge=0.0)
    """Epochs over which the rate rises from 0."""
    refeed: Literal["off", "dense", "sampled"] = "off"
    """Whether each step on a batch x is followed by one with the network's output f(x) as input
    and target (Kuchaiev & Ginsburg 2017): at all columns, or at a sample of them, at a cost that
    does not grow with the catalogue. input_dropout and the conditional objective apply only to
    x."""
    refeed_entries: int = Field(1024, ge=1)
    """Columns sampled per batch with refeed = "sampled": this many inputs, as many targets, and 4
    times as many control variates for the encoder's sums."""
    teacher: Literal["none", "transposed"] = "none"
    """Teacher for knowledge distillation: none, or the same network over the transposed ratings
    (rows are items if this one's are users), which is trained first. The targets of a row are then
    its ratings and as many of the teacher's predictions, at columns sampled in proportion to their
    number of ratings."""
    teachers: int = Field(1, ge=1)
    """Number of teacher networks with different seeds, whose mean prediction is the target."""
    teacher_weight: float = Field(1.0, gt=0.0)
    """Loss weight of a teacher's prediction, relative to a rating."""
    teacher_epochs: float = Field(1.0, gt=0.0)
    """Epochs of the teacher as a multiple of the network's; its other options are the same."""
    known_codes: Literal["encoded", "stored"] = "encoded"
    """Last hidden layers of the users trained on: "encoded" from their ratings, as for new users;
    or "stored", with a separate output table, fitted to the mean of the network's and its teachers'
    predictions. Stored codes need users as rows, a teacher and linear outputs; without these, with
    more than 100 million stored numbers, or with higher validation errors, users are encoded."""
    validation: Annotated[float, Field(ge=0.0, lt=1.0)] | Literal["auto"] = 0.0
    """Share of the training ratings held out to choose the epoch; 0 keeps the last epoch. "auto" is
    0.005 from a million ratings on; below, the share that makes 5,000, but at most 0.02; below
    100,000, the share that makes 2,000, but at most 0.1."""
    score_every: int = Field(1, ge=1)
    """Epochs between evaluations of the validation part; the last epoch is always evaluated. An
    evaluation takes a quarter of a short epoch's time. Only evaluated epochs can be selected."""
    keep: Literal["best", "settled"] = "best"
    """The epoch whose weights are used, with a validation part: "best" has the lowest validation
    RMSE; "settled" is the last, unless the best is better by more than three standard errors. On a
    small validation part the minimum is noisy, and with a falling learning rate the last epoch
    generalises better."""
    half_life: float = Field(0.0, ge=0.0, allow_inf_nan=True)
    """Half-life in days of the weight of a rating in the loss, in the bias model's mean and item
    biases, and in the interactions that order lists: the weight is 2^(-age / half_life), with age
    counted from the newest training rating. 0 for equal weights. It applies to every kind of model
    that takes weights. The validation part is not weighted."""
    patience: int = Field(0, ge=0)
    """Epochs without a better validation RMSE before training stops; 0 never stops early."""

    @model_validator(mode="after")
    def _consistent(self) -> TrainConfig:
        if self.patience and not self.validation:
            raise ValueError("patience needs a validation share above 0")
        if self.schedule == "step" and not self.milestones:
            raise ValueError("a step schedule needs milestones")
        # The deferred updates of a table row must decay (see _row_kernels).
        adam = self.optimizer == "adam"
        ratio = self.beta1 / math.sqrt(self.beta2) if adam else self.momentum
        if ratio >= 1.0:
            raise ValueError("adam needs beta1 below the square root of beta2")
        if self.learning_rate * self.weight_decay >= 1.0 - ratio:
            limit = f"{1.0 - ratio:.3g}"
            raise ValueError(f"learning_rate * weight_decay must be below {limit} here")
        return self

    @property
    def epochs_of_teacher(self) -> int:
        """Return the largest number of epochs of the teacher; 0 without one."""
        return 0 if self.teacher == "none" else max(round(self.teacher_epochs * self.epochs), 1)

    @property
    def teacher_numbers(self) -> range:
        """The numbers of the teachers, from 1; empty without any."""
        return range(1, 1 + (0 if self.teacher == "none" else self.teachers))

    @property
    def steps_per_batch(self) -> int:
        """Optimiser steps per batch: 2 with re-feeding, else 1."""
        return 1 if self.refeed == "off" else 2


def validation_share(validation: float | Literal["auto"], ratings: int | None = None) -> float:
    """Return the validation share for a number of training ratings; None for very many."""
    if validation != "auto":
        return validation
    if ratings is None:
        return 0.005
    share = 5000 / max(ratings, 1)
    return min(max(0.005, min(share, 0.02), 2000 / max(ratings, 1)), 0.1)


def rows_per_step(config: TrainConfig, rows: int) -> int:
    """Return the batch size for a number of rows with ratings."""
    if config.batch_size != "auto":
        return config.batch_size
    return int(min(max(2 ** round(math.log2(max(rows, 1) / 12)), 16), 512))
