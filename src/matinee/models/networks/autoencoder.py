"""``Autoencoder``: the deep autoencoder as a ``Recommender``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ...base.arrays import Array, Float32, Float64, Int32, Int64, Mask, State
from ...baseline.ordinal import OrdinalLink
from ...baseline.variance import HeldOutPredictions
from ...data import Histories, Ratings, SideColumns
from ...errors import UsageError
from ...nn import Forward, Inputs
from ...recommend import HistoriesLike
from ...train import RunContext, ShardedRatings, seed_of
from ...train.checkpoint import CHECKPOINT
from ..settings import Settings, update_epochs
from ..support import ItemVectors
from ..trainable import Trainable
from ._fitted import FittedNetwork

if TYPE_CHECKING:
    from ...nn import Network
    from ..base import Recommender
    from ._start import Start
    from .trainer import Trainer


class Autoencoder(Trainable):
    """A deep autoencoder over rows of ratings (Sedhain et al. 2015; Kuchaiev & Ginsburg 2017).

    With users as rows it predicts for new users from their ratings (fold-in). With items as rows a
    new user has no output column, and the bias model predicts for them.

    Args:
        preset: Name of a preset (``matinee presets`` lists them) or path of a TOML file.
        settings: All options, instead of a preset.
        device: "cpu", "cuda", or "auto" for CUDA if available.
        **overrides: Single options by name, over the preset: ``hidden=[64]``, ``epochs=5``.

    Attributes:
        settings: The options.
        device: Where it trains.
        epochs: Metrics of every epoch, after ``fit``.
        best_epoch: The epoch whose weights are used: chosen on the validation part (``keep``), or
            the last without one.
        n_valid: Ratings in the validation part.
        teacher_epochs: Metrics of every epoch of its teachers, if it has any.
    """

    kind: ClassVar[str] = "autoencoder"
    takes_weights = True
    best_epoch: int

    def __init__(
        self,
        preset: str = "default",
        *,
        settings: Settings | None = None,
        device: str = "auto",
        **overrides: Any,
    ) -> None:
        super().__init__(preset, settings=settings, device=device, **overrides)
        if self.settings.members:
            named = repr(preset) if settings is None else "settings=..."
            raise UsageError(
                f"{named} is an ensemble; make it with matinee.model({named}) or matinee.Ensemble"
            )
        self._fitted: FittedNetwork | None = None
        self._start: Start | None = None

    @property
    def network(self) -> Network:
        """The trained network as a torch module."""
        return self._trained.network

    @property
    def forward(self) -> Forward:
        """The forward pass, without torch."""
        return self._trained.forward

    def item_space(self) -> ItemVectors:
        """Return the learned item vectors and biases."""
        return self._trained.item_space()

    @property
    def link(self) -> OrdinalLink | None:
        """See ``Hooks``."""
        return self._trained.inputs.link

    def level_probabilities(
        self, users: Any, items: Any, *, histories: HistoriesLike | None = None
    ) -> Float64:
        """Return the probability of each rating level, for ordinal outputs.

        Arguments as for ``predict``, which returns the expected rating.

        Returns:
            float64 (n, levels); ``model.link.levels`` are the levels.

        Raises:
            UsageError: The outputs are not ordinal.
        """
        if self.link is None:
            raise UsageError(
                "this network's outputs are ratings, without probabilities of levels; train it "
                "with output = 'ordinal', or take predict(..., with_std=True)"
            )
        return self.link.probabilities(
            self.link.score(self.predict(users, items, histories=histories))
        )

    @property
    def folds_in(self) -> bool:
        """See ``Hooks``."""
        return self.settings.network.rows != "items"

    @property
    def stores_codes(self) -> bool:
        """See ``Hooks``."""
        return self._trained.stored is not None

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """See ``Hooks``."""
        return self._trained.side_columns

    @property
    def inputs(self) -> Inputs:
        """The fitted input encoding."""
        return self._trained.inputs

    @property
    def n_parameters(self) -> int:
        """See ``Hooks``."""
        return self._trained.n_parameters

    @property
    def shrinkage(self) -> float:
        """Shrinkage coefficient of the network's deviations from the bias model, 1 for none."""
        return self._trained.shrinkage

    @property
    def _predicts_as_bias(self) -> bool:
        return self.shrinkage == 0.0

    @property
    def _learns_in_own_unit(self) -> bool:
        return not self.settings.network.has_free_unit

    @property
    def _trained(self) -> FittedNetwork:
        if self._fitted is None:
            raise UsageError("Autoencoder is not fitted; call fit(ratings) first")
        return self._fitted

    def _take(self, fitted: FittedNetwork) -> None:
        self._fitted = fitted
        self.epochs, self.best_epoch = fitted.epochs, fitted.best_epoch
        self.n_valid, self.teacher_epochs = fitted.n_valid, fitted.teacher_epochs

    def _train(self, train: Ratings, seed: int, context: RunContext) -> None:
        # It imports torch, which a loaded model does not need.
        from ._unit import multiplied, unit_of
        from .trainer import Trainer

        if self._sharded is not None:
            done, self._sharded = self._sharded, None
            self._take(done.fitted)
            self._validation = done.validation
            return
        context.group.require_equal(context.identity)
        unit, start = unit_of(train, [self.settings.network]), self._start
        trainer = Trainer(
            train.multiplied(1.0 / unit),
            self.settings,
            seed,
            context,
            start=start and replace(start, fitted=multiplied(start.fitted, 1.0 / unit)),
            unit=unit,
        )
        has_teacher = self.settings.train.teacher != "none" and self._start is None
        context.check_resumable(f"{CHECKPOINT}*" if has_teacher else f"{CHECKPOINT}.*")
        if has_teacher:
            trainer.train_teachers(seed_of(seed, 0))
        trainer.fit()
        self._take(trainer.finish())
        if trainer.held is not None and trainer.held.any():
            self._validation = self._predictions_of(trainer, train, trainer.held)

    def _train_shards(self, ratings: ShardedRatings, seed: int, context: RunContext) -> None:
        from .sharded import train_shards

        self._sharded = train_shards(self.settings, ratings, seed, context)

    def _predictions_of(self, trainer: Trainer, train: Ratings, held: Mask) -> HeldOutPredictions:
        """Return the predictions of the validation part, as for known and as for new users."""
        from ._validation import bias_predictions, validation_predictions

        predicted = trainer.validation_predictions()
        if not self._trained.differs_for_known:
            return validation_predictions(train, held, (predicted, None))
        known = np.zeros((len(predicted), 1))  # 1 for new users
        if self._trained.by_items:  # the bias model predicts for new users
            new = bias_predictions(train, held)
        else:
            predicted, new = trainer.validation_predictions(stored=True), predicted
        return validation_predictions(train, held, (predicted, known), (new, known + 1.0))

    def _continue(self, model: Recommender, data: Ratings, new: Mask, epochs: int | None) -> None:
        super()._continue(model, data, new, epochs)
        assert isinstance(model, Autoencoder)
        if model._trained.by_items:
            return  # users are columns: new ratings change the rows of all their items
        from ._start import Start

        self._start = Start(
            fitted=model._trained,
            items=model.item_ids.encode(data.compact().item_ids.ids),
            users=model.user_ids.encode(data.compact().user_ids.ids),
            new=new,
            origin=model.provenance.fingerprint,
            epochs=epochs,
        )

    def _forget_start(self) -> None:
        super()._forget_start()
        self._start = None

    @property
    def planned_epochs(self) -> dict[tuple[int, int], int]:
        """See ``Trainable.planned_epochs``."""
        if self._start is None:
            return super().planned_epochs
        return {(0, 0): self._start.epochs_of(self.settings.train)}

    def planned_update(self, epochs: int | None = None) -> dict[tuple[int, int], int]:
        """See ``Trainable.planned_update``."""
        if self._trained.by_items:
            return self.planned_epochs
        return {(0, 0): epochs or update_epochs(self.settings.train)}

    def _identity(self, seed: int) -> dict[str, Any]:
        identity = super()._identity(seed)
        if self._start is None:
            return identity
        epochs = self._start.epochs_of(self.settings.train)
        return {**identity, "start": {"data": self._start.origin, "epochs": epochs}}

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, predictions: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        predictions = self._predict(histories, rows, items) if predictions is None else predictions
        if not self._trained.differs_for_known:
            return predictions, None
        new = ~self._trained.known_rows(histories)
        return predictions, new[rows].astype(np.float64)[:, None]

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        if not self._trained.by_items:
            return self._trained.predict(histories, rows, items, self.histories)
        out = self.bias.predict(histories, rows, items)
        known = np.flatnonzero(histories.users[rows] >= 0)
        if len(known):
            out[known] = self._trained.predict(histories, rows[known], items[known])
        return out

    def _scores(self, histories: Histories) -> Float32:
        if not self._trained.by_items:
            return self._trained.scores(histories, self.histories)
        scores = self.bias.scores(histories)
        known = np.flatnonzero(histories.users >= 0)
        if len(known):
            scores[known] = self._trained.scores(histories.take(known))
        return scores

    def encode(self, histories: Histories) -> Float32:
        """Return the last hidden layer, float32, shape (users, hidden[-1]).

        Raises:
            UsageError: The network's rows are items, so there are no user vectors.
        """
        if self._trained.by_items:
            raise UsageError("with rows = 'items' the network has no vectors for people")
        return self._trained.encode(histories)

    def _state(self) -> State:
        return self._trained.state()

    @classmethod
    def _restore(cls, tensors: dict[str, Array], config: dict[str, Any]) -> Self:
        fitted = FittedNetwork.restore(tensors, config)
        model = cls(settings=fitted.settings, device="cpu")
        model._take(fitted)
        return model
