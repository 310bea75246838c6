"""The figures of a study under their right names."""

from __future__ import annotations

from ..study.study import Figure

NAMES: dict[Figure, str] = {
    "held_out": "held-out RMSE",
    "held_out_user_mean": "held-out, mean over users",
    "reference": "reference's formula, on training ratings",
    "batch_mean": "mean of per-batch training RMSE",
    "training": "training RMSE",
    "valid": "validation RMSE",
}

MEANINGS: dict[Figure, str] = {
    "held_out": "Root of the mean squared error over all ratings kept apart from training: the one "
    "that counts.",
    "held_out_user_mean": "Mean over users of each one's RMSE on the held-out ratings: what a "
    "proper test folder would have given the reference's formula. Every user weighs the same, so "
    "it is another measure.",
    "reference": "Mean over users of each one's RMSE on the training ratings, after the epoch, "
    "without regularisation: what the reference study called its test error.",
    "batch_mean": "Mean over batches of the batch's RMSE while the weights move: what the "
    "reference study called its training error.",
    "training": "RMSE over all training ratings after the epoch, without dropout.",
    "valid": "RMSE over a validation part of the training ratings; what is chosen is chosen by it.",
}

PUBLISHED_TEST = "published “test”"
PUBLISHED_TRAIN = "published training"


def name_of(figure: Figure) -> str:
    """What a figure is called on the page."""
    return NAMES[figure]
