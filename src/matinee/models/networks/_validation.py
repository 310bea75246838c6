"""The validation part of the ratings and its predictions, with users or items as rows."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float32, Float64, Int64, Mask
from ...baseline import fit_bias
from ...baseline.variance import HeldOutPredictions
from ...data import Csr, Histories, Ratings, group
from ...train import part
from ..support import coded


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


def in_user_order(train: Ratings, held: Mask, predicted: Float64) -> Float64:
    """Reorder values of the validation part from ``train.by_item`` to ``train.by_user``."""
    by_item = entry_order(train.by_item)[train.by_item.aligned(held)]
    by_user = entry_order(train.by_user)[train.by_user.aligned(held)]
    ordered = np.empty(len(predicted))
    ordered[np.argsort(by_user)] = predicted[np.argsort(by_item)]
    return ordered


def entry_order(csr: Csr) -> Int64:
    """Return the position of each entry in the ratings."""
    return np.arange(len(csr.values)) if csr.order is None else csr.order


def column_offset(known: Csr, center: str) -> Float32:
    """Return the offset subtracted from each column's ratings, float32 (columns,)."""
    offset = np.zeros(known.n_columns, dtype=np.float32)
    if center == "none":
        return offset
    if center == "bias":
        bias = fit_bias(known)
        offset += np.float32(bias.mean)
        offset += bias.item_bias
    elif known.weights is None:
        offset += np.float32(known.values.mean(dtype=np.float64))
    else:
        offset += np.float32(np.average(known.values, weights=known.weights))
    return offset


def grouped(ratings: Ratings, train: Ratings, rows: str) -> Csr:
    """Return held-out ratings of known users and items, by the network's rows and columns."""
    users, items, values = coded(ratings, train)
    if rows == "items":
        return group(items, users, values, train.n_items, train.n_users)
    return group(users, items, values, train.n_users, train.n_items)
