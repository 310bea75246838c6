"""``Epoch``: the metrics of one epoch of training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """The metrics of one epoch.

    Attributes:
        epoch: Number, from 1.
        loss: Mean over the batches of the loss before each step: the masked MSE, or with ordinal
            outputs the negative log-likelihood times ``OrdinalLink.loss_scale``. With distillation
            it includes the teacher's targets, as does ``train_rmse``.
        train_rmse: Mean over the batches of the batch's RMSE (as reported in the reference study).
        valid_rmse: Global RMSE on the validation part; with ``shrink``, after shrinkage. None
            without a validation part, or in an epoch that is not scored (``score_every``).
        watched: Global RMSE on each watched held-out set.
        learning_rate: Learning rate of the last step.
        seconds: Wall time of the steps, without scoring.
        ratings_per_second: Training ratings over ``seconds``.
        measured: Further measures by name; see ``MEASURES``.
        member: Number of the ensemble's member, from 1; 0 outside an ensemble.
        teacher: Number of the teacher being trained, from 1; 0 for the network itself.
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
    teacher: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)
