"""The models every other one has to beat."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ..baseline.bias import fit_bias
from ..baseline.spread import Errors, bias_errors
from ..data import Histories, Ratings
from ..errors import UsageError
from .base import Recommender

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


class _Baseline(Recommender):
    """A model that is all in the bias table common to every model."""

    def _fit(self, train: Ratings, seed: int) -> None:
        pass

    def _errors(self, train: Ratings) -> Errors:
        # A baseline keeps no validation part: it is so simple that what each rating would have
        # been told without it is known in closed form.
        errors = bias_errors(self.bias, train.by_user, source="leave-one-out")
        return replace(errors, predictions=self._left_out(train, errors))

    @abstractmethod
    def _left_out(self, train: Ratings, errors: Errors) -> Float64:
        """Predictions of those entries, each as if it alone had been left out."""

    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        return {}, {}

    @classmethod
    def _restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        return cls(**config)


class GlobalMean(_Baseline):
    """Predicts the mean of all training ratings."""

    kind: ClassVar[str] = "global_mean"

    @property
    def n_parameters(self) -> int:
        """See ``Kind``."""
        return 1

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return np.full(len(rows), self.bias.mean)

    def _left_out(self, train: Ratings, errors: Errors) -> Float64:
        return np.full(len(errors.entries), self.bias.mean)

    def _scores(self, histories: Histories) -> Float32:
        return np.full((len(histories), self.n_items), self.bias.mean, dtype=np.float32)


class ItemMean(_Baseline):
    """Predicts the mean training rating of the item."""

    kind: ClassVar[str] = "item_mean"

    @property
    def n_parameters(self) -> int:
        """See ``Kind``."""
        return 1 + self.n_items

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return self.bias.item_mean[items].astype(np.float64)

    def _left_out(self, train: Ratings, errors: Errors) -> Float64:
        items = train.by_user.indices[errors.entries]
        counts = np.bincount(train.items, minlength=train.n_items)[items]
        mean = self.bias.item_mean[items].astype(np.float64)
        sums = mean * counts - train.by_user.values[errors.entries]
        return np.where(counts > 1, sums / np.maximum(counts - 1, 1), self.bias.mean)

    def _scores(self, histories: Histories) -> Float32:
        return np.tile(self.bias.item_mean, (len(histories), 1))


class UserMean(_Baseline):
    """Predicts the mean of the ratings the person gave."""

    kind: ClassVar[str] = "user_mean"

    @property
    def n_parameters(self) -> int:
        """See ``Kind``."""
        return self.n_users

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return _means(histories)[rows]

    def _left_out(self, train: Ratings, errors: Errors) -> Float64:
        given = train.by_user
        users = np.searchsorted(given.indptr, errors.entries, side="right") - 1
        counts = np.diff(given.indptr)
        sums = np.bincount(train.users, train.values, minlength=train.n_users)
        rest = sums[users] - given.values[errors.entries]
        left = counts[users] - 1
        return np.where(left > 0, rest / np.maximum(left, 1), self.bias.mean)

    def _scores(self, histories: Histories) -> Float32:
        means = _means(histories).astype(np.float32)
        return np.tile(means[:, None], (1, self.n_items))


class Bias(_Baseline):
    """Predicts mean + user bias + item bias (Koren, TKDD 2010, section 2.1).

    Args:
        user_reg: Shrinkage of user biases, in ratings.
        item_reg: Shrinkage of item biases, in ratings.
        epochs: Passes over the ratings.
    """

    kind: ClassVar[str] = "bias"

    @property
    def n_parameters(self) -> int:
        """See ``Kind``."""
        return 1 + self.n_items + self.n_users

    def __init__(self, *, user_reg: float = 5.0, item_reg: float = 3.0, epochs: int = 10) -> None:
        if not (user_reg >= 0 and item_reg >= 0 and epochs >= 1):
            raise UsageError(
                f"Bias: user_reg and item_reg must be 0 or more and epochs 1 or more, "
                f"not {user_reg}, {item_reg}, {epochs}"
            )
        self.user_reg = float(user_reg)
        self.item_reg = float(item_reg)
        self.epochs = int(epochs)

    def _fit(self, train: Ratings, seed: int) -> None:
        self.bias = fit_bias(
            train, user_reg=self.user_reg, item_reg=self.item_reg, epochs=self.epochs
        )

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return self.bias.predict(histories, rows, items)

    def _left_out(self, train: Ratings, errors: Errors) -> Float64:
        return bias_errors(self.bias, train.by_user, item_reg=self.item_reg).predictions

    def _scores(self, histories: Histories) -> Float32:
        return self.bias.scores(histories)

    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        config = {"user_reg": self.user_reg, "item_reg": self.item_reg, "epochs": self.epochs}
        return {}, config


def _means(histories: Histories) -> Float64:
    """Mean rating of each person, who has one at least, float64 (people,)."""
    sums: Float64 = np.add.reduceat(histories.values, histories.indptr[:-1], dtype=np.float64)
    return sums / histories.counts
