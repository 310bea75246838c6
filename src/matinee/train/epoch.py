"""``Epoch``: what one epoch of training did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


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
