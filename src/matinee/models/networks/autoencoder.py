"""``Autoencoder``: the deep autoencoder as a ``Recommender``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ...baseline.spread import Errors
from ...data import Ratings
from ...errors import UsageError
from ...nn import Inputs, Network
from ...train import Epoch
from ...train.checkpoint import CHECKPOINT
from ...train.distributed import ALONE, Group
from ..settings import Settings
from ..trainable import Trainable
from ._fitted import FittedNetwork
from ._single import Single
from ._teaching import check_resumable, goes_on, lessons, seed_of, train_teacher
from .training import execute, finished, held_bias, held_errors, held_predictions, prepare

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


class Autoencoder(Single, Trainable):
    """A deep autoencoder over rows of ratings (Sedhain et al. 2015; Kuchaiev & Ginsburg 2017).

    With users as rows it answers for people it never met from the ratings they give (fold-in).
    With items as rows a new person has no column in it, so the bias model answers for them.

    Args:
        preset: Name of a preset (``matinee presets`` lists them) or path of a TOML file.
        settings: All options, instead of a preset.
        device: "cpu", "cuda", or "auto" for CUDA where there is one.
        **overrides: Single options by name, over the preset: ``hidden=[64]``, ``epochs=5``.

    Attributes:
        settings: The options.
        device: Where it trains.
        epochs: Metrics of every epoch, after ``fit``.
        best_epoch: The epoch whose weights the model has: the best by the validation part, or the
            last where none is kept out.
        n_valid: Ratings in the validation part.
        teacher_epochs: Metrics of every epoch of its teacher, where it has one.
    """

    kind: ClassVar[str] = "autoencoder"
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
        self._held: Errors | None = None

    @property
    def network(self) -> Network:
        """The trained network."""
        return self._trained.network

    @property
    def inputs(self) -> Inputs:
        """The fitted input recipe."""
        return self._trained.inputs

    @property
    def n_parameters(self) -> int:
        """See ``Hooks``."""
        return self._trained.n_parameters

    @property
    def share(self) -> float:
        """What ``shrink`` left of the network's deviations from the bias model; 1 for all."""
        return self._trained.share

    @property
    def _trained(self) -> FittedNetwork:
        if self._fitted is None:
            raise UsageError("Autoencoder is not fitted; call fit(ratings) first")
        return self._fitted

    def _take(self, fitted: FittedNetwork) -> None:
        self._fitted = fitted
        self.epochs, self.best_epoch = fitted.epochs, fitted.best_epoch
        self.n_valid, self.teacher_epochs = fitted.n_valid, fitted.teacher_epochs

    def _fit(
        self,
        train: Ratings,
        seed: int,
        *,
        on_epoch: Callable[[Epoch], None] | None = None,
        folder: Path | None = None,
        resume: bool = False,
        watch: Mapping[str, Ratings] | None = None,
        measure: frozenset[str] = frozenset(),
        group: Group = ALONE,
    ) -> None:
        group.agree(self._identity(seed))
        run, held = prepare(
            train,
            self.settings,
            seed,
            clip=self.clip,
            device=self.device,
            watch=watch,
            measure=measure,
            group=group,
        )
        taught: list[Epoch] = []
        if self.settings.train.teacher != "none":
            check_resumable(folder, resume)
            teacher, taught = train_teacher(
                train,
                self.settings,
                seed_of(seed, 0),
                clip=self.clip,
                held=held,
                device=self.device,
                group=group,
                folder=self._place(folder, seed, f"{CHECKPOINT}-teacher"),
                resume=resume,
                on_epoch=on_epoch,
            )
            run.lessons = lessons(run, [teacher], train, clip=self.clip)
        place = self._place(folder, seed, before=taught)
        if taught:
            resume = goes_on(place, resume, group)
        execute(run, folder=place, resume=resume, on_epoch=on_epoch)
        self._take(finished(run, train, self.settings, taught=taught))
        self._held = None
        if held is not None and held.any():
            told = held_predictions(run, train, held)
            if self._trained.by_items:
                new = np.zeros((len(told), 1))
                self._held = held_errors(
                    train, held, (told, new), (held_bias(train, held), new + 1.0)
                )
            else:
                self._held = held_errors(train, held, (told, None))

    def _errors(self, train: Ratings) -> Errors:
        held, self._held = self._held, None
        return held or super()._errors(train)

    def _state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        return self._trained.state()

    @classmethod
    def _restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        fitted = FittedNetwork.restore(tensors, config)
        model = cls(settings=fitted.settings, device="cpu")
        model._take(fitted)
        return model
