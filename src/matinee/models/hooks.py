"""``Hooks``: the methods that a model implements or may override, and the common attributes."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..base.arrays import Array, Float32, Float64, Int32, Int64, Mask, State
from ..baseline.bias import BiasModel
from ..baseline.ordinal import OrdinalLink
from ..baseline.preference import Preference
from ..baseline.time_offset import TimeOffset
from ..baseline.variance import HeldOutPredictions, PredictiveVariance, leave_one_out
from ..data import Histories, ItemTable, Ratings, Scale, SideColumns, Vocabulary
from ..errors import UsageError
from ..evaluate import PairSet
from ..recommend.interest import ChoiceRate, Interest
from .folder.provenance import Provenance

if TYPE_CHECKING:
    from ..recommend.interest import FittedInterest


class Hooks(ABC):
    """The methods that a subclass of ``Recommender`` implements, and the common attributes."""

    kind: ClassVar[str]
    """Name of the kind of model, as in a manifest."""
    clip: bool = True
    """Whether predicted ratings are clipped to the scale. Ranking never is."""

    user_ids: Vocabulary
    item_ids: Vocabulary
    item_table: ItemTable | None
    scale: Scale
    bias: BiasModel
    histories: Histories | None
    predictive_variance: PredictiveVariance | None = None
    interest: Interest | None = None
    preference: Preference | None = None
    time_offset: TimeOffset | None = None
    last_rated: Int64 | None = None
    love: float = 1.0
    floor: float = 0.0
    choice_rate: ChoiceRate | None = None
    provenance: Provenance
    record: dict[str, Any]
    _guard: PairSet | None = None
    _item_counts: Int64 | None = None
    _ready: bool = False

    @abstractmethod
    def _fit(self, train: Ratings, seed: int, *args: Any, **options: Any) -> None:
        """Fit the model. ``train`` is compact and validated; the attributes above are set.

        A subclass names its options: ``def _fit(self, train, seed, *, progress=None)``.
        """

    @abstractmethod
    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Return unclipped predicted ratings, float64, shape (n,).

        Args:
            histories: A batch of users with at least one rating each.
            rows: The row in ``histories`` of each prediction, ascending, shape (n,).
            items: Item codes, all known, shape (n,).
        """

    @abstractmethod
    def _scores(self, histories: Histories) -> Float32:
        """Return unclipped predictions of all items, a new float32 array (users, n_items).

        ``histories`` as for ``_predict``. Must equal ``_predict`` up to rounding.
        """

    @abstractmethod
    def _state(self) -> State:
        """Return the learned state: arrays by name, and a JSON-serialisable configuration."""

    @classmethod
    @abstractmethod
    def _restore(cls, tensors: dict[str, Array], config: dict[str, Any]) -> Self:
        """Make a model from the output of ``_state``. The caller sets the common attributes."""

    # Optional overrides.

    @property
    def ranks_by_rating(self) -> bool:
        """Whether items are ranked by their predicted rating alone."""
        return self.interest is None

    @property
    def knows_ratings(self) -> bool:
        """Whether it was trained on ratings, and so predicts ratings."""
        return self.interest is None or self.preference is not None

    @property
    def scale_of_histories(self) -> Scale:
        """The scale of ratings in histories: 1 alone for a model of interactions or counts."""
        return self.scale if self.knows_ratings else Scale(1.0, 1.0)

    @property
    def takes_interactions(self) -> bool:
        """Whether it can be trained on interactions (``Ratings.implicit``)."""
        return False

    @property
    def takes_weights(self) -> bool:
        """Whether it can be trained on weighted ratings (``Ratings.weights``)."""
        return False

    @property
    def half_life(self) -> float:
        """Half-life of the weight of a training rating, in days; 0 for no decay."""
        return 0.0

    @property
    def folds_in(self) -> bool:
        """Whether it predicts for new users from their ratings without retraining (fold-in).

        Otherwise the bias model predicts for them.
        """
        return True

    @property
    def stores_codes(self) -> bool:
        """Whether users have stored codes, used as long as their ratings are unchanged."""
        return False

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """The side columns of users and of items that it uses, as it stores them.

        Those of users cover training users only, and are not saved without histories.
        """
        return None, None

    @property
    def link(self) -> OrdinalLink | None:
        """The map from latent scores to ratings of ordinal outputs; None if outputs are ratings."""
        return None

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters. By default the size of all arrays of ``_state``."""
        return sum(int(array.size) for array in self._state()[0].values())

    @property
    def takes_time_offset(self) -> bool:
        """Whether a time offset is fitted, if the ratings have times; not for plain means."""
        return not self.answers_unknown

    @property
    def answers_unknown(self) -> bool:
        """Whether it predicts for unknown users and items itself instead of the bias model."""
        return False

    def _unknown(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Return unclipped predicted ratings for unknown users or items.

        The bias model predicts, unless ``answers_unknown``.

        Args:
            histories: Histories of users, which may be empty.
            rows: The row in ``histories`` of each prediction, shape (n,); -1 for an unknown user.
            items: Item codes, shape (n,); -1 for an unknown one.
        """
        return self.bias.predict(histories, rows, items)

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, predictions: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        """Return ``_predict`` and covariates of the predictive variance, float64 (n, k), or None.

        ``predictions`` are the output of ``_predict``, if already computed.
        """
        return self._predict(histories, rows, items) if predictions is None else predictions, None

    def _held_out_predictions(self, train: Ratings) -> HeldOutPredictions:
        """Return held-out predictions of training ratings, to fit the predictive variance on.

        By default these are leave-one-out predictions of the bias model.
        """
        return leave_one_out(self.bias, train.by_user)

    def _fit_interest(self, train: Ratings, seed: int) -> FittedInterest | None:
        """Fit the scorer of interest that orders lists; None to order by predicted rating."""
        return None

    def _continue(self, model: Any, data: Ratings, new: Mask, epochs: int | None) -> None:
        """Prepare ``_fit`` to start from a fitted model of this class (warm start).

        Args:
            model: The fitted model.
            data: All ratings, old and new.
            new: Mask of the new ratings, shape (len(data),).
            epochs: Epochs; None for the model's own choice.
        """
        return

    def _forget_start(self) -> None:
        """Discard what ``_continue`` prepared."""
        return

    def _like(self) -> float | None:
        """Return the lowest rating that counts as liked; None for the default of the scale."""
        return None

    def _inherit(self, model: Hooks) -> None:
        """Take over the common attributes, declared above, from another model of this class."""
        for name in inspect.get_annotations(Hooks).keys() - {"kind"}:
            setattr(self, name, getattr(model, name))

    # Available after fitting.

    @property
    def weights(self) -> Float32 | None:
        """Weights of the entries of ``histories``: see ``Ratings.weights``."""
        return None if self.histories is None else self.histories.weights

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

    def _require_ratings(self) -> None:
        if not self.knows_ratings:
            raise UsageError(
                "this model was trained on interactions: it predicts no ratings. recommend() lists "
                "items, choice_probability() says how probable a choice is, and evaluate_lists() "
                "scores the lists"
            )

    def _clipped(self, ratings: Float64) -> Float64:
        return np.clip(ratings, self.scale.low, self.scale.high) if self.clip else ratings
