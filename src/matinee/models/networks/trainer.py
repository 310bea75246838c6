"""``Trainer``: one network from ratings and settings to a ``FittedNetwork``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ...base.arrays import Float64, Mask
from ...baseline import column_means
from ...data import Ratings
from ...nn import Inputs, Network, fit_inputs
from ...train import (
    Distillation,
    Epoch,
    Holdout,
    Run,
    RunContext,
    Teacher,
    carve_rows,
    center_columns,
    fit_shrinkage,
    part,
    share,
    shrink_to_bias,
    train,
    validation_share,
)
from ...train.checkpoint import CHECKPOINT
from ..settings import Settings
from ._fitted import FittedNetwork
from ._validation import coded, column_offset, entry_order, in_user_order


class Trainer:
    """Trains one network: an autoencoder is one, an ensemble a list of them, a teacher another.

    It is prepared when it is made. Then come ``teach`` or ``train_teacher``, where the settings ask
    for a teacher, ``fit``, ``finish``, and ``validation_predictions``.

    Args:
        ratings: Compact ratings.
        settings: The options.
        seed: Seeds weights, order, dropout and, unless it is given, the validation part.
        context: How and where it is trained.
        held: Which ratings are the validation part, shape (len(ratings),), where that is settled.
        member: Number in the ensemble, from 1; 0 for none.
        is_teacher: Whether it is trained to teach another network.

    Attributes:
        run: The training run.
        held: Which ratings are the validation part, shape (len(ratings),); None for none.
        taught: Epochs of a teacher of its own.
    """

    def __init__(
        self,
        ratings: Ratings,
        settings: Settings,
        seed: int,
        context: RunContext,
        *,
        held: Mask | None = None,
        member: int = 0,
        is_teacher: bool = False,
    ) -> None:
        self.settings, self.context = settings, context
        self.taught: list[Epoch] = []
        self._ratings = ratings
        rng = np.random.default_rng(seed)
        by_items = settings.network.rows == "items"
        whole = ratings.by_item if by_items else ratings.by_user
        scale = ratings.scale
        self._limits = (scale.low, scale.high) if context.clip else (-np.inf, np.inf)
        group = context.group
        known, valid = whole, None
        if held is None and settings.train.validation:
            kept_out = validation_share(settings.train.validation, len(ratings))
            held = np.empty(len(ratings), dtype=bool)
            held[entry_order(whole)] = carve_rows(whole, kept_out, rng)
        if held is not None:
            known, out = part(whole, held)
            valid = Holdout.of(out, *self._limits, group=group)
        self.held = held
        offset = column_offset(known, settings.network.center)
        inputs = fit_inputs(settings.network, known.values, offset)
        watched = {}
        network = _network(settings, known.n_columns, inputs, context.device, rng)
        if settings.network.bias_start == "mean":
            with torch.no_grad():
                start = column_means(known, offset)
                network.bias_out.copy_(torch.from_numpy(start))
        for name, some in context.watch.items():
            csr = coded(some, ratings, settings.network.rows)
            if len(csr.values):
                watched[name] = Holdout.of(
                    csr, *self._limits, users_are_columns=by_items, group=group
                )
        own = None
        if "training" in context.measure:
            own = Holdout.of(known, *self._limits, users_are_columns=by_items, group=group)
        self.run = Run(
            network,
            inputs,
            known,
            settings.train,
            rng,
            valid,
            watch=watched,
            member=member,
            is_teacher=is_teacher,
            measures=context.measure,
            training=own,
            group=group,
        )

    def teach(self, teachers: Sequence[Teacher]) -> None:
        """Give it the predictions of some teachers as further targets."""
        run = self.run
        run.distillation = Distillation(
            run.known, teachers, run.config.teacher_weight, *self._limits
        )

    def train_teacher(self, seed: int, before: Sequence[Epoch] = ()) -> None:
        """Train a teacher for it alone: the same network over the transposed ratings.

        Args:
            seed: The teacher's.
            before: Epochs of earlier runs in the folder.
        """
        teacher = Trainer(
            self._ratings,
            self.settings.teacher(),
            seed,
            replace(self.context, watch={}, measure=frozenset()),
            held=self.held,
            member=self.run.member,
            is_teacher=True,
        )
        teacher.fit(before)
        self.taught = teacher.run.history
        self.teach([teacher.as_teacher()])

    def fit(self, before: Sequence[Epoch] = ()) -> None:
        """Train epoch by epoch, with metrics and checkpoints; centre the outputs if that is asked.

        Of several processes the first alone has a folder; all of them resume by it.

        Args:
            before: Epochs of earlier runs in the folder.
        """
        run, on_epoch = self.run, self.context.on_epoch
        folder = self.context.run_folder(self._checkpoint, [*before, *self.taught])
        resume = self.context.begun(folder)
        if folder is not None:
            folder.start(run, resume=resume)
        if resume:
            share(run)
        try:
            for epoch in train(run):
                if folder is not None:
                    folder.epoch(run, epoch)
                if on_epoch is not None:
                    on_epoch(epoch)
        finally:
            if folder is not None:  # until the model is saved, this is all there is
                folder.flush()
        run.network.to("cpu")
        if run.network.config.centers_output:
            with run.threads():
                center_columns(run.network, run.inputs, run.known)

    @property
    def _checkpoint(self) -> str:
        number = f"-{self.run.member}" if self.run.member else ""
        return f"{CHECKPOINT}{number}{'-teacher' if self.run.is_teacher else ''}"

    def as_teacher(self) -> Teacher:
        """The network as it was trained, to teach others: its validation part had no share in it.

        Call it before ``finish``, which changes the network.
        """
        run, kept, inputs = self.run, 1.0, self.run.inputs
        if run.valid and run.network.config.shrinks:
            kept, inputs = fit_shrinkage(run.network, run.inputs, run.known, run.valid)
        return Teacher.of(run.network, inputs, run.known, kept)

    def finish(self, *, shrink: bool = True) -> FittedNetwork:
        """The network, ready to predict.

        Args:
            shrink: Whether to shrink towards the bias model, where the options say so; without,
                long rows are still weighed against short ones.
        """
        run, settings, ratings = self.run, self.settings, self._ratings
        kept = 1.0
        if settings.network.shrinks and run.valid:
            with run.threads():
                kept, run.inputs = shrink_to_bias(
                    run.network, run.inputs, run.known, run.valid, whole=not shrink
                )
        by_items = settings.network.rows == "items"
        inputs = run.inputs
        if run.valid:  # it has done its work; what is known of columns is from all ratings
            whole = ratings.by_item if by_items else ratings.by_user
            inputs = replace(inputs, offset=column_offset(whole, settings.network.center))
        return FittedNetwork(
            settings=settings.model_copy(update={"network": run.network.config}),
            arrays=run.network.arrays(),
            inputs=inputs,
            known=ratings.by_item if by_items else None,
            epochs=run.history,
            best_epoch=run.best_epoch or len(run.history),
            n_valid=len(run.valid) if run.valid else 0,
            share=kept,
            teacher_epochs=self.taught,
        )

    def validation_predictions(self) -> Float64:
        """Predictions of the validation part by the network as it is, which does not see it.

        Returns:
            float64 (n,), not clipped, in the order that the part has in ``ratings.by_user``.
        """
        run = self.run
        assert run.valid is not None
        assert self.held is not None
        with run.threads():
            predicted = run.valid.predict(run.network, run.inputs, run.known)
        if run.network.config.rows == "users":
            return predicted
        return in_user_order(self._ratings, self.held, predicted)


def seed_of(seed: int, *numbers: int) -> int:
    """The own seed of one network of several; those of neighbouring seeds share none."""
    sequence = np.random.SeedSequence([seed, *numbers])
    return int(sequence.generate_state(1, np.uint64)[0])


def _network(
    settings: Settings, columns: int, inputs: Inputs, device: str, rng: np.random.Generator
) -> Network:
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    shape = settings.network.within(columns, inputs.table_rows)
    network = Network(shape, columns, inputs.table_rows, generator)
    if device != "cpu":  # the same first weights everywhere, the dropout masks there
        network.to(device)
        network.generator = torch.Generator(network.table_in.device)
        network.generator.manual_seed(int(rng.integers(2**63)))
    return network
