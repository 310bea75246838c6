"""``Run``: a training run between two epochs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..base.arrays import Array, Int64
from ..base.memory import entries_of
from ..data import Csr
from ..errors import UsageError, nearest
from ..nn import Batch, Inputs, Network, shares_products
from ._backend import Backend, KernelBackend, TorchBackend, torch_threads
from ._distillation import Distillation
from ._holdout import Holdout
from .config import TrainConfig, rows_per_step
from .distributed import ProcessGroup
from .epoch import Epoch
from .shards.shard import WHOLE, Shard

SPARSE, BIAS_SHARE, SHARE_BY_DENSITY = 400.0, 0.4, 0.01
FEWEST_SCORES, FEWEST_EPOCHS = 2, 4
"""If every validation score so far was that of the bias model, training stops on very sparse data:
where the mean number of ratings per user times that per item is below the first number. It stops
after a share of the epochs, of the second or of the third times that product, whichever is less,
and not before these numbers of scores and of epochs. What it saves and what it costs is in
docs/lab-notes.md; on denser data networks may be slow to become better than the bias model."""

MEASURES = ("user_mean", "training", "penalty", "single_row")
"""Measures that may be computed after each epoch besides the RMSE of the watched sets:

- user_mean: NAME_user_mean for each watched set, the mean over users of each user's RMSE.
- training: "training", the RMSE on the training ratings themselves, after the epoch and without
  dropout, and "training_user_mean".
- penalty: with L2 regularisation, "penalty", its term of the loss; with training, also
  "training_user_mean_penalised", the mean over users of sqrt(MSE + penalty).
- single_row: with batch norm, NAME_single_row and (with training)
  "training_user_mean_single_row", evaluated with statistics of one row at a time.
