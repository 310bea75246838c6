"""Predictions for any people and items, known or not, in batches that a model can take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..base.arrays import Float64, Int32, Int64
from ..baseline.variance import PredictiveVariance
from ..data import Histories
from .hooks import Hooks

_PEOPLE = 4096
"""People handed to ``_predict`` at once, at most."""
_ENTRIES = 1 << 20
"""Predictions asked of ``_predict`` at once, about."""


def answers(
    model: Hooks,
    histories: Histories,
    rows: Int64,
    items: Int32,
    variance: PredictiveVariance | None = None,
    told: Float64 | None = None,
) -> tuple[Float64, Float64]:
    """Predictions, unclipped, and their standard deviations (empty without a variance model).

    Args:
        model: Who answers; of unknown people and items, its ``_unknown`` does.
        histories: As for ``Recommender.predict_coded``; likewise ``rows`` and ``items``.
        rows: See there.
        items: See there.
        variance: The variance model, if standard deviations are wanted.
        told: What it predicts, where it was asked already.
    """
    if _in_order(histories, rows, items):
        return _batch(model, histories, rows, items, variance, told)
    out, std = np.empty(len(rows)), np.empty(0 if variance is None else len(rows))
    known = np.append(histories.counts > 0, False)[rows]
    able = known & (items >= 0)
    rest = np.flatnonzero(~able)
    if len(rest):
        out[rest] = model._unknown(histories, rows[rest], items[rest])
        if variance is not None:
            std[rest] = variance.std_unknown(known[rest], items[rest] >= 0)
    asked = np.flatnonzero(able)
    asked = asked[np.argsort(rows[asked], kind="stable")]
    people, starts, place = _runs(rows[asked])
    for first, last in _people_batches(np.append(starts, len(asked))):
        batch = histories.take(people[first:last])
        part = slice(starts[first], starts[last] if last < len(starts) else len(asked))
        where, who = asked[part], place[part] - first
        given = None if told is None else told[where]
        out[where], own = _batch(model, batch, who, items[where], variance, given)
        if variance is not None:
            std[where] = own
    return out, std


def _batch(
    model: Hooks,
    histories: Histories,
    rows: Int64,
    items: Int32,
    variance: PredictiveVariance | None,
    told: Float64 | None,
) -> tuple[Float64, Float64]:
    """``answers`` where all is known and the rows ascend."""
    if variance is None:
        return model._predict(histories, rows, items), np.empty(0)
    told, extras = model._predict_with(histories, rows, items, told)
    shown = model._clipped(told)
    return told, variance.std(model.bias, histories, rows, items, shown, extras)


def _in_order(histories: Histories, rows: Int64, items: Int32) -> bool:
    """Whether predictions are one batch as they are: all known, everyone asked about, in turn."""
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


def _runs(
    rows: Int64,
) -> tuple[Int64, Int64, Int64]:
    """The distinct values of an ascending array, where each begins, and which each entry is."""
    new = np.ones(len(rows), dtype=np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    return rows[starts], starts, np.cumsum(new) - 1


def _people_batches(starts: Int64) -> Iterator[tuple[int, int]]:
    """Runs of people with about ``_ENTRIES`` predictions and at most ``_PEOPLE`` people each."""
    first, people = 0, len(starts) - 1
    while first < people:
        full = int(np.searchsorted(starts, starts[first] + _ENTRIES, side="right")) - 1
        last = min(max(full, first + 1), first + _PEOPLE, people)
        yield first, last
        first = last
