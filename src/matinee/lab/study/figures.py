"""The epoch figures of studies: a new one needs only an entry of ``FIGURES``."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ...train import Epoch

HELD_OUT = "held_out"
"""Name under which the held-out ratings are watched during training."""


@dataclass(frozen=True)
class EpochFigure:
    """A figure that is computed after each epoch.

    Attributes:
        name: In study files and records.
        label: On charts and pages.
        heading: Heading of its column in a summary.
        where: "on held-out ratings", as in "is better on held-out ratings".
        meaning: What it is, in one sentence or two.
        of: Where an ``Epoch`` has it: ``train_rmse``, ``valid_rmse``, or a key of ``measured`` or
            ``watched``.
        measure: The measure of ``fit`` that it needs, if any: a pass over the ratings, so that it
            is only recorded on request.
        watch: Whether the held-out ratings are scored after each epoch for it.
    """

    name: str
    label: str
    heading: str
    where: str
    meaning: str
    of: str
    measure: str = ""
    watch: bool = False

    def value(self, epoch: Epoch) -> float | None:
        """Return the value at an epoch; None if not computed."""
        if self.of in ("train_rmse", "valid_rmse"):
            return getattr(epoch, self.of)
        return (epoch.watched if self.of == HELD_OUT else epoch.measured).get(self.of)


FIGURES: MappingProxyType[str, EpochFigure] = MappingProxyType(
    {
        figure.name: figure
        for figure in (
            EpochFigure(
                HELD_OUT,
                "held-out RMSE",
                "Held-out RMSE",
                "on held-out ratings",
                "Root of the mean squared error over all ratings kept apart from training: the one "
                "that counts.",
                of=HELD_OUT,
                watch=True,
            ),
            EpochFigure(
                "held_out_user_mean",
                "held-out, mean over users",
                "Held out, mean over users",
                "on held-out ratings (mean over users)",
                "Mean over users of each one's RMSE on the held-out ratings: what a proper test "
                "folder would have given the reference's formula. Every user weighs the same, so "
                "it is another measure.",
                of="held_out_user_mean",
                measure="user_mean",
                watch=True,
            ),
            EpochFigure(
                "training",
                "training RMSE",
                "Training RMSE",
                "on the training ratings",
                "RMSE over all training ratings after the epoch, without dropout.",
                of="training",
                measure="training",
            ),
            EpochFigure(
                "reference",
                "reference's formula, on training ratings",
                "Reference's figure (training ratings)",
                "on the training ratings (the reference's figure)",
                "Mean over users of each one's RMSE on the training ratings, after the epoch, "
                "without regularisation: what the reference study called its test error.",
                of="training_user_mean",
                measure="training",
            ),
            EpochFigure(
                "batch_mean",
                "mean of per-batch training RMSE",
                "Mean over batches",
                "on the training ratings (mean over batches)",
                "Mean over batches of the batch's RMSE while the weights move: what the reference "
                "study called its training error.",
                of="train_rmse",
            ),
            EpochFigure(
                "valid",
                "validation RMSE",
                "Validation RMSE",
                "on validation ratings",
                "RMSE over a validation part of the training ratings; what is chosen is chosen by "
                "it.",
                of="valid_rmse",
            ),
        )
    }
)
"""By name, in the order of tables."""

if TYPE_CHECKING:
    Figure = str
else:
    Figure = Literal[tuple(FIGURES)]
