"""The training loop, from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..data import Csr
from ..errors import TrainingError, UsageError
from ..nn import Inputs, Network
from ._engine import Engine, KernelEngine, TorchEngine
from ._holdout import Holdout
from ._lessons import Lessons
from ._measure import check_measures, measure
from ._shrink import bias_part
from .config import TrainConfig, rows_per_step
from .distributed import ALONE, Group

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Epoch:
    """What one epoch did.

    Attributes:
        epoch: Number, from 1.
        loss: Mean masked MSE over the batches, while the weights move; over a teacher's answers
            too, where there is one, and so is ``train_rmse``.
        train_rmse: Mean over the batches of the batch's RMSE (the figure of the reference study).
        valid_rmse: Global RMSE on the validation part; with ``shrink``, after shrinking. None where
            there is no such part, or the epoch is not scored (``score_every``).
        watched: Global RMSE on each held-out set that is watched but never chosen by.
        learning_rate: At the last step.
        seconds: Wall time of the steps, without scoring.
        ratings_per_second: Training ratings over ``seconds``.
        measured: Further figures, where they were asked for: see ``MEASURES``.
        member: Number of the ensemble's member, from 1; 0 for a network of its own.
        teacher: Whether it is an epoch of the network's teacher.
    """

    epoch: int
    loss: float
    train_rmse: float
    valid_rmse: float | None
    watched: dict[str, float]
    learning_rate: float
    seconds: float
    ratings_per_second: float
    member: int = 0
    measured: dict[str, float] = field(default_factory=dict)
    teacher: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass
class Run:
    """A training run between two epochs: all that a checkpoint must hold.

    Attributes:
        network: The network, trained in place.
        inputs: The fitted input recipe.
        known: The training ratings by row.
        config: The training options.
        rng: The one seeded generator: order of the rows and seeds of the batches.
        valid: The validation part, or None.
        watch: Held-out sets to score each epoch for curves; nothing is chosen by them.
        member: Number of the ensemble's member, from 1; 0 for a network of its own.
        teaches: Whether the network is trained to teach another.
        lessons: What its teachers say of drawn columns, or None.
        measures: Further figures to compute after each epoch: see ``MEASURES``.
        training: The training ratings as entries to score, for the measures that need them.
        group: The processes that train it together; each has a run like this one.
        history: The epochs done.
        best: Weights of the best epoch by validation RMSE, and ``best_epoch``; epoch 0 is none.
    """

    network: Network
    inputs: Inputs
    known: Csr
    config: TrainConfig
    rng: np.random.Generator
    valid: Holdout | None = None
    watch: Mapping[str, Holdout] = field(default_factory=dict)
    member: int = 0
    teaches: bool = False
    lessons: Lessons | None = None
    measures: frozenset[str] = frozenset()
    training: Holdout | None = None
    group: Group = ALONE
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Array] = field(default_factory=dict)
    best_epoch: int = 0

    def __post_init__(self) -> None:
        check_measures(self.measures)
        if self.network.config.batch_norm and not self.group.alone:
            raise UsageError(
                "batch_norm takes its statistics over a whole batch, which several processes "
                "divide; train in one process, or set batch_norm = false"
            )
        if self.config.l2_against == "sum":
            mean = {"l2": self.config.l2 / len(self.known.values), "l2_against": "mean"}
            self.config = self.config.replace(mean)
        self.rows = np.flatnonzero(self.known.counts)  # a row without ratings has no loss
        size = rows_per_step(self.config, len(self.rows))
        smallest = 2 if size > 1 and self.network.config.batch_norm else 1
        self.cuts = np.arange(0, len(self.rows), size)
        if len(self.cuts) > 1 and len(self.rows) - self.cuts[-1] < smallest:
            self.cuts = self.cuts[:-1]  # batch norm needs two rows: the last joins its neighbour
        on_cpu = self.network.table_in.device.type == "cpu"
        kind = KernelEngine if on_cpu else TorchEngine
        self.base = None
        if self.valid and self.network.config.shrinks:
            self.base = bias_part(self.inputs, self.known, self.valid)
        self.engine: Engine = kind(self.network, self.config, len(self.cuts), self.group)

    @property
    def done(self) -> bool:
        """Whether no epoch is left, or patience has run out."""
        epoch, patience = len(self.history), self.config.patience
        waited = bool(patience) and epoch - self.best_epoch >= patience and self.best_epoch > 0
        return epoch >= self.config.epochs or waited


def train(run: Run) -> Iterator[Epoch]:
    """Train epoch by epoch, yielding each one's metrics; then keep the weights that ``keep`` says.

    Progress, pruning, checkpoints and curves belong to the caller, who may stop between any two
    epochs and come back: all state is in ``run``.

    Raises:
        TrainingError: The loss is no longer finite, or has exploded.
    """
    network, config = run.network, run.config
    double = network.table_in.dtype == torch.float64
    while not run.done:
        epoch = len(run.history) + 1
        step = (epoch - 1) * len(run.cuts)
        network.train()
        losses = np.empty(len(run.cuts))
        started = time.perf_counter()
        order = run.rng.permutation(run.rows)
        salts = run.rng.integers(0, 2**63, size=len(run.cuts))
        for number, rows in enumerate(np.split(order, run.cuts[1:])):
            step += 1
            batch = run.inputs.batch(
                run.known.indptr,
                run.known.indices,
                run.known.values,
                rows,
                salt=int(salts[number]),
                conditional=config.objective == "conditional",
                dropout=network.config.input_dropout,
                dtype=np.float64 if double else np.float32,
            )
            if run.lessons:
                batch = run.lessons.extend(batch, rows, run.inputs.offset, salt=int(salts[number]))
            losses[number] = run.engine.step(batch, step)
            if not losses[number] < 1e12:  # NaN fails this too
                raise TrainingError(_advice(losses[number], epoch, number + 1, config))
        run.engine.settle(step)
        seconds = time.perf_counter() - started

        watched, measured = measure(run)
        valid = None
        if run.valid and (epoch % config.score_every == 0 or epoch == config.epochs):
            valid = run.valid.rmse(network, run.inputs, run.known, run.base)
        before = run.history[run.best_epoch - 1].valid_rmse if run.best_epoch else None
        if valid is not None and (before is None or valid < before):
            run.best_epoch = epoch
            if epoch < config.epochs:  # of the last one they are what the network has
                run.best = {name: array.copy() for name, array in network.arrays().items()}
        metrics = Epoch(
            epoch=epoch,
            loss=float(losses.mean()),
            train_rmse=float(np.sqrt(losses).mean()),
            valid_rmse=valid,
            watched=watched,
            learning_rate=run.engine.learning_rate(step),
            seconds=seconds,
            ratings_per_second=len(run.known.indices) / seconds,
            measured=measured,
            member=run.member,
            teacher=run.teaches,
        )
        run.history.append(metrics)
        yield metrics
    if run.best:
        _keep(run)


def _keep(run: Run) -> None:
    """Put the best epoch's weights back; or leave the last's, where they are as good for sure."""
    network, held = run.network, run.valid
    if run.best_epoch == len(run.history):
        return  # the best is what the network has
    if run.config.keep == "best" or held is None:
        network.load_arrays(run.best)
        return
    last = {name: array.copy() for name, array in network.arrays().items()}
    errors = held.squared_errors(network, run.inputs, run.known, run.base)
    network.load_arrays(run.best)
    worse = errors - held.squared_errors(network, run.inputs, run.known, run.base)
    if worse.mean() <= 3.0 * worse.std() / np.sqrt(len(worse)):
        network.load_arrays(last)
        run.best_epoch = len(run.history)


def _advice(loss: float, epoch: int, step: int, config: TrainConfig) -> str:
    what = "not a number" if np.isnan(loss) else f"{loss:.3g}"
    return (
        f"training diverged: the loss is {what} at epoch {epoch}, step {step}; lower learning_rate "
        f"(now {config.learning_rate:g}), add warmup, or use center = 'mean' so that the network "
        "starts near the ratings' mean"
    )
