"""Predictions of the validation part, by user."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float64, Mask
from ...baseline import fit_bias
from ...baseline.variance import HeldOutPredictions
from ...data import Histories, Ratings
from ...train import part


def bias_predictions(train: Ratings, held: Mask) -> Float64:
    """Predict the validation part by the bias model of the remaining ratings.

    Returns:
        float64 (n,), in the order of ``train.by_user``.
    """
    known, out = part(train.by_user, held)
    return fit_bias(known).predict(Histories.of(known), out.entry_rows, out.indices)


def validation_predictions(
    train: Ratings, held: Mask, *answers: tuple[Float64, Float64 | None]
) -> HeldOutPredictions:
    """Collect predictions of the validation part, to fit the predictive variance on.

    Args:
        train: The training ratings.
        held: Mask of the validation part, shape (len(train),).
        *answers: Pairs of predictions (n,), in the order of ``bias_predictions``, and covariates of
            the predictive variance (n, k); one pair for each way of predicting.
    """
    entries = np.flatnonzero(train.by_user.aligned(held))
    extras = [extra for _, extra in answers if extra is not None]
    return HeldOutPredictions(
        np.tile(entries, len(answers)),
        np.concatenate([predictions for predictions, _ in answers]),
        "validation",
        np.vstack(extras) if extras else None,
    )
