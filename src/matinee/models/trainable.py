"""``Trainable``: base class of models described by ``Settings``; ``model`` makes one."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..base.arrays import Mask
from ..base.atomic import remove_stale
from ..base.blas import one_blas_thread
from ..base.locks import locked
from ..baseline.variance import HeldOutPredictions
from ..data import Ratings, RatingsLike, as_ratings
from ..data.values.weights import weighted_by_age
from ..errors import UsageError, checked_seed
from ..train import (
    Epoch,
    RunContext,
    RunFolder,
    ShardedRatings,
    choose_device,
    drop_checkpoints,
)
from ..train.distributed import ALONE, ProcessGroup
from ..train.lists import ListEpoch
from .base import Recommender
from .folder.provenance import Provenance
from .interactive.bar import Bar
from .interactive.params import Params
from .presets import member_settings, preset as _preset
from .registry import kind_named
from .settings import Settings

if TYPE_CHECKING:
    from ..recommend.interest import FittedInterest
    from .networks.sharded import Sharded


BIAS_ALONE = (
    "the validation part confirms nothing beyond the bias model, so that predicted ratings are "
    "that model's; from few or sparse ratings the preset bayesian often predicts better"
)
"""Note of a model that was shrunk to the bias model."""

UNIT = "the ratings have a standard deviation of "
"""How the note begins on ratings in a unit that is not converted and for which networks are not
tuned."""
_NARROWEST, _WIDEST = 0.08, 8.0
"""Standard deviations between which the unit matters little."""


class Trainable(Params, Recommender):
    """A model described by ``Settings``.

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
            the last without one. For an ensemble, one per member.
        n_valid: Ratings in the validation part.
        teacher_epochs: Metrics of every epoch of the network's teachers, if it has any.
    """

    settings_kind: ClassVar[str] = ""
    """The ``kind`` of its settings, if it differs from the model's."""
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
        self._on_list_epoch: Callable[[ListEpoch], None] | None = None
        self._validation: HeldOutPredictions | None = None
        self._earlier: FittedInterest | None = None
        self._weighted = False
        self._sharded: Sharded | None = None

    @property
    def planned_epochs(self) -> dict[tuple[int, int], int]:
        """Largest number of epochs of each network that ``fit`` trains, in this order.

        The key is (number in the ensemble, or 0 for a single network; number of its teacher, or 0
        for the network itself).
        """
        train = self.settings.train
        teachers = {(0, number): train.epochs_of_teacher for number in train.teacher_numbers}
        return {**teachers, (0, 0): train.epochs}

    def planned_update(self, epochs: int | None = None) -> dict[tuple[int, int], int]:
        """Return ``planned_epochs`` of ``update`` with these ``epochs``."""
        return self.planned_epochs

    def fit(
        self,
        train: RatingsLike | ShardedRatings,
        *,
        seed: int = 0,
        progress: bool | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        on_list_epoch: Callable[[ListEpoch], None] | None = None,
        folder: Path | str | None = None,
        resume: bool = False,
        watch: Mapping[str, RatingsLike] | None = None,
        measure: Iterable[str] = (),
        group: ProcessGroup = ALONE,
        shard_tables: bool | None = None,
        **options: Any,
    ) -> Self:
        """Train on ratings.

        Args:
            train: Ratings of at least two users and two items, or what ``load`` takes. What
                ``load_shard`` returns is trained on by a single autoencoder without a teacher, and
                only the first process is fitted then.
            seed: Seeds weights, order, dropout and the validation part.
            progress: Whether to show a progress bar; None to show it where stderr is a terminal and
                in notebooks.
            on_epoch: Called with each epoch's metrics. An exception ends training.
            on_list_epoch: Called with each epoch of a network trained as ``lists.interest``: first
                without the held-out interactions, then with them.
            folder: Run folder, for ``metrics.jsonl`` and checkpoints.
            resume: Continue from the folder's checkpoint; the result equals an uninterrupted run.
            watch: Held-out ratings by name to score after each epoch, for learning curves. They do
                not influence training. Ratings of unknown users and items are left out.
            measure: Further measures of each epoch, for studies: see ``train.MEASURES``.
            group: The processes of a distributed run, which must all call this with the same
                arguments: ``with matinee.ProcessGroup.join() as group``. All return the
                fitted model; only the first uses the folder. For the ratings of ``load_shard`` it
                is their group.
            shard_tables: Whether each process that shares the ratings of ``load_shard`` also holds
                only some columns of the network's two tables; None to do so if the tables would
                take more than a quarter of the memory.
            **options: None: those of the model are given when it is made.

        Returns:
            The model itself.

        Raises:
            DataError: Too few users or items, or a value that is not a finite number.
            TrainingError: The loss diverged.
            MatineeError: Another process is training into the folder.
            ProcessError: Another process of the group failed, or has other arguments.
            UsageError: No checkpoint to resume from, the checkpoint of another run, or an option
                that ``fit`` does not have.
        """
        for name in options:
            raise UsageError(
                f"fit has no option {name!r}; options of the model are given when it is made: "
                f"matinee.model(..., {name}=...)"
            )
        sharded = self._sharded = None
        if isinstance(train, ShardedRatings):
            group = train.shard.group
            sharded = train if train.shard.bounds is not None else None
            train = train.own
        elif shard_tables:
            raise UsageError(
                "shard_tables = True divides the tables among processes that share the ratings; "
                "read these by load_shard"
            )
        train = self._weighed(as_ratings(train, "train"))
        if resume and folder is None:
            raise UsageError("resume needs the folder of the run to resume")
        run_folder = Path(folder).expanduser() if folder is not None and group.first else None
        self._run_folders = []
        self._on_list_epoch = on_list_epoch
        with ExitStack() as stack:
            if run_folder is not None:
                stack.enter_context(locked(run_folder, "training into it"))
                remove_stale(run_folder, every=True)
                if not resume:
                    drop_checkpoints(run_folder)
            stack.enter_context(one_blas_thread())
            shown = progress if group.first else False
            bar = stack.enter_context(Bar(self.planned_epochs, shown, on_epoch))
            options |= {
                "on_epoch": bar,
                "folder": run_folder,
                "resume": resume,
                "watch": {name: as_ratings(table, name) for name, table in (watch or {}).items()},
                "measure": frozenset(measure),
                "group": group,
                "opened": self._run_folders,
            }
            if sharded is not None:
                whole = self._fit_shards(
                    sharded, checked_seed(seed), {**options, "shard_tables": shard_tables}
                )
                if whole is None:
                    return self
                train = whole
            return super().fit(train, seed=seed, **options)

    def _fit_shards(
        self, ratings: ShardedRatings, seed: int, options: dict[str, Any]
    ) -> Ratings | None:
        """Train by processes with some users' ratings each, and collect them in the first.

        Returns:
            All ratings, to fit everything but the network; None in the other processes.
        """
        self._ready, self.histories = False, None
        self.item_table = ratings.own.item_table
        self.provenance = Provenance(ratings.own.name, ratings.size, ratings.fingerprint(), seed)
        self._train_shards(ratings, seed, self._context(seed, options))
        return ratings.collected()

    def _train_shards(self, ratings: ShardedRatings, seed: int, context: RunContext) -> None:
        """Train the network by processes with some users' ratings each, for ``_train`` to take."""
        raise UsageError(
            f"{type(self).__name__}: only a single autoencoder is trained by processes that each "
            "have the ratings of some users; let every process read all ratings"
        )

    def _weighed(self, train: Ratings) -> Ratings:
        """Weight the ratings by age, unless ``fit_whole`` has already done so."""
        return train if self._weighted else weighted_by_age(train, self.half_life)

    @property
    def half_life(self) -> float:
        """See ``Hooks``."""
        return self.settings.train.half_life

    def _fit_interest(self, train: Ratings, seed: int) -> FittedInterest | None:
        from ..recommend.interest import fit_interest, refitted

        lists, rows = self.settings.lists, train.by_user
        if train.implicit:  # its values are no ratings
            rows = replace(rows, values=np.ones_like(rows.values))
        if self._earlier is not None:
            refitted_interest = refitted(self._earlier, rows, lists)
            if refitted_interest is not None:
                return refitted_interest
        # A separate generator, so that the random numbers of the network do not change.
        rng = np.random.default_rng((seed, 1))
        times = None if train.times is None else rows.aligned(train.times)
        fitted = fit_interest(rows, lists, rng, self._on_list_epoch, times)
        self._on_list_epoch = None
        if fitted is None or lists.love == "auto":
            return fitted
        return replace(fitted, calibration=replace(fitted.calibration, love=lists.love))

    def _continue(self, model: Recommender, data: Ratings, new: Mask, epochs: int | None) -> None:
        if model.interest is not None:
            from ..recommend.interest import Calibration, FittedInterest

            calibration = Calibration(model.love, model.floor)
            self._earlier = FittedInterest(model.interest, calibration, model.choice_rate)

    def _forget_start(self) -> None:
        self._earlier = None

    def _like(self) -> float | None:
        like = self.settings.lists.like
        return None if like == "auto" else like

    def save(
        self, path: Path | str, *, histories: bool = True, extra: dict[str, Any] | None = None
    ) -> Path:
        """See ``Recommender.save``. The checkpoints of the run are then removed."""
        saved = super().save(path, histories=histories, extra=extra)
        for folder in self._run_folders:
            folder.remove()
        self._run_folders = []
        return saved

    def _context(self, seed: int, options: dict[str, Any]) -> RunContext:
        identity = self._identity(seed)
        return RunContext(identity, self.clip, self.device, upgrade=_upgraded, **options)

    def _fit(self, train: Ratings, seed: int, *args: Any, **options: Any) -> None:
        context = self._context(seed, options)
        self._validation = None
        self._train(train, seed, context)
        notes = [BIAS_ALONE] if self._predicts_as_bias else []
        self.provenance = self.provenance.noted(BIAS_ALONE, notes)
        spread = float(train.values.std()) if self._learns_in_own_unit else 1.0
        noted = [] if train.implicit else _unit_notes(spread)
        self.provenance = self.provenance.noted(UNIT, noted)

    @property
    def _predicts_as_bias(self) -> bool:
        """Whether the model was shrunk to the bias model."""
        return False

    @property
    def _learns_in_own_unit(self) -> bool:
        """Whether networks are trained on ratings in their own unit: see ``networks._unit``."""
        return False

    @abstractmethod
    def _train(self, train: Ratings, seed: int, context: RunContext) -> None:
        """Train on compact ratings, setting ``epochs``, ``best_epoch`` and ``n_valid``.

        Predictions of the validation part, if there is one, are stored in ``_validation``.
        """

    def _held_out_predictions(self, train: Ratings) -> HeldOutPredictions:
        predictions, self._validation = self._validation, None
        return predictions or super()._held_out_predictions(train)

    def _identity(self, seed: int) -> dict[str, Any]:
        """Return the identity of a run, by which a checkpoint of another run is recognised."""
        identity = {}
        if self.weights is not None:
            content = np.ascontiguousarray(self.weights).tobytes()
            identity["weights"] = hashlib.blake2b(content, digest_size=16).hexdigest()
        if self.settings.network.columns and self.item_table is not None:
            identity["columns"] = self.item_table.side.digest()
        return {
            **identity,
            "settings": self.settings.model_dump(mode="json", exclude={"description"}),
            "seed": seed,
            "data": self.provenance.fingerprint,
            "device": self.device,
        }


