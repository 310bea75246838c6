"""Predictions for any users and items, known or unknown, in batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..base.arrays import Float64, Int32, Int64
from ..baseline.variance import PredictiveVariance
from ..data import Histories
from .hooks import Hooks

_PEOPLE = 4096
"""Largest number of users in one call of ``_predict``."""
_ENTRIES = 1 << 20
"""Approximate number of predictions in one call of ``_predict``."""


def answers(
    model: Hooks,
    histories: Histories,
    rows: Int64,
    items: Int32,
    variance: PredictiveVariance | None = None,
    predictions: Float64 | None = None,
) -> tuple[Float64, Float64]:
    """Return unclipped predictions and standard deviations (empty without a variance model).

    The arguments are those of ``Recommender.predict_coded``; ``predictions`` are its unclipped
    output, if already computed.
    """
    if _in_order(histories, rows, items):
        return _batch(model, histories, rows, items, variance, predictions)
    out, std = np.empty(len(rows)), np.empty(0 if variance is None else len(rows))
    known = np.append(histories.counts > 0, False)[rows]
    is_known = known & (items >= 0)
    others = np.flatnonzero(~is_known)
    if len(others):
        out[others] = model._unknown(histories, rows[others], items[others])
        if variance is not None:
            std[others] = variance.std_unknown(known[others], items[others] >= 0)
    answerable = np.flatnonzero(is_known)
    answerable = answerable[np.argsort(rows[answerable], kind="stable")]
    people, starts, position = _runs(rows[answerable])
    bounds = np.append(starts, len(answerable))
    for first, last in _people_batches(bounds):
        batch = histories.take(people[first:last])
        part = slice(bounds[first], bounds[last])
        positions, batch_rows = answerable[part], position[part] - first
        known_predictions = None if predictions is None else predictions[positions]
        out[positions], batch_std = _batch(
            model, batch, batch_rows, items[positions], variance, known_predictions
        )
        if variance is not None:
            std[positions] = batch_std
    return out, std


def _batch(
    model: Hooks,
    histories: Histories,
    rows: Int64,
    items: Int32,
    variance: PredictiveVariance | None,
    predictions: Float64 | None,
) -> tuple[Float64, Float64]:
    """Compute ``answers`` for known users and items, with ascending rows."""
    if variance is None:
        return model._predict(histories, rows, items), np.empty(0)
    predictions, extras = model._predict_with(histories, rows, items, predictions)
    clipped = model._clipped(predictions)
    return predictions, variance.std(model.bias, histories, rows, items, clipped, extras)


def _in_order(histories: Histories, rows: Int64, items: Int32) -> bool:
    """Return whether predictions are one batch: all known, rows ascending, all users used."""
    people = len(histories)
    if not (0 < people <= min(len(rows), _PEOPLE) and len(rows) <= _ENTRIES):
        return False
    steps = rows[1:] - rows[:-1]
    return bool(
        rows[0] == 0
        and rows[-1] == people - 1
        and (steps.view(np.uint64) <= 1).all()
        and items.min() >= 0
        and histories.counts.min() > 0
    )


def _runs(rows: Int64) -> tuple[Int64, Int64, Int64]:
    """Return an ascending array's distinct values, their starts, and the index of each entry."""
    new = np.ones(len(rows), dtype=np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    return rows[starts], starts, np.cumsum(new) - 1


def _people_batches(starts: Int64) -> Iterator[tuple[int, int]]:
    """Yield user ranges with about ``_ENTRIES`` predictions and at most ``_PEOPLE`` users each."""
    first, people = 0, len(starts) - 1
    while first < people:
        full = int(np.searchsorted(starts, starts[first] + _ENTRIES, side="right")) - 1
        last = min(max(full, first + 1), first + _PEOPLE, people)
        yield first, last
        first = last
