"""Models of other libraries, behind ``Recommender``, so that all are scored by one program.

Each learns vectors and biases of users and items; predictions are computed from these as the
library does, for whole arrays at a time. None predicts for new users: the bias
model does.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int32, Int64
from ...data import Histories, Ratings
from ...errors import UsageError
from ...models import Recommender


class OutsideFactors(Recommender):
    """A factorisation that another library learns.

    Attributes:
        fit_seconds: Wall time of the library's ``fit`` alone: not of converting the ratings, nor
            of this package's computations.
        mean: Constant part of a prediction.
        user_biases: float64 (n_users,).
        item_biases: float64 (n_items,).
        user_factors: float64 (n_users, k).
        item_factors: float64 (n_items, k).
    """

    folds_in = False
    takes_time_offset = False

    library: ClassVar[str]
    """The library's class, as MODULE:NAME."""
    defaults: ClassVar[dict[str, Any]] = {}
    """Options of it that differ from its own defaults."""
    seed_option: ClassVar[str]
    """Its option for the seed."""
    arrays: ClassVar[dict[str, str]]
    """Names of its arrays, by attribute here."""

    fit_seconds: float
    user_biases: Float64
    item_biases: Float64
    user_factors: Float64
    item_factors: Float64

    def __init__(self, **options: Any) -> None:
        self.options = options
        self._make(0)  # a wrong option or missing library raises now
        self.mean = 0.0

    def _make(self, seed: int) -> Any:
        """Return the library's model, ready to be fitted."""
        module, _, name = self.library.partition(":")
        options = {**self.defaults, **self.options}
        return getattr(import_module(module), name)(**{self.seed_option: seed}, **options)

    @staticmethod
    @abstractmethod
    def _convert(train: Ratings) -> Any:
        """Return ratings as the library takes them, with this package's codes as ids."""

    def _fit(self, train: Ratings, seed: int) -> None:
        model, data = self._make(seed), self._convert(train)
        started = time.perf_counter()
        model.fit(data)
        self.fit_seconds = time.perf_counter() - started
        for ours, theirs in self.arrays.items():
            setattr(self, ours, np.asarray(getattr(model, theirs), dtype=np.float64))
        self._adopt(model, train)

    @abstractmethod
    def _adopt(self, model: Any, train: Ratings) -> None:
        """Set what is not an array of the library's model."""

    def _curve(self, linear: Float64) -> Float64:
        """Compute predictions from the mean, the biases and the product of the vectors."""
        return linear

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        out = self.bias.predict(histories, rows, items)
        users = histories.users[rows]
        known = np.flatnonzero(users >= 0)
        users, items = users[known], items[known]
        dots = np.einsum("ij,ij->i", self.user_factors[users], self.item_factors[items])
        biases = self.mean + self.user_biases[users] + self.item_biases[items]
        out[known] = self._curve(biases + dots)
        return out

    def _scores(self, histories: Histories) -> Float32:
        scores = self.bias.scores(histories)
        known = np.flatnonzero(histories.users >= 0)
        if len(known):
            users = histories.users[known]
            known_scores = self.user_factors[users] @ self.item_factors.T
            known_scores += self.mean + self.user_biases[users, None] + self.item_biases
            scores[known] = self._curve(known_scores)
        return scores

    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        return {name: getattr(self, name) for name in self.arrays}, self.options

    @classmethod
    def _restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> NoReturn:
        raise UsageError(f"{cls.kind}: models of other libraries are not loaded")

    def save(
        self, path: Path | str, *, histories: bool = True, extra: dict[str, Any] | None = None
    ) -> NoReturn:
        """Refuse: a rival is there to be scored.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{self.kind}: models of other libraries are not saved")


class SurpriseSVD(OutsideFactors):
    """``surprise.SVD`` of scikit-surprise (Hug 2020): biased matrix factorisation by SGD."""

    kind: ClassVar[str] = "surprise-svd"
    library = "surprise:SVD"
    seed_option = "random_state"
    arrays: ClassVar[dict[str, str]] = {
        "user_biases": "bu",
        "item_biases": "bi",
        "user_factors": "pu",
        "item_factors": "qi",
    }

    @staticmethod
    def _convert(train: Ratings) -> Any:
        from surprise import Trainset

        scale = (train.scale.low, train.scale.high)
        rows = _lists(train.by_user), _lists(train.by_item)
        sizes = (train.n_users, train.n_items)
        return Trainset(*rows, *sizes, len(train), scale, *map(_same_names, sizes))

    def _adopt(self, model: Any, train: Ratings) -> None:
        self.mean = float(model.trainset.global_mean) if model.biased else 0.0


class SurpriseSVDpp(SurpriseSVD):
    """``surprise.SVDpp`` of scikit-surprise: SVD++ (Koren 2008) by SGD."""

    kind: ClassVar[str] = "surprise-svdpp"
    library = "surprise:SVDpp"
    defaults: ClassVar[dict[str, Any]] = {"cache_ratings": True}
    _implicit: int = 0

    def _adopt(self, model: Any, train: Ratings) -> None:
        self.mean = float(model.trainset.global_mean)
        rated = train.by_user
        vectors = np.add.reduceat(model.yj[rated.indices], rated.indptr[:-1])
        self.user_factors = model.pu + vectors / np.sqrt(rated.counts)[:, None]
        self._implicit = model.yj.size

    @property
    def n_parameters(self) -> int:
        """Trained numbers, the vectors of the items rated included."""
        return super().n_parameters + self._implicit


class CornacMF(OutsideFactors):
    """``cornac.models.MF`` of Cornac (Salah et al. 2020): biased matrix factorisation by SGD."""

    kind: ClassVar[str] = "cornac-mf"
    library = "cornac.models:MF"
    defaults: ClassVar[dict[str, Any]] = {"verbose": False}
    seed_option = "seed"
    arrays: ClassVar[dict[str, str]] = {
        "user_biases": "u_biases",
        "item_biases": "i_biases",
        "user_factors": "u_factors",
        "item_factors": "i_factors",
    }

    @staticmethod
    def _convert(train: Ratings) -> Any:
        from cornac.data import Dataset

        sizes = (train.n_users, train.n_items)
        users, items = train.users.astype(np.int64), train.items.astype(np.int64)
        uir = (users, items, train.values.astype(float))
        return Dataset(*sizes, *map(_same_names, sizes), uir)

    def _adopt(self, model: Any, train: Ratings) -> None:
        self.mean = float(model.global_mean)


class CornacPMF(CornacMF):
    """``cornac.models.PMF`` of Cornac: probabilistic MF (Mnih & Salakhutdinov 2008)."""

    kind: ClassVar[str] = "cornac-pmf"
    library = "cornac.models:PMF"
    arrays: ClassVar[dict[str, str]] = {"user_factors": "U", "item_factors": "V"}

    def _adopt(self, model: Any, train: Ratings) -> None:
        self._sigmoid = model.variant == "non_linear"
        self._range = float(train.values.min()), float(train.values.max())
        self.user_biases, self.item_biases = np.zeros(train.n_users), np.zeros(train.n_items)

    def _curve(self, linear: Float64) -> Float64:
        if not self._sigmoid:
            return linear
        from scipy.special import expit

        low, high = self._range
        return low + (high - low) * expit(linear)


def _lists(rows: Any) -> dict[int, list[tuple[int, float]]]:
    pairs = list(zip(rows.indices.tolist(), rows.values.tolist(), strict=True))
    ends = pairwise(rows.indptr.tolist())
    return {row: pairs[first:last] for row, (first, last) in enumerate(ends)}


def _same_names(count: int) -> dict[int, int]:
    return {code: code for code in range(count)}