"""


def check_measures(names: frozenset[str]) -> frozenset[str]:
    """Check the names of measures.

    Raises:
        UsageError: A measure does not exist.
    """
    for name in sorted(names - set(MEASURES)):
        raise UsageError(
            f"no measure {name!r}{nearest(name, MEASURES)} (there are {', '.join(MEASURES)})"
        )
    return names


@dataclass
class Run:
    """A training run between two epochs: the state that a checkpoint stores.

    Attributes:
        network: The network, trained in place.
        inputs: The fitted input encoding.
        known: The training ratings by row, or those of this process.
        config: The training options.
        rng: The seeded generator of the order of rows and the seeds of batches.
        valid: The validation part, or None.
        watch: Held-out sets to score after each epoch, for learning curves only.
        member: Number of the ensemble's member, from 1; 0 outside an ensemble.
        teacher: Number of the network among another's teachers, from 1; 0 if it is not a teacher.
        distillation: Predictions of its teachers as additional targets, or None.
        measures: Further measures to compute after each epoch: see ``MEASURES``.
        training: The training ratings as entries to score, for the measures that need them.
        shard: The processes of a distributed run, and which ratings this one has; each has its own
            copy of the rest.
        unit: What the ratings were divided by; metrics are in the ratings' own unit.
        only: The rows to train on, int64, each with ratings; None for all.
        history: The metrics of the epochs so far.
        best: Weights of ``best_epoch``, the best by validation RMSE; 0 if there is none.
    """

    network: Network
    inputs: Inputs
    known: Csr
    config: TrainConfig
    rng: np.random.Generator
    valid: Holdout | None = None
    watch: Mapping[str, Holdout] = field(default_factory=dict)
    member: int = 0
    teacher: int = 0
    distillation: Distillation | None = None
    measures: frozenset[str] = frozenset()
    training: Holdout | None = None
    shard: Shard = WHOLE
    unit: float = 1.0
    only: Int64 | None = None
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Array] = field(default_factory=dict)
    best_epoch: int = 0

    def __post_init__(self) -> None:
        check_measures(self.measures)
        self.counts = self.shard.counts(self.known)
        if self.network.config.batch_norm and not self.group.alone:
            raise UsageError(
                "batch_norm needs statistics over a whole batch, which several processes divide; "
                "train in one process, or set batch_norm = false"
            )
        if self.config.l2_against == "sum":
            mean = {"l2": self.config.l2 / int(self.counts.sum()), "l2_against": "mean"}
            self.config = self.config.replace(mean)
        # A row without ratings has no loss.
        self.rows = np.flatnonzero(self.counts) if self.only is None else self.only
        size = rows_per_step(self.config, len(self.rows))
        smallest = 2 if size > 1 and self.network.config.batch_norm else 1
        self._step_rows = min(size, len(self.rows))
        self.cuts = np.arange(0, len(self.rows), size)
        if len(self.cuts) > 1 and len(self.rows) - self.cuts[-1] < smallest:
            self.cuts = self.cuts[:-1]  # batch norm needs two rows: merge batches
        on_cpu = self.network.table_in.device.type == "cpu"
        kind = KernelBackend if on_cpu else TorchBackend
        self._weights = self.known.relative_weights
        link = self.inputs.link
        self._levels = None if link is None else link.codes(self.known.values)
        self.base = self.bias_rmse = None
        if self.valid and self.network.config.shrinks:
            self.base = self.valid.bias_predictions(self.inputs, self.known)
            self.bias_rmse = self.unit * self.valid.bias_rmse(self.inputs, self.base)
        self.backend: Backend = kind(self.network, self.config, len(self.cuts), self.group, link)

    def batch(self, rows: Int64, *, salt: int) -> Batch:
        """Make a batch of rows, with the predictions of teachers, if any.

        Args:
            rows: int64, rows of ``known``.
            salt: Seed of the batch's own randomness.
        """
        known, double = self.known, self.network.table_in.dtype == torch.float64
        ratings, at = self.shard.rows_of(known, rows, self.counts)
        batch = self.inputs.batch(
            ratings.indptr,
            ratings.indices,
            ratings.values,
            at,
            salt=salt,
            conditional=self.config.objective == "conditional",
            dropout=self.network.config.input_dropout,
            dtype=np.float64 if double else np.float32,
            side=known.side,
        )
        if self._weights is not None or self._levels is not None:
            _, entries = entries_of(known.indptr, rows)
            if self._weights is not None:
                weight = (batch.weight * self._weights[entries]).astype(batch.weight.dtype)
                batch = replace(batch, weight=weight)
            if self._levels is not None:
                batch = replace(batch, level=self._levels[entries])
        if self.distillation:
            batch = self.distillation.extend(batch, rows, self.inputs.offset, salt=salt)
        return batch

    @property
    def group(self) -> ProcessGroup:
        """The processes of a distributed run."""
        return self.shard.group

    def threads(self) -> AbstractContextManager[None]:
        """Limit torch's threads to the number that suits the size of the steps."""
        return torch_threads(self.network, self.config, self._step_rows)

    def release(self) -> None:
        """Free the optimiser's memory, twice that of the weights; no step can follow."""
        del self.backend

    @property
    def fits_one_thread(self) -> bool:
        """Whether steps gain little from threads, so that runs are better trained concurrently."""
        on_cpu = self.network.table_in.device.type == "cpu"
        return on_cpu and self.group.alone and not shares_products(self.network, self._step_rows)

    @property
    def done(self) -> bool:
        """Whether all epochs are done, or early stopping applies.

        It applies after ``patience`` epochs without a better validation RMSE, and to very sparse
        data from which nothing is learned (``SPARSE``).
        """
        epoch, patience = len(self.history), self.config.patience
        waited = bool(patience) and epoch - self.best_epoch >= patience and self.best_epoch > 0
        return epoch >= self.config.epochs or waited or self._learns_nothing

    @property
    def _learns_nothing(self) -> bool:
        """Whether, on very sparse data, every score so far was that of the bias model."""
        config, entries = self.config, int(self.counts.sum())  # of all processes
        density = entries / self.known.n_rows * entries / self.known.n_columns
        share = min(SHARE_BY_DENSITY * density, BIAS_SHARE)
        least = max(share * config.epochs, FEWEST_SCORES * config.score_every, FEWEST_EPOCHS)
        if self.base is None or density >= SPARSE or len(self.history) < least:
            return False
        return {each.valid_rmse for each in self.history} - {None} == {self.bias_rmse}
