"""``Trainable``: what models described by settings have in common: fitting, runs, saving."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ..base.atomic import remove_stale
from ..base.locks import locked
from ..baseline.variance import HeldOutPredictions
from ..data import Ratings, RatingsLike, as_ratings
from ..errors import UsageError
from ..recommend.interest import FittedInterest, fit_interest
from ..train import Epoch, RunContext, RunFolder, choose_device, drop_checkpoints
from ..train.distributed import ALONE, ProcessGroup
from .base import Recommender
from .interactive.bar import Bar, both
from .interactive.params import Params
from .presets import preset as _preset
from .settings import Settings


class Trainable(Params, Recommender):
    """A model that ``Settings`` describe, trained epoch by epoch or in one go.

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
            last where none is kept out. Of an ensemble, each member's.
        n_valid: Ratings in the validation part.
        teacher_epochs: Metrics of every epoch of the network's teacher, where it has one.
    """

    settings_kind: ClassVar[str] = ""
    """The kind of settings that describe such a model, where it is not the model's own."""
    best_epoch: int | list[int]

    def __init__(
        self,
        preset: str = "default",
        *,
        settings: Settings | None = None,
        device: str = "auto",
        **overrides: Any,
    ) -> None:
        chosen = settings or _preset(preset)
        self.settings = chosen.replace(overrides, type(self).__name__) if overrides else chosen
        if self.settings.kind != (self.settings_kind or self.kind):
            raise UsageError(
                f"{type(self).__name__}: these settings are of kind {self.settings.kind!r}; "
                "matinee.model makes the model that they describe"
            )
        self.device = choose_device(device)
        self.clip = self.settings.network.clip
        self.epochs: list[Epoch] = []
        self.best_epoch = 0
        self.n_valid = 0
        self.teacher_epochs: list[Epoch] = []
        self._run_folders: list[RunFolder] = []
        self._validation: HeldOutPredictions | None = None

    @property
    def planned_epochs(self) -> dict[tuple[int, bool], int]:
        """Epochs, at most, of each network that ``fit`` trains, in this order.

        By number in an ensemble (0 for a network of its own), and whether it is the teacher of it.
        """
        train = self.settings.train
        both = {(0, True): train.epochs_of_teacher, (0, False): train.epochs}
        return {network: epochs for network, epochs in both.items() if epochs}

    def fit(
        self,
        train: RatingsLike,
        *,
        seed: int = 0,
        progress: bool | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        folder: Path | str | None = None,
        resume: bool = False,
        watch: Mapping[str, Ratings] | None = None,
        measure: Iterable[str] = (),
        group: ProcessGroup = ALONE,
        **options: Any,
    ) -> Self:
        """Train on ratings.

        Args:
            train: Ratings of at least two users and two items, or what ``load`` takes.
            seed: Seeds weights, order, dropout and the validation part.
            progress: Whether to show a progress bar; None where stderr is a terminal, and in
                notebooks.
            on_epoch: Called with each epoch's metrics. What it raises ends training.
            folder: Run folder, for ``metrics.jsonl`` and checkpoints.
            resume: Go on from the folder's checkpoint, to the same weights as without a stop.
            watch: Held-out ratings by name to score after each epoch, for curves. Nothing is
                chosen by them; ratings of unknown users and items are left out, and with them a
                set that has no others.
            measure: Further figures of each epoch, for studies: see ``train.MEASURES``.
            group: The processes of a distributed run, which must all call this with the same
                arguments: ``with matinee.ProcessGroup.join() as group``. Each ends with the model;
                rank 0 alone uses the folder.
            **options: There are no others; a wrong name is an error.

        Returns:
            The model itself.

        Raises:
            DataError: Too few users or items, or a value that is no rating.
            TrainingError: The loss diverged.
            MatineeError: Another process is training into the folder.
            ProcessError: Another process of the group failed, or was given something else.
            UsageError: Nothing to resume, or the checkpoint is of another run.
        """
        train = as_ratings(train, "train")
        if resume and folder is None:
            raise UsageError("resume needs the folder of the run to go on with")
        place = Path(folder).expanduser() if folder is not None and group.first else None
        self._run_folders = []
        with ExitStack() as stack:
            if place is not None:
                stack.enter_context(locked(place, "training into it"))
                remove_stale(place, every=True)
                if not resume:
                    drop_checkpoints(place)
            bar = stack.enter_context(Bar(self.planned_epochs, progress if group.first else False))
            return super().fit(
                train,
                seed=seed,
                on_epoch=both(bar, on_epoch),
                folder=place,
                resume=resume,
                watch=watch or {},
                measure=frozenset(measure),
                group=group,
                **options,
            )

    def _fit_interest(self, train: Ratings, seed: int) -> FittedInterest | None:
        lists = self.settings.lists
        # A generator of its own: what the network draws stays what it was.
        found = fit_interest(train.by_user, lists, np.random.default_rng((seed, 1)))
        if found is None or lists.love == "auto":
            return found
        return replace(found, calibration=replace(found.calibration, love=lists.love))

    def _like(self) -> float | None:
        like = self.settings.lists.like
        return None if like == "auto" else like

    def save(
        self, path: Path | str, *, histories: bool = True, extra: dict[str, Any] | None = None
    ) -> Path:
        """See ``Recommender.save``. The checkpoints of the run that made the model then go."""
        saved = super().save(path, histories=histories, extra=extra)
        for folder in self._run_folders:
            folder.remove()
        self._run_folders = []
        return saved

    def _fit(self, train: Ratings, seed: int, *args: Any, **options: Any) -> None:
        context = RunContext(
            self._identity(seed), self.clip, self.device, upgrade=_upgraded, **options
        )
        self._run_folders = context.opened
        self._validation = None
        self._train(train, seed, context)

    @abstractmethod
    def _train(self, train: Ratings, seed: int, context: RunContext) -> None:
        """Learn from compact ratings, setting ``epochs``, ``best_epoch`` and ``n_valid``.

        Predictions of a validation part, if there is one, are left in ``_validation``.
        """

    def _held_out_predictions(self, train: Ratings) -> HeldOutPredictions:
        found, self._validation = self._validation, None
        return found or super()._held_out_predictions(train)

    def _identity(self, seed: int) -> dict[str, Any]:
        """What a run is, so that no checkpoint of another is taken for its own."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "seed": seed,
            "data": self.provenance.fingerprint,
            "device": self.device,
        }


def _upgraded(identity: dict[str, Any]) -> dict[str, Any]:
    """The identity of a run of an earlier version: options that are new since are at defaults."""
    try:
        settings = Settings.make(identity["settings"], "checkpoint")
    except UsageError:  # an option that this version no longer has
        return identity
    return {**identity, "settings": settings.model_dump(mode="json")}
