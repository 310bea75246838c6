"""``Ensemble``: blended autoencoders and other models trained on the same ratings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ...base.arrays import Array, Float32, Float64, Int32, Int64, Mask, State, without_prefix
from ...data import Csr, Histories, Ratings, SideColumns
from ...errors import UsageError
from ...train import Epoch, RunContext, seed_of
from ..presets import member_settings
from ..settings import Settings
from ..support import ItemVectors
from ..trainable import Trainable
from ._fitted import FittedNetwork
from ._rows import with_columns
from ._weights import disagreement, fit_shift, fit_weights
from .blend.count_shift import CountShift
from .blend.sampled import SampledMember

if TYPE_CHECKING:
    from ...nn import NetworkConfig
    from ...train import Teacher


class Ensemble(Trainable):
    """Autoencoders trained on the same ratings, whose predictions are blended.

    All members share one validation part, which selects their epochs and fits the blending weights
    (``train.fit_blend``). A prediction is the bias model's plus the weighted sum of the members'
    deviations from it.

    Members with items as rows cannot predict for new users. For new users, and known users with
    changed histories, there is a second set of weights, over the members with users as rows;
    without such members the bias model predicts.

    The teachers of a member with ``teacher = "transposed"`` are all earlier members with the other
    kind of rows and the same kind of output; without such members, a teacher is trained for it.

    Args:
        preset: Name of a preset with ``members``, or path of a TOML file.
        settings: All options, instead of a preset.
        device: "cpu", "cuda", or "auto" for CUDA if available.
        **overrides: Single options by name, in every member that does not set them itself:
            ``hidden=[64]``, ``epochs=5``.

    Attributes:
        settings: The options.
        members: The trained networks, after ``fit``.
        known: Weights of the members for known users, float64 (members,).
        new: Weights of the members for new users.
        shift: How the weights for known users depend on rating counts; None if they do not.
        epochs: Metrics of every epoch of every member; ``Epoch.member`` is its number.
        best_epoch: For each member, the epoch whose weights are used.
        n_valid: Ratings in the validation part, which all members share.
        teacher_epochs: Metrics of every epoch of teachers that are not members.
    """

    kind: ClassVar[str] = "ensemble"
    settings_kind: ClassVar[str] = "autoencoder"
    best_epoch: list[int]

    def __init__(
        self,
        preset: str = "accurate",
        *,
        settings: Settings | None = None,
        device: str = "auto",
        **overrides: Any,
    ) -> None:
        super().__init__(preset, settings=settings, device=device, **overrides)
        if not self.settings.members:
            raise UsageError(
                "an ensemble needs members in its settings; matinee.Autoencoder is the single one"
            )
        self.best_epoch = []
        self.members: list[FittedNetwork | SampledMember] = []
        self.known: Float64 = np.zeros(0)
        self.new: Float64 = np.zeros(0)
        self.shift: CountShift | None = None

    @property
    def planned_epochs(self) -> dict[tuple[int, int], int]:
        """See ``Trainable.planned_epochs``."""
        planned: dict[tuple[int, int], int] = {}
        for number, (settings, own_teacher) in enumerate(self._plan(), start=1):
            if settings.kind != "autoencoder":
                continue
            if own_teacher:
                for teacher in settings.train.teacher_numbers:
                    planned[number, teacher] = settings.train.epochs_of_teacher
            planned[number, 0] = settings.train.epochs
        return planned

    def _plan(self) -> list[tuple[Settings, bool]]:
        """Return the settings of each member, and whether a teacher is trained for it alone."""
        sides: set[tuple[str, str]] = set()
        plan = []
        for settings in (each for entry in member_settings(self.settings) for each in entry):
            if settings.kind != "autoencoder":
                plan.append((settings, False))
                continue
            is_student = settings.train.teacher != "none"
            plan.append((settings, is_student and _side(settings.teacher()) not in sides))
            sides.add(_side(settings))
        return plan

    @property
    def folds_in(self) -> bool:
        """See ``Hooks``."""
        return any(not member.by_items for member in self.members)

    @property
    def _predicts_as_bias(self) -> bool:
        return not self.known.any()

    @property
    def _learns_in_own_unit(self) -> bool:
        return not all(network.has_free_unit for network in self._networks)

    @property
    def _networks(self) -> list[NetworkConfig]:
        """The options of the members that are networks."""
        return [each.network for each, _ in self._plan() if each.kind == "autoencoder"]

    @property
    def takes_weights(self) -> bool:
        """See ``Hooks``; true if all members are networks."""
        return all(settings.kind == "autoencoder" for settings, _ in self._plan())

    @property
    def n_parameters(self) -> int:
        """See ``Hooks``."""
        return sum(member.n_parameters for member in self.members)

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """See ``Hooks``; the columns of all members."""
        sides = [member.side_columns for member in self.members]
        users, items = (
            SideColumns.union([(side[at], np.arange(n, dtype=np.int32)) for side in sides], n)
            for at, n in enumerate((self.n_users, self.n_items))
        )
        return users, items

    def _weighed(self, train: Ratings) -> Ratings:
        weighted = super()._weighed(train)
        if weighted.weights is not None and not self.takes_weights:
            raise UsageError(
                f"{train.name}: a member that is sampled, such as bayesian, takes no weights of "
                "ratings; train the preset accurate-autoencoders or another without it, or leave "
                "the weights (of a split folder by --weight none) and half_life out"
            )
        return weighted

    def _train(self, train: Ratings, seed: int, context: RunContext) -> None:
        # These import torch, which a loaded model does not need.
        from ...train import hold_out_ratings, validation_share
        from ...train.bayes.cross_fit import held_out_predictions
        from ._unit import unit_of
        from .trainer import Trainer

        context.group.require_equal(context.identity)
        entries = member_settings(self.settings)
        share = validation_share(entries[0][0].train.validation, len(train))
        held = hold_out_ratings(train, share, np.random.default_rng(seed)) if share else None
        if held is not None and not held.any():
            held = None
        self.members, self.epochs, self.teacher_epochs = [], [], []
        predicted: list[Float64] = []
        epochs: list[Epoch] = []
        context.check_resumable()
        sides: dict[tuple[str, str], list[Teacher]] = {}
        unit = unit_of(train, self._networks)
        in_unit = train.multiplied(1.0 / unit)
        for number, (settings, own_teacher) in enumerate(self._plan(), start=1):
            if settings.kind != "autoencoder":
                sampled = SampledMember.fit(train, settings, seed_of(seed, number), held)
                self._add(sampled)
                if held is not None:
                    predicted.append(held_out_predictions(sampled.posterior, train, held)[0])
                continue
            trainer = Trainer(
                in_unit,
                settings,
                seed_of(seed, number),
                context,
                held=held,
                member=number,
                unit=unit,
            )
            if own_teacher:
                trainer.train_teachers(seed_of(seed, number, 0), epochs)
            elif settings.train.teacher != "none":
                trainer.distill_from(sides[_side(settings.teacher())])
            trainer.fit(epochs)
            epochs += [*trainer.teacher_epochs, *trainer.run.history]
            sides.setdefault(_side(settings), []).append(trainer.as_teacher())
            self._add(trainer.finish(shrink=False))
            if held is not None:
                predicted.append(trainer.validation_predictions())
        self.n_valid = 0 if held is None else int(held.sum())
        self._weigh(train, held, predicted, [len(entry) for entry in entries])

    def _add(self, member: FittedNetwork | SampledMember) -> None:
        self.members.append(member)
        self.epochs = [epoch for each in self.members for epoch in each.epochs]
        self.teacher_epochs = [e for each in self.members for e in each.teacher_epochs]
        self.best_epoch = [each.best_epoch for each in self.members]

    def _weigh(
        self, train: Ratings, held: Mask | None, predicted: list[Float64], copies: list[int]
    ) -> None:
        """Fit both sets of blending weights to predictions of the validation part."""
        from ...train import Blend
        from ._validation import bias_predictions, validation_predictions

        ends = np.cumsum(copies)
        entries = [list(range(end - n, end)) for n, end in zip(copies, ends, strict=True)]
        by_users = [entry for entry in entries if not self.members[entry[0]].by_items]
        self.shift = None
        if held is None:
            size = len(self.members)
            self.known = Blend.equal(size).weights
            self.new = Blend.equal(size, [m for entry in by_users for m in entry]).weights
            return
        base = bias_predictions(train, held)
        residuals = train.by_user.values[train.by_user.aligned(held)] - base
        self.known, self.new = (
            fit_weights(self.members, each, predicted, base, residuals)
            for each in (entries, by_users)
        )
        deviations = np.array(predicted) - base
        self.shift, shifts = fit_shift(self.members, self.known, train, held, deviations, residuals)
        answers = []
        for weights, shift, new in ((self.known, shifts, 0.0), (self.new, 0.0 * shifts, 1.0)):
            each = weights[:, None] + shift
            extras = self._extras(disagreement(deviations, each), np.full(len(base), new))
            answers.append((base + (each * deviations).sum(axis=0), extras))
        self._validation = validation_predictions(train, held, *answers)

    def _extras(self, std: Float64, new: Array) -> Float64:
        """Return covariates of the predictive variance, float64 (n, 2).

        The logarithm of the members' variance in units of the scale, with a floor of 0.01 squared,
        and whether the user is new.
        """
        unit = max(self.scale.high - self.scale.low, 1e-12)
        return np.column_stack([np.log(np.square(std / unit) + 1e-4), new])

    def _weights(self, known: Mask) -> Float64:
        """Return the members' weights for each user, float64 (members, users)."""
        return np.where(known, self.known[:, None], self.new[:, None])

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        base, deviations, weights = self._deviations(histories, rows, items)
        for deviation, weight in zip(deviations, weights, strict=True):
            base += weight * deviation
        return base

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, predictions: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        base, deviations, weights = self._deviations(histories, rows, items)
        std = disagreement(deviations, weights)
        new = histories.users[rows] < 0
        return base + (weights * deviations).sum(axis=0), self._extras(std, new)

    def _deviations(
        self, histories: Histories, rows: Int64, items: Int32
    ) -> tuple[Float64, Float64, Float64]:
        """Return bias predictions (n,), and the members' deviations and weights (members, n)."""
        base = self.bias.predict(histories, rows, items)
        is_known = histories.users >= 0
        weights = self._weights(is_known)[:, rows]
        known = np.flatnonzero(is_known[rows])
        if self.shift is not None and len(known):
            shifts = self.shift.of(items[known], histories.counts[rows[known]])
            weights[:, known] += self.shift.direction[:, None] * shifts
        deviations = np.zeros((len(self.members), len(rows)))
        for member, weight, deviation in zip(self.members, weights, deviations, strict=True):
            if not weight.any():
                continue
            if not member.by_items:
                deviation[:] = member.predict(histories, rows, items) - base
            elif len(known):
                predicted = member.predict(histories, rows[known], items[known])
                deviation[known] = predicted - base[known]
        return base, deviations, weights

    def _scores(self, histories: Histories) -> Float32:
        known = np.flatnonzero(histories.users >= 0)
        weights = self._weights(histories.users >= 0).astype(np.float32)
        scores = self.bias.scores(histories)
        scores *= 1.0 - weights.sum(axis=0)[:, None]
        shift, shifts = self.shift, np.zeros((0, 0), dtype=np.float32)
        if shift is not None and len(known):
            counts = histories.counts[known, None]
            shifts = shift.of(np.arange(scores.shape[1])[None, :], counts).astype(np.float32)
        for number, (member, weight) in enumerate(zip(self.members, weights, strict=True)):
            slope = np.float32(0.0 if shift is None else shift.direction[number])
            if not weight.any() and (slope == 0.0 or not len(known)):
                continue
            if not member.by_items:
                member_scores = member.scores(histories)
                if slope != 0.0 and len(known):
                    scores[known] += slope * shifts * member_scores[known]
                member_scores *= weight[:, None]
                scores += member_scores
            elif len(known):
                member_scores = member.scores(histories.take(known))
                factor = weight[known, None]
                member_scores *= factor if slope == 0.0 else factor + slope * shifts
                scores[known] += member_scores
        return scores

    def encode(self, histories: Histories) -> Float32:
        """Return the concatenated last hidden layers of all members with users as rows.

        Returns:
            float32, shape (users, sum of those members' ``hidden[-1]``).

        Raises:
            UsageError: No member has users as rows, so there are no user vectors.
        """
        if not self.members:
            raise UsageError("Ensemble is not fitted; call fit(ratings) first")
        codes = [member.encode(histories) for member in self.members if not member.by_items]
        if not any(code.shape[1] for code in codes):
            raise UsageError("with rows = 'items' in all members there are no vectors for people")
        return np.concatenate(codes, axis=1)

    def item_space(self) -> ItemVectors | None:
        """Return the concatenated item vectors of all members that predict for new users.

        Each is multiplied by its member's weight, so that the inner product with a user's
        concatenated vectors is the blend (of latent scores if outputs are ordinal). None if no
        member predicts for new users.
        """
        weighted = [
            (member.item_space(), np.float32(weight))
            for member, weight in zip(self.members, self.new, strict=True)
            if weight and isinstance(member, FittedNetwork) and not member.by_items
        ]
        if not weighted:
            return None
        base = np.float32(1.0 - sum(weight for _, weight in weighted)) * (
            self.bias.item_bias + np.float32(self.bias.mean)
        )
        return ItemVectors(
            np.concatenate([space.vectors * weight for space, weight in weighted], axis=1),
            base + sum(space.biases * weight for space, weight in weighted),
        )

    def _state(self) -> State:
        tensors: dict[str, Array] = {"blend.known": self.known, "blend.new": self.new}
        if self.shift is not None:
            tensors |= self.shift.state()
        configs = []
        for number, member in enumerate(self.members):
            member_tensors, config = member.state()
            tensors |= {f"member.{number}.{name}": array for name, array in member_tensors.items()}
            configs.append(config)
        # Members with items as rows have the same ratings, which are stored once.
        shared = [n for n, member in enumerate(self.members) if member.by_items]
        for name in ("indptr", "indices", "values"):
            for number in shared[1:]:
                del tensors[f"member.{number}.known.{name}"]
        return tensors, {
            "settings": self.settings.model_dump(mode="json"),
            "n_valid": self.n_valid,
            "members": configs,
        }

    @classmethod
    def _restore(cls, tensors: dict[str, Array], config: dict[str, Any]) -> Self:
        model = cls(settings=Settings.make(config["settings"], "model"), device="cpu")
        known: Csr | None = None
        for number, member_config in enumerate(config["members"]):
            member_tensors = without_prefix(f"member.{number}.", tensors)
            if Settings.make(member_config["settings"], "model").kind != "autoencoder":
                model._add(SampledMember.restore(member_tensors, member_config))
                continue
            member = FittedNetwork.restore(member_tensors, member_config)
            if member.settings.network.rows == "items":
                known = known or member.known
                assert known is not None
                member.known = with_columns(known, member.columns)
            model._add(member)
        model.known, model.new = tensors["blend.known"], tensors["blend.new"]
        model.shift = CountShift.restore(tensors, len(model.members))
        model.n_valid = config["n_valid"]
        return model


def _side(settings: Settings) -> tuple[str, str]:
    """Return the kind of rows, in which teacher and student differ, and the output they share."""
    return settings.network.rows, settings.network.output
