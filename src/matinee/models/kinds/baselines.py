"""Baseline models: global, item and user mean, and the bias model."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field

from ...base.arrays import Array, Float32, Float64, Int32, Int64
from ...baseline.bias import fit_bias
from ...baseline.variance import HeldOutPredictions, leave_one_out
from ...config import Config
from ...data import Histories, Ratings
from ..one_shot import EpochLog, OneShot
from ..registry import ModelKind
from ..settings import Settings


class _Baseline(OneShot):
    """A baseline computed from the bias table that every model has."""

    answers_unknown = True

    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        pass

    def _held_out_predictions(self, train: Ratings) -> HeldOutPredictions:
        # Leave-one-out predictions of a baseline have a closed form: no validation part is needed.
        errors = leave_one_out(self.bias, train.by_user, source="leave-one-out")
        return replace(errors, predictions=self._left_out(train, errors))

    @abstractmethod
    def _left_out(self, train: Ratings, errors: HeldOutPredictions) -> Float64:
        """Return leave-one-out predictions of the entries, float64 (entries,)."""

    @classmethod
    def _restore(cls, tensors: dict[str, Array], config: dict[str, Any]) -> Self:
        if "settings" not in config:  # folders of version 0.1.0
            config = {"settings": cls(**config).settings.model_dump(mode="json"), "epochs": []}
        return super()._restore(tensors, config)


class GlobalMean(_Baseline):
    """Predicts the mean of all training ratings."""

    kind: ClassVar[str] = "global-mean"
    n_parameters = 1

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return np.full(len(rows), self.bias.mean)

    def _unknown(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return np.full(len(rows), self.bias.mean)

    def _left_out(self, train: Ratings, errors: HeldOutPredictions) -> Float64:
        return np.full(len(errors.entries), self.bias.mean)

    def _scores(self, histories: Histories) -> Float32:
        return np.full((len(histories), self.n_items), self.bias.mean, dtype=np.float32)


class ItemMean(_Baseline):
    """Predicts the item's mean training rating; for an unknown item, the global mean."""

    kind: ClassVar[str] = "item-mean"

    @property
    def n_parameters(self) -> int:
        """See ``Hooks``."""
        return 1 + self.n_items

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return self.bias.item_mean[items].astype(np.float64)

    def _unknown(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return np.append(self.bias.item_mean.astype(np.float64), self.bias.mean)[items]

    def _left_out(self, train: Ratings, errors: HeldOutPredictions) -> Float64:
        items = train.by_user.indices[errors.entries]
        counts = np.bincount(train.items, minlength=train.n_items)[items]
        mean = self.bias.item_mean[items].astype(np.float64)
        sums = mean * counts - train.by_user.values[errors.entries]
        return np.where(counts > 1, sums / np.maximum(counts - 1, 1), self.bias.mean)

    def _scores(self, histories: Histories) -> Float32:
        return np.tile(self.bias.item_mean, (len(histories), 1))


class UserMean(_Baseline):
    """Predicts the user's mean rating; for an unknown user, the global mean."""

    kind: ClassVar[str] = "user-mean"

    @property
    def n_parameters(self) -> int:
        """See ``Hooks``."""
        return self.n_users

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return _means(histories)[rows]

    def _unknown(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        out = np.full(len(rows), self.bias.mean)
        known = np.flatnonzero(np.append(histories.counts > 0, False)[rows])
        people, position = np.unique(rows[known], return_inverse=True)
        if len(people):
            out[known] = _means(histories.take(people))[position]
        return out

    def _left_out(self, train: Ratings, errors: HeldOutPredictions) -> Float64:
        by_user = train.by_user
        users = by_user.rows_of(errors.entries)
        sums = np.bincount(train.users, train.values, minlength=train.n_users)
        rest = sums[users] - by_user.values[errors.entries]
        remaining = by_user.counts[users] - 1
        return np.where(remaining > 0, rest / np.maximum(remaining, 1), self.bias.mean)

    def _scores(self, histories: Histories) -> Float32:
        means = _means(histories).astype(np.float32)
        return np.tile(means[:, None], (1, self.n_items))


class BiasConfig(Config):
    """The bias model (kind = "bias")."""

    user_reg: float = Field(5.0, ge=0.0)
    """Shrinkage of user biases, in ratings."""
    item_reg: float = Field(3.0, ge=0.0)
    """Shrinkage of item biases, in ratings."""
    epochs: int = Field(10, ge=1)
    """Passes over the ratings."""


class Bias(_Baseline):
    """Predicts mean + user bias + item bias (Koren, TKDD 2010, section 2.1).

    Args:
        preset: Path of a TOML file with ``kind = "bias"``; by default the default options.
        settings: All options, instead of a preset.
        device: Accepted for compatibility; the model runs on the CPU.
        **overrides: The options of ``BiasConfig``: ``user_reg=5.0``.
    """

    kind: ClassVar[str] = "bias"
    takes_weights = True
    answers_unknown = False

    @property
    def n_parameters(self) -> int:
        """See ``Hooks``."""
        return 1 + self.n_items + self.n_users

    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        self.bias = fit_bias(train, **self._options.model_dump())

    @property
    def _options(self) -> BiasConfig:
        return self.settings.section(BiasConfig)

    def _left_out(self, train: Ratings, errors: HeldOutPredictions) -> Float64:
        return leave_one_out(self.bias, train.by_user, item_reg=self._options.item_reg).predictions


def _means(histories: Histories) -> Float64:
    """Return the mean rating of each user, float64 (users,); every user needs one."""
    sums: Float64 = np.add.reduceat(histories.values, histories.indptr[:-1], dtype=np.float64)
    return sums / histories.counts


def _space(settings: Settings) -> dict[str, Any]:
    reg = {"low": 0.1, "high": 100.0, "log": True}
    return {"bias.user_reg": reg, "bias.item_reg": reg}


KINDS = (
    ModelKind("global-mean", GlobalMean, "The mean of all ratings."),
    ModelKind("item-mean", ItemMean, "The mean rating of the item."),
    ModelKind("user-mean", UserMean, "The mean of the ratings that the person gave."),
    ModelKind(
        name="bias",
        cls=Bias,
        summary="Mean + user bias + item bias.",
        settings=BiasConfig,
        space=_space,
    ),
)
