"""``Hooks``: what a model has to implement, what it may, and the state that all have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32, Float64, Int32, Int64
from ..baseline.bias import BiasTable
from ..baseline.preference import Preference
from ..baseline.variance import HeldOutPredictions, PredictiveVariance, leave_one_out
from ..data import Histories, ItemTable, Ratings, Scale, Vocabulary
from ..errors import UsageError
from ..evaluate import PairSet
from ..recommend.interest import FittedInterest, Interest
from .folder.provenance import Provenance


class Hooks(ABC):
    """What a subclass of ``Recommender`` implements; see there for the attributes."""

    kind: ClassVar[str]
    """Name of the kind of model, as in a manifest."""
    clip: bool = True
    """Whether predicted ratings are clipped to the scale. Ranking never is."""

    user_ids: Vocabulary
    item_ids: Vocabulary
    item_table: ItemTable | None
    scale: Scale
    bias: BiasTable
    histories: Histories | None
    predictive_variance: PredictiveVariance | None = None
    interest: Interest | None = None
    preference: Preference | None = None
    love: float = 1.0
    floor: float = 0.0
    provenance: Provenance
    record: dict[str, Any]
    _guard: PairSet | None = None
    _item_counts: Int64 | None = None
    _ready: bool = False

    @abstractmethod
    def _fit(self, train: Ratings, seed: int, *args: Any, **options: Any) -> None:
        """Learn. ``train`` is compact and checked; the attributes above are set from it.

        A subclass names its options: ``def _fit(self, train, seed, *, progress=None)``.
        """

    @abstractmethod
    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Predicted ratings, unclipped, float64, shape (n,).

        Args:
            histories: A batch of people, each with at least one rating.
            rows: Which person each prediction is for, ascending, shape (n,).
            items: Item codes, all known, shape (n,).
        """

    @abstractmethod
    def _scores(self, histories: Histories) -> Float32:
        """Predicted ratings of all items, unclipped, a fresh float32 array (people, n_items).

        ``histories`` as for ``_predict``. It must require_equal with ``_predict`` but for rounding.
        """

    @abstractmethod
    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """What ``_fit`` learned: arrays by name, and a JSON-able configuration."""

    @classmethod
    @abstractmethod
    def _restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        """A model from what ``_state`` gave. The caller sets the common attributes."""

    # What a model may bring.

    @property
    def ranks_by_rating(self) -> bool:
        """Whether items are ranked by their predicted rating alone."""
        return self.interest is None

    @property
    def takes_interactions(self) -> bool:
        """Whether it can be trained on interactions (``Ratings.implicit``)."""
        return False

    @property
    def folds_in(self) -> bool:
        """Whether it answers from their ratings for people it was not trained on.

        Where it does not, the bias model does.
        """
        return True

    @property
    def n_parameters(self) -> int:
        """Trained numbers. By default those of all arrays that a saved model holds of its own."""
        return sum(int(array.size) for array in self._state()[0].values())

    @property
    def answers_unknown(self) -> bool:
        """Whether it answers itself for unknown people and items; else the bias model does."""
        return False

    def _unknown(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Predicted ratings, unclipped, of people or items that ``_predict`` knows nothing of.

        The bias model's, unless ``answers_unknown``.

        Args:
            histories: People, with or without ratings.
            rows: Which person each prediction is for, shape (n,); -1 for an unknown one.
            items: Item codes, shape (n,); -1 for an unknown one.
        """
        return self.bias.predict(histories, rows, items)

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, told: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        """``_predict``, and what else tells how far off each prediction may be, float64 (n, k).

        ``told`` is what ``_predict`` gives, where the caller has asked it already.
        """
        return self._predict(histories, rows, items) if told is None else told, None

    def _held_out_predictions(self, train: Ratings) -> HeldOutPredictions:
        """Held-out predictions of training ratings, to fit the predictive variance on.

        By default leave-one-out predictions of the bias model; models override it with their own.
        """
        return leave_one_out(self.bias, train.by_user)

    def _fit_interest(self, train: Ratings, seed: int) -> FittedInterest | None:
        """The scorer of interest that lists are ordered by; None orders by the prediction."""
        return None

    def _like(self) -> float | None:
        """The lowest rating that counts as liked; None for the usual one of the scale."""
        return None

    # What every model has once it is fitted.

    @property
    def leak_guard(self) -> PairSet:
        """Fingerprint of all (user, item) pairs trained on."""
        self._require_fitted()
        if self._guard is None:
            if self.histories is None:
                raise UsageError("this model has neither histories nor a fingerprint of them")
            self._guard = PairSet.of(self.histories, self.user_ids.ids, self.item_ids)
        return self._guard

    @property
    def n_users(self) -> int:
        """Number of users trained on."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items trained on."""
        return len(self.item_ids)

    def _require_fitted(self) -> None:
        if not self._ready:
            raise UsageError(f"{type(self).__name__} is not fitted; call fit(ratings) first")

    def _clipped(self, ratings: Float64) -> Float64:
        return np.clip(ratings, self.scale.low, self.scale.high) if self.clip else ratings
