"""``OneShot``: base class of models fitted on the CPU without checkpoints."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from ..base.arrays import Array, Float32, Float64, Int32, Int64, State
from ..data import Histories, Ratings
from ..errors import UsageError
from ..train import Epoch, RunContext
from ..train.checkpoint import CHECKPOINT
from .presets import preset as find_preset, preset_names
from .registry import kind_named
from .settings import Settings
from .support import coded
from .trainable import Trainable

Score = Callable[[Int32, Int32], Float64]
"""Predicted ratings of known (users, items), not clipped."""


class OneShot(Trainable):
    """A model that is fitted on the CPU without checkpoints.

    A subclass implements ``_learn``, ``_predict`` and ``_scores``, without which the bias model
    predicts, and ``_arrays`` and ``_load`` if it has learned arrays. See ``Trainable`` for the
    arguments.
    """

    def __init__(
        self,
        preset: str | None = None,
        *,
        settings: Settings | None = None,
        device: str = "auto",
        **overrides: Any,
    ) -> None:
        if preset is None and settings is None:
            has_preset = self.kind in preset_names()
            settings = find_preset(self.kind) if has_preset else Settings.make({"kind": self.kind})
        super().__init__(preset or self.kind, settings=settings, device="cpu", **overrides)

    @property
    def planned_epochs(self) -> dict[tuple[int, int], int]:
        """See ``Trainable.planned_epochs``."""
        return {(0, 0): kind_named(self.kind).epochs(self.settings.model_dump())}

    def _train(self, train: Ratings, seed: int, context: RunContext) -> None:
        if not context.group.alone:
            raise UsageError(f"{self.kind} trains in one process; start it without torchrun")
        if context.measure:
            named = ", ".join(sorted(context.measure))
            raise UsageError(f"{self.kind} has no further measures: {named}")
        if context.resume:
            raise UsageError(f"{self.kind} keeps no checkpoints; run it again without --resume")
        log = EpochLog(train, context)
        self.epochs = log.epochs
        self._learn(train, np.random.default_rng(seed), log)
        self.best_epoch = len(self.epochs)

    @abstractmethod
    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        """Fit the model, adding each pass over the ratings to the log."""

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return self.bias.predict(histories, rows, items)

    def _scores(self, histories: Histories) -> Float32:
        return self.bias.scores(histories)

    def _arrays(self) -> dict[str, Array]:
        """Return the learned arrays, by name."""
        return {}

    def _values(self) -> dict[str, Any]:
        """Further learned values, JSON-serialisable."""
        return {}

    def _load(self, arrays: dict[str, Array], config: dict[str, Any]) -> None:
        """Restore from the output of ``_arrays`` and ``_values``."""

    def _state(self) -> State:
        config = {
            "settings": self.settings.model_dump(mode="json"),
            **self._values(),
            "epochs": [epoch.as_dict() for epoch in self.epochs],
        }
        return self._arrays(), config

    @classmethod
    def _restore(cls, tensors: dict[str, Array], config: dict[str, Any]) -> Self:
        model = cls(settings=Settings.make(config["settings"], "model"))
        model.epochs = [Epoch(**epoch) for epoch in config["epochs"]]
        model.best_epoch = len(model.epochs)
        model._load(tensors, config)
        return model


class EpochLog:
    """Records the metrics of each pass, in memory and in the run folder, and calls ``on_epoch``.

    Args:
        train: The training ratings.
        context: The watched sets, the run folder and the callback.
    """

    def __init__(self, train: Ratings, context: RunContext) -> None:
        self.epochs: list[Epoch] = []
        self._n = len(train)
        clip = (train.scale.low, train.scale.high)
        self._scale = clip if context.clip else (-np.inf, np.inf)
        self._watch = {name: coded(ratings, train) for name, ratings in context.watch.items()}
        self._on_epoch = context.on_epoch
        self._folder = context.run_folder(CHECKPOINT)
        if self._folder is not None:
            self._folder.write_metrics([])
        self._started = time.perf_counter()

    def add(self, loss: float, train_rmse: float, score: Score) -> None:
        """Add a completed pass.

        Args:
            loss: Training loss per rating.
            train_rmse: RMSE on the training ratings.
            score: Predictions of the current model.
        """
        seconds = time.perf_counter() - self._started
        watched = {}
        for name, (users, items, values) in self._watch.items():
            if len(values):
                error = np.clip(score(users, items), *self._scale) - values
                watched[name] = float(np.sqrt(np.mean(np.square(error))))
        epoch = Epoch(
            epoch=len(self.epochs) + 1,
            loss=loss,
            train_rmse=train_rmse,
            valid_rmse=None,
            watched=watched,
            learning_rate=0.0,
            seconds=seconds,
            ratings_per_second=self._n / seconds,
        )
        self.epochs.append(epoch)
        if self._folder is not None:
            self._folder.add_metrics(epoch)
        if self._on_epoch is not None:
            self._on_epoch(epoch)
        self._started = time.perf_counter()
