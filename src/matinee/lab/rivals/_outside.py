"""Models of other libraries, behind ``Recommender``, so that all are scored by one program.

Each learns vectors and biases of users and items; predictions are computed from these as the
library does, for whole arrays at a time. None predicts for new users: the bias
model does.
"""

from __future__ import annotations

import time
from abc import abstractmethod
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

    Args:
        **options: Passed to the library's class; unknown ones are errors.

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

    fit_seconds: float
    user_biases: Float64
    item_biases: Float64
    user_factors: Float64
    item_factors: Float64

    def __init__(self, **options: Any) -> None:
        self.options = options
        self._make(0)  # a wrong option or missing library raises now
        self.mean = 0.0

    @abstractmethod
    def _make(self, seed: int) -> Any:
        """Return the library's model, ready to be fitted."""

    @abstractmethod
    def _learn(self, model: Any, train: Ratings) -> None:
        """Fit it, setting the attributes."""

    def _fit(self, train: Ratings, seed: int) -> None:
        self._learn(self._make(seed), train)

    def _timed(self, model: Any, data: Any) -> None:
        started = time.perf_counter()
        model.fit(data)
        self.fit_seconds = time.perf_counter() - started

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
        names = ("user_biases", "item_biases", "user_factors", "item_factors")
        return {name: getattr(self, name) for name in names}, self.options

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

    def _make(self, seed: int) -> Any:
        from surprise import SVD

        return SVD(random_state=seed, **self.options)

    def _learn(self, model: Any, train: Ratings) -> None:
        self._timed(model, _trainset(train))
        self.mean = float(model.trainset.global_mean) if model.biased else 0.0
        self.user_biases, self.item_biases = model.bu, model.bi
        self.user_factors, self.item_factors = model.pu, model.qi


class SurpriseSVDpp(OutsideFactors):
    """``surprise.SVDpp`` of scikit-surprise: SVD++ (Koren 2008) by SGD."""

    kind: ClassVar[str] = "surprise-svdpp"
    _implicit: int = 0

    def _make(self, seed: int) -> Any:
        from surprise import SVDpp

        return SVDpp(random_state=seed, **{"cache_ratings": True, **self.options})

    def _learn(self, model: Any, train: Ratings) -> None:
        self._timed(model, _trainset(train))
        self.mean = float(model.trainset.global_mean)
        self.user_biases, self.item_biases = model.bu, model.bi
        rated = train.by_user
        counts = np.diff(rated.indptr)
        vectors = np.add.reduceat(model.yj[rated.indices], rated.indptr[:-1])
        self.user_factors = model.pu + vectors / np.sqrt(counts)[:, None]
        self.item_factors = model.qi
        self._implicit = model.yj.size

    @property
    def n_parameters(self) -> int:
        """Trained numbers, the vectors of the items rated included."""
        return super().n_parameters + self._implicit


class CornacMF(OutsideFactors):
    """``cornac.models.MF`` of Cornac (Salah et al. 2020): biased matrix factorisation by SGD."""

    kind: ClassVar[str] = "cornac-mf"

    def _make(self, seed: int) -> Any:
        from cornac.models import MF

        return MF(seed=seed, verbose=False, **self.options)

    def _learn(self, model: Any, train: Ratings) -> None:
        self._timed(model, _cornac_set(train))
        self.mean = float(model.global_mean)
        self.user_biases = np.asarray(model.u_biases, dtype=np.float64)
        self.item_biases = np.asarray(model.i_biases, dtype=np.float64)
        self.user_factors = np.asarray(model.u_factors, dtype=np.float64)
        self.item_factors = np.asarray(model.i_factors, dtype=np.float64)


class CornacPMF(OutsideFactors):
    """``cornac.models.PMF`` of Cornac: probabilistic MF (Mnih & Salakhutdinov 2008)."""

    kind: ClassVar[str] = "cornac-pmf"

    def _make(self, seed: int) -> Any:
        from cornac.models import PMF

        return PMF(seed=seed, verbose=False, **self.options)

    def _learn(self, model: Any, train: Ratings) -> None:
        self._timed(model, _cornac_set(train))
        self._sigmoid = model.variant == "non_linear"
        self._range = float(train.values.min()), float(train.values.max())
        self.user_biases, self.item_biases = np.zeros(train.n_users), np.zeros(train.n_items)
        self.user_factors, self.item_factors = (
            np.asarray(model.U, dtype=np.float64),
            np.asarray(model.V, dtype=np.float64),
        )

    def _curve(self, linear: Float64) -> Float64:
        if not self._sigmoid:
            return linear
        from scipy.special import expit

        low, high = self._range
        return low + (high - low) * expit(linear)

    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        factors = {"user_factors": self.user_factors, "item_factors": self.item_factors}
        return factors, self.options


def _trainset(train: Ratings) -> Any:
    """Convert ratings to scikit-surprise, with this package's codes as ids."""
    from surprise import Trainset

    ur = _lists(train.by_user)
    ir = _lists(train.by_item)
    scale = (train.scale.low, train.scale.high)
    names = (range(train.n_users), range(train.n_items))
    raw = ({name: name for name in each} for each in names)
    return Trainset(ur, ir, train.n_users, train.n_items, len(train), scale, *raw)


def _lists(rows: Any) -> dict[int, list[tuple[int, float]]]:
    items, values = rows.indices.tolist(), rows.values.tolist()
    ends = rows.indptr.tolist()
    return {
        row: list(zip(items[first:last], values[first:last], strict=True))
        for row, (first, last) in enumerate(pairwise(ends))
    }


def _cornac_set(train: Ratings) -> Any:
    """Convert ratings to Cornac."""
    from cornac.data import Dataset

    names = ({name: name for name in range(n)} for n in (train.n_users, train.n_items))
    uir = (train.users.astype(np.int64), train.items.astype(np.int64), train.values.astype(float))
    return Dataset(train.n_users, train.n_items, *names, uir)