def model(
    preset: str = "default",
    *,
    settings: Settings | None = None,
    device: str = "auto",
    **overrides: Any,
) -> Trainable:
    """Make the model described by a preset; an ``Ensemble`` if the preset has members.

    Args:
        preset: Name of a preset (``matinee presets`` lists them) or path of a TOML file.
        settings: All options, instead of a preset.
        device: "cpu", "cuda", or "auto" for CUDA if available.
        **overrides: Single options by name, over the preset: ``hidden=[64]``, ``epochs=5``. In an
            ensemble they apply to every member.

    Raises:
        UsageError: An unknown preset or option, or an invalid value.
    """
    chosen = (settings or _preset(preset)).replace(overrides, "model")
    member_settings(chosen)  # an error in a member is raised now, not at fit
    return kind_named(chosen.model_kind).load()(settings=chosen, device=device)


def _unit_notes(spread: float) -> list[str]:
    """Note a standard deviation of ratings that is far from 1; 0 is noted where they are read."""
    if spread == 0.0 or _NARROWEST <= spread <= _WIDEST:
        return []
    power = 10.0 ** round(np.log10(spread))
    change = f"divide them by {power:,.0f}" if power > 1.0 else f"multiply them by {1 / power:,.0f}"
    return [f"{UNIT}{spread:.3g}, and networks learn best where it is near 1: {change}"]


def _upgraded(identity: dict[str, Any]) -> dict[str, Any]:
    """Return the identity of an earlier version's run, with newer options at their defaults."""
    try:
        settings = Settings.make(identity["settings"], "checkpoint")
    except UsageError:  # an option that this version does not have
        return identity
    return {**identity, "settings": settings.model_dump(mode="json", exclude={"description"})}
