"""``Trainer``: trains one network into a ``FittedNetwork``."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property, partial
from threading import Event

import numpy as np
import torch

from ...base.arrays import Float64, Mask
from ...base.threads import kernel_threads
from ...data import Csr, Ratings
from ...nn import Inputs, make_inputs
from ...train import (
    Distillation,
    Epoch,
    Holdout,
    Run,
    RunContext,
    Shard,
    Teacher,
    center_columns,
    fit_shrinkage,
    hold_out_rows,
    part,
    record,
    seed_of,
    share,
    shrink_to_bias,
    train,
    validation_share,
    whole_arrays,
)
from ...train.checkpoint import CHECKPOINT, RunFolder
from ...train.factors.continued import Continued
from ..settings import Settings
from ._fitted import FittedNetwork, make_forward
from ._link import first_link, fit_link_again
from ._rows import column_offset, grouped, in_user_order, rows_of
from ._side_by_side import side_by_side
from ._start import Start, factor_teacher, first_network
from ._stored import MOST_STORED, OWN, StoredCodes
from ._unit import multiplied


class Trainer:
    """Trains one network: an autoencoder, a member of an ensemble, or a teacher.

    The constructor prepares the run. If the settings name a teacher, call ``distill_from`` or
    ``train_teachers``; then ``fit``, ``finish`` and ``validation_predictions``.

    Args:
        ratings: Compact ratings.
        settings: The options.
        seed: Seeds weights, order, dropout and, unless passed, the validation part.
        context: How and where it is trained.
        held: Mask of the validation part, shape (len(ratings),), if already drawn.
        member: Number in the ensemble, from 1; 0 for none.
        teacher: Number among the teachers of another network, from 1; 0 if it is not a teacher.
        start: The trained network to start from; none by default.
        shard: The processes, if each has the ratings of some users; by default each has all.
        unit: What the ratings were divided by (``unit_of``). Metrics, the fitted network and
            ``validation_predictions`` are those of the ratings in their own unit.

    Attributes:
        run: The training run.
        held: Mask of the validation part, shape (len(ratings),); None for none.
        teacher_epochs: Metrics of every epoch of a teacher trained for it alone.
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
        teacher: int = 0,
        start: Start | None = None,
        shard: Shard | None = None,
        unit: float = 1.0,
    ) -> None:
        self.unit = unit
        self.shard = shard or Shard(context.group)
        self.settings, self.context = settings, context
        self.teacher_epochs: list[Epoch] = []
        self._ratings, self._start = ratings, start
        self._teachers: list[Trainer] = []
        self._folder: RunFolder | None = None
        self._rows, self._columns = rows_of(ratings, settings.network)
        scale = ratings.scale
        self._limits = (scale.low, scale.high) if context.clip else (-np.inf, np.inf)
        rng = np.random.default_rng(seed)
        self.held = self._hold_out(held, rng)
        self.run = self._first_run(member, teacher, rng)

    def _hold_out(self, held: Mask | None, rng: np.random.Generator) -> Mask | None:
        """Return the mask of the validation part, drawn unless it was passed."""
        train, rows = self.settings.train, self._rows
        if self._start is not None:
            return self._start.held(train, rng, rows)
        if held is not None or not train.validation:
            return held
        kept_out = validation_share(train.validation, self.shard.span(len(self._ratings))[1])
        return rows.in_order_of_ratings(hold_out_rows(rows, kept_out, rng, self.shard))

    def _first_run(self, member: int, teacher: int, rng: np.random.Generator) -> Run:
        """Return the run before its first epoch."""
        settings, context, start = self.settings, self.context, self._start
        config, (low, high) = settings.network, self._limits
        holdout = partial(Holdout.of, low=low, high=high, shard=self.shard)
        scored = partial(holdout, users_are_columns=config.rows == "items")
        known, valid = self._rows, None
        if self.held is not None:
            known, out = part(self._rows, self.held)
            valid = holdout(out)
        inputs = self._inputs(known)
        watched = {
            name: scored(grouped(some, self._ratings, config.rows, self.unit))
            for name, some in context.watch.items()
        }
        return Run(
            first_network(settings, self._ratings, known, inputs, context, rng, start, self.shard),
            inputs,
            known,
            settings.train if start is None else start.config(settings.train),
            rng,
            valid,
            only=None if start is None else start.rows(known, self._rows, rng),
            watch={name: each for name, each in watched.items() if len(each)},
            member=member,
            teacher=teacher,
            measures=context.measure,
            training=scored(known) if "training" in context.measure else None,
            shard=self.shard,
            unit=self.unit,
        )

    def _inputs(self, known: Csr) -> Inputs:
        """Return the input encoding, fitted to the ratings outside the validation part."""
        config, start = self.settings.network, self._start
        inputs = make_inputs(
            config, column_offset(known, config.center, self.shard), side=known.side
        )
        if config.output != "ordinal":
            return inputs
        earlier = None if start is None else start.fitted.inputs.link
        return replace(inputs, link=first_link(self._ratings, self.held, earlier))

    def distill_from(self, teachers: Sequence[Teacher]) -> None:
        """Add the predictions of teachers as targets (knowledge distillation)."""
        run, config = self.run, self.run.config
        limits = self._limits if run.inputs.link is None else (-np.inf, np.inf)
        run.distillation = Distillation(
            run.known, teachers, config.teacher_weight, *limits, epochs=config.epochs, rows=run.rows
        )

    def train_teachers(self, seed: int, before: Sequence[Epoch] = ()) -> None:
        """Train the teachers: ``teachers`` copies of the network over the transposed ratings."""
        self._teachers = [
            Trainer(
                self._ratings,
                self.settings.teacher(),
                seed if number == 1 else seed_of(seed, number),
                replace(self.context, watch={}, measure=frozenset()),
                held=self.held,
                member=self.run.member,
                teacher=number,
                unit=self.unit,
            )
            for number in self.settings.train.teacher_numbers
        ]
        with side_by_side(self._teachers) as ahead:
            for teacher, future in zip(self._teachers, ahead, strict=True):
                teacher.fit([*before, *self.teacher_epochs], future, ahead)
                self.teacher_epochs += teacher.run.history
        self.distill_from([teacher.as_teacher() for teacher in self._teachers])

    def fit(
        self,
        before: Sequence[Epoch] = (),
        ahead: Future[int] | None = None,
        beside: Sequence[Future[int] | None] = (),
    ) -> None:
        """Train epoch by epoch, with metrics and checkpoints; centre the outputs if configured.

        In a distributed run only the first process has a folder; all resume from it.

        Args:
            before: Epochs of earlier runs in the folder.
            ahead: Future of ``train_ahead`` in another thread, to wait for.
            beside: Futures of other networks, whose errors end this training after its epoch.
        """
        run, on_epoch = self.run, self.context.on_epoch
        if ahead is None:
            self._begin()
        epochs = train(run) if ahead is None else run.history[ahead.result() :]
        folder = self._folder
        if folder is not None:
            folder.write_metrics([*before, *self.teacher_epochs, *run.history])
        try:
            for epoch in epochs:
                if ahead is None:
                    record(run, folder, epoch)
                if on_epoch is not None:
                    on_epoch(epoch)
                for other in beside:
                    if other is not None and other.done():
                        other.result()
        finally:
            if folder is not None:  # kept until the model is saved
                folder.flush()
        run.release()
        run.network.to("cpu")
        if run.network.config.centers_output:
            with run.threads():
                center_columns(run.network, run.inputs, run.known, self.shard)

    def _begin(self) -> None:
        """Open the run folder, and restore the run from its checkpoint if it is resumed."""
        folder = self._folder = self.context.run_folder(self._checkpoint, self.unit)
        resume = self.context.begun(folder)
        if folder is not None:
            folder.start(self.run, resume=resume)
        if resume:
            share(self.run, folder)

    @property
    def may_train_ahead(self) -> bool:
        """Whether the network may be trained in another thread."""
        return self.run.fits_one_thread

    def train_ahead(self, threads: int, stop: Event) -> int:
        """Train in a separate thread, with checkpoints, for ``fit`` to report.

        Returns:
            The number of epochs restored from a checkpoint.
        """
        torch.set_num_threads(1)
        self._begin()
        restored = len(self.run.history)
        with kernel_threads(threads):
            for _ in train(self.run, stop):
                if self._folder is not None:
                    self._folder.save(self.run)
        return restored

    @property
    def _checkpoint(self) -> str:
        number = f"-{self.run.member}" if self.run.member else ""
        teacher = f"-teacher-{self.run.teacher}" if self.run.teacher > 1 else "-teacher"
        return f"{CHECKPOINT}{number}{teacher if self.run.teacher else ''}"

    def as_teacher(self, *, whole: bool = False) -> Teacher:
        """Return the trained network as a teacher.

        The teacher was not trained on the validation part, which reaches the student only in the
        teacher's selected epoch and its shrinkage, fitted here (docs/training.md has the size of
        the effect). Call it before ``finish``, which changes the network.

        If ``whole``, its rows are encoded from all ratings, validation part included, for
        prediction; a student is trained without.
        """
        known, (coefficient, inputs) = self.run.known, self._shrinkage
        if whole and self.run.valid:
            known, inputs = self._whole(inputs)
        return Teacher.of(self.run.network, inputs, known, coefficient)

    @cached_property
    def _shrinkage(self) -> tuple[float, Inputs]:
        """Shrinkage coefficient of the network as a teacher, and its inputs with the slope."""
        run = self.run
        if run.valid and run.network.config.shrinks:
            return fit_shrinkage(run.network, run.inputs, run.known, run.valid)
        return 1.0, run.inputs

    def _whole(self, inputs: Inputs) -> tuple[Csr, Inputs]:
        """Return all ratings by row, and an input encoding with column statistics of all."""
        rows, center = self._rows, self.settings.network.center
        return rows, replace(inputs, offset=column_offset(rows, center, self.shard))

    def finish(self, *, shrink: bool = True) -> FittedNetwork:
        """Return the network, ready to predict.

        Args:
            shrink: Whether to fit the shrinkage coefficient, if configured; without it the
                length correction of rows is still fitted.
        """
        run, settings, coefficient = self.run, self.settings, 1.0
        if self._start is not None and self._start.fitted.shrinkage > 0.0:
            coefficient, run.inputs = self._start.shrinkage(run.inputs)
        elif settings.network.shrinks and run.valid:
            with run.threads():
                coefficient, run.inputs = shrink_to_bias(
                    run.network, run.inputs, run.known, run.valid, whole=not shrink
                )
        fit_link_again(run)
        known, inputs = run.known, run.inputs
        if run.valid:  # no longer needed: use column statistics of all ratings
            known, inputs = self._whole(inputs)
        fitted = FittedNetwork(
            settings=settings.model_copy(update={"network": run.network.config}),
            arrays=whole_arrays(run.network),
            inputs=inputs,
            known=self._rows if settings.network.rows == "items" else None,
            columns=self._columns,
            epochs=run.history,
            best_epoch=run.best_epoch or len(run.history),
            n_valid=len(run.valid) if run.valid else 0,
            shrinkage=coefficient,
            teacher_epochs=self.teacher_epochs,
        )
        if shrink and self._stores_codes and self._codes_are_better(coefficient):
            teachers = self._all_teachers(known, whole=True)
            stored = StoredCodes.fit(fitted.forward, known, teachers, self.unit)
            fitted = replace(fitted, stored=stored)
        return multiplied(fitted, self.unit)

    @cached_property
    def _continued(self) -> Continued | None:
        """In an update, the stored codes of the earlier network with the new ratings."""
        if self._start is None:
            return None
        known, new = self.run.known, self._start.new_of(self._rows, self.held)
        return self._start.continued(known, new, self.run.inputs.offset)

    def _all_teachers(self, known: Csr, *, whole: bool) -> list[Teacher]:
        if self._continued is not None:
            assert self._start is not None
            new = self._start.new_of(self._rows, None if whole else self.held)
            return [factor_teacher(self._continued, known, new, self.run.network.output_code)]
        return [each.as_teacher(whole=whole) for each in self._teachers]

    @property
    def _stores_codes(self) -> bool:
        config = self.run.network.config
        return (
            self.settings.train.known_codes == "stored"
            and (bool(self._teachers) or (self._start is not None and self._start.stores_codes))
            and config.rows == "users"
            and config.output_activation == "linear"
            and self._ratings.n_users * config.hidden[-1] <= MOST_STORED
        )

    def _codes_are_better(self, coefficient: float) -> bool:
        """Test whether a step towards the stored codes' predictions lowers the validation error.

        Stored codes are not shrunk: with few ratings they may be worse than the bias model, which
        is what a network with coefficient 0 predicts.
        """
        if not self.run.valid or coefficient == 0.0 or self._start is not None:
            return coefficient > 0.0  # an update keeps the decision of training
        encoded = self.validation_predictions()
        step = self.validation_predictions(stored=True) - encoded
        return float(np.dot(step, self.unit * self.run.valid.values - encoded)) > 0.0

    def validation_predictions(self, *, stored: bool = False) -> Float64:
        """Predict the validation part by the network in its current state.

        Args:
            stored: Whether to predict by stored codes, fitted without the validation part.

        Returns:
            float64 (n,), not clipped, in the order of ``ratings.by_user``.
        """
        run = self.run
        assert run.valid is not None
        assert self.held is not None
        with run.threads():
            if stored:
                return self.unit * self._by_codes
            predicted = self.unit * run.valid.predict(run.network, run.inputs, run.known)
        if run.network.config.rows == "users":
            return predicted
        return in_user_order(self._ratings, self.held, predicted)

    @cached_property
    def _by_codes(self) -> Float64:
        run, held = self.run, self.run.valid
        assert held is not None
        rows = np.repeat(held.rows, np.diff(held.indptr))
        teachers = self._all_teachers(run.known, whole=False)
        if self._continued is not None:  # the mean that codes approximate: faster
            network_predictions = held.predict(run.network, run.inputs, run.known)
            (teacher,) = teachers
            return OWN * network_predictions + (1.0 - OWN) * teacher.entries(rows, held.columns)
        forward = make_forward(run.network.config, run.network.arrays(), run.inputs)
        codes = StoredCodes.fit(forward, run.known, teachers)
        return codes.forward(forward).entries_of(codes.codes, codes.added, rows, held.columns)
