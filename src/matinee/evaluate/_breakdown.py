"""Error breakdown of a model: by prediction, user and item, and the residuals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..base.arrays import Array, Float64, Int32, Int64
from ..baseline.time_offset import TimedPeople, with_offsets
from ..data import Histories, Ratings
from ..errors import DataError
from ._error_bins import Breakdown, CalibrationBin, ErrorBin, ItemError
from ._evaluate import Scored
from ._test_batches import batches
from .metric import Interval
from .metrics import ErrorSums
from .sizes import size_bins
from .statistics.bootstrap import bootstrap, interval

_BINS = 20
_STEPS = 40
_NORMAL = 1.959963984540054
_FEWEST = 10
_ENOUGH = 20
"""Test ratings an item needs to be listed; fewer if no item has that many."""
_LISTED = 15
"""Number of items with the largest errors that are listed."""


def breakdown(
    model: Scored,
    test: Ratings,
    histories: Histories,
    rows: Int64,
    item_counts: Int64,
    titles: Array | None = None,
    *,
    timed: TimedPeople | None = None,
    seed: int = 0,
) -> Breakdown:
    """Break down a model's errors. Runs in batches, with sums in float64.

    Args:
        model: The model.
        test: The held-out ratings.
        histories: Histories of the users, in the model's item codes.
        rows: The row in ``histories`` of each user code of ``test``, shape (test.n_users,); -1
            for a user without a history.
        item_counts: Training ratings of each item of the model, shape (n_items,).
        titles: Titles by the model's item codes, or None.
        timed: As for ``evaluate``.
        seed: Seeds the bootstrap.

    Raises:
        DataError: No test ratings.
    """
    if len(test) == 0:
        raise DataError(f"{test.name}: no test ratings whose errors could be broken down")
    items = model.item_ids.encode(test.item_ids.ids)
    sums = _Sums.collect(model, test, histories, rows, items, timed)
    known_of = np.append(histories.counts, 0)[rows]
    trained_on = np.append(item_counts, 0)[items]
    rng = np.random.default_rng(seed)
    listed, least = _worst(test, sums, items, titles)
    mean = sums.residual / len(test)
    return Breakdown(
        n=len(test),
        calibration=tuple(_calibration(sums)),
        by_user=tuple(_bins(sums.users, known_of, rng)),
        by_item=tuple(_bins(sums.items, trained_on, rng)),
        edges=sums.edges,
        counts=sums.counts,
        bias=mean,
        spread=max(sums.squared / len(test) - mean * mean, 0.0) ** 0.5,
        worst=tuple(listed),
        enough=least,
        judged=int((sums.items.counts >= least).sum()),
    )


@dataclass(eq=False)
class _Sums:
    """Sums over the batches of a test set."""

    users: ErrorSums
    items: ErrorSums
    fourth: Float64
    ratings: Float64
    predicted: Float64
    edges: Float64
    counts: Int64
    bin_edges: Float64
    bins: Float64
    residual: float = 0.0
    squared: float = 0.0

    @classmethod
    def collect(
        cls,
        model: Scored,
        test: Ratings,
        histories: Histories,
        rows: Int64,
        items: Int32,
        timed: TimedPeople | None,
    ) -> _Sums:
        low, high = model.scale.low, model.scale.high
        span = max(high - low, 1e-6)
        n = test.n_items
        result = cls(
            ErrorSums.zeros(test.n_users, 2),
            ErrorSums.zeros(n, 2),
            np.zeros(n),
            np.zeros(n),
            np.zeros(n),
            np.linspace(-span, span, _STEPS + 1),
            np.zeros(_STEPS, dtype=np.int64),
            np.linspace(low, high, _BINS + 1),
            np.zeros((_BINS, 4)),
        )
        for users, codes, values, times in batches(test):
            entry_users, entry_items = rows[users], items[codes]
            predicted = model.predict_coded(histories, entry_users, entry_items)
            simple = model.bias.predict(histories, entry_users, entry_items).clip(low, high)
            if timed is not None and times is not None:
                offsets = timed.at(entry_users, times)
                predicted = with_offsets(model, predicted, offsets)
                simple = (simple + offsets).clip(low, high)
            result._add(users, codes, values.astype(np.float64), predicted, simple)
        return result

    def _add(
        self, users: Int64, codes: Int32, ratings: Float64, predicted: Float64, simple: Float64
    ) -> None:
        errors = np.stack([predicted - ratings, simple - ratings], axis=1)
        self.users.add(users, errors)
        self.items.add(codes, errors)
        n = len(self.ratings)
        residual = ratings - predicted
        square = residual * residual
        self.fourth += np.bincount(codes, square * square, minlength=n)
        self.ratings += np.bincount(codes, ratings, minlength=n)
        self.predicted += np.bincount(codes, predicted, minlength=n)
        self.residual += float(residual.sum())
        self.squared += float(square.sum())
        self.counts += np.bincount(_bin_of(self.edges, residual), minlength=len(self.counts))
        bins = _bin_of(self.bin_edges, predicted)
        for column, weights in enumerate((None, predicted, ratings, ratings * ratings)):
            self.bins[:, column] += np.bincount(bins, weights, minlength=len(self.bins))


def _bin_of(edges: Float64, values: Float64) -> Int64:
    """Return the bin of each value; values beyond the edges are in the outer bins."""
    return (np.searchsorted(edges, values, side="right") - 1).clip(0, len(edges) - 2)


def _calibration(sums: _Sums) -> Iterator[CalibrationBin]:
    for n, predicted, ratings, squares in sums.bins:
        if n < _FEWEST:
            continue
        mean = ratings / n
        half = _NORMAL * (max(squares / n - mean * mean, 0.0) / n) ** 0.5
        yield CalibrationBin(
            float(predicted / n),
            float(mean),
            Interval(float(mean - half), float(mean + half)),
            int(n),
        )


def _bins(sums: ErrorSums, sizes: Array, rng: np.random.Generator) -> Iterator[ErrorBin]:
    rated = np.flatnonzero(sums.counts)
    for label, members in size_bins(sizes[rated]):
        part = sums.take(rated[members])
        rmse = part.rmse()
        draws = bootstrap(part, rng) if len(members) > 1 else None
        yield ErrorBin(
            ratings=label,
            members=len(members),
            n=part.n,
            rmse=float(rmse[0]),
            rmse_interval=None if draws is None else interval(draws.rmse[:, 0]),
            bias_rmse=float(rmse[1]),
            bias_interval=None if draws is None else interval(draws.rmse[:, 1]),
        )


def _worst(
    test: Ratings, sums: _Sums, items: Int32, titles: Array | None
) -> tuple[list[ItemError], int]:
    """Return the items with the largest errors, and the test ratings that they needed."""
    n = sums.items.counts
    threshold = int(min(_ENOUGH, n.max()))
    eligible = np.flatnonzero(n >= max(threshold, 1))
    mean = sums.items.squared[eligible, 0] / n[eligible]
    # Few ratings make extreme means: rank items by a lower bound of the squared error.
    spread = np.sqrt(
        np.maximum(sums.fourth[eligible] / n[eligible] - mean * mean, 0.0) / n[eligible]
    )
    lower_bound = np.sqrt(np.maximum(mean - _NORMAL * spread, 0.0))
    order = np.lexsort((-mean, -lower_bound))[:_LISTED]
    listed = []
    for at in order:
        code = eligible[at]
        item_id = test.item_ids.ids[code]
        title = item_id if titles is None or items[code] < 0 else titles[items[code]]
        listed.append(
            ItemError(
                item_id=item_id.item() if hasattr(item_id, "item") else item_id,
                title=str(title),
                n=int(n[code]),
                rmse=float(np.sqrt(mean[at])),
                at_least=float(lower_bound[at]),
                actual=float(sums.ratings[code] / n[code]),
                predicted=float(sums.predicted[code] / n[code]),
            )
        )
    return listed, threshold
