"""Score a model on held-out ratings, honestly or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..baseline.bias import BiasTable
from ..baseline.spread import Spread
from ..data import Histories, Ratings, Scale, Vocabulary
from ..errors import DataError, LeakError
from ._leak_guard import Overlap, PairSet, overlap_of
from ._result import Baseline, Coverage, Evaluation, HistoryBin, Part, Score
from ._uncertainty import UncertaintySums
from .metrics import ErrorSums
from .registry import metrics_of
from .statistics.bootstrap import RESAMPLES, Interval, Resamples, bootstrap, interval

Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_BATCH = 1 << 20
_EDGES = np.array([0, 1, 5, 10, 20, 50, 100, 200, 500])


class Scored(Protocol):
    """What a model must offer to be scored; every ``Recommender`` does."""

    @property
    def kind(self) -> str:
        """Kind of model."""

    @property
    def user_ids(self) -> Vocabulary:
        """Users trained on."""

    @property
    def item_ids(self) -> Vocabulary:
        """Items trained on."""

    @property
    def scale(self) -> Scale:
        """Range of the ratings."""

    @property
    def bias(self) -> BiasTable:
        """Bias model of the training ratings: the baselines come from it."""

    @property
    def leak_guard(self) -> PairSet:
        """Pairs trained on."""

    @property
    def spread(self) -> Spread | None:
        """What its standard deviations come from, if it has any."""

    def predict_coded(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Predicted ratings, float64, shape (n,)."""

    def predict_coded_std(
        self, histories: Histories, rows: Int64, items: Int32
    ) -> tuple[Float64, Float64]:
        """Predicted ratings, and a standard deviation of each."""


def _global_mean(model: Scored, histories: Histories, rows: Int64, items: Int32) -> Float64:
    return np.full(len(rows), model.bias.mean, dtype=np.float64)


def _item_mean(model: Scored, histories: Histories, rows: Int64, items: Int32) -> Float64:
    means = np.append(model.bias.item_mean, np.float32(model.bias.mean))[items]
    return means.astype(np.float64)


def _bias(model: Scored, histories: Histories, rows: Int64, items: Int32) -> Float64:
    found: Float64 = model.bias.predict(histories, rows, items)
    return found.clip(model.scale.low, model.scale.high)


BASELINES: MappingProxyType[str, Callable[[Scored, Histories, Int64, Int32], Float64]] = (
    MappingProxyType({"global_mean": _global_mean, "item_mean": _item_mean, "bias": _bias})
)
"""Predictions of each baseline, from what the scored model knows of its training ratings."""

_MODEL = "model"
COLUMNS = (_MODEL, *BASELINES)
"""What each column of the summed errors is of."""


def evaluate(
    model: Scored,
    test: Ratings,
    histories: Histories,
    rows: Int64,
    *,
    allow_overlap: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Score a model on held-out ratings, beside the baselines. Runs in batches.

    Args:
        model: The model.
        test: The held-out ratings.
        histories: What is known of the people, in the model's item codes.
        rows: The row in ``histories`` of each user code of ``test``, shape (test.n_users,); -1
            for a user nothing is known of.
        allow_overlap: Whether to go on, with a mark on the result, if the model saw test ratings.
        seed: Seeds the bootstrap.
        resamples: Bootstrap resamples.

    Raises:
        LeakError: The model saw test ratings, in training or in ``histories``.
        DataError: No test ratings, or one that is not finite.
    """
    _check(test)
    items = model.item_ids.encode(test.item_ids.ids)
    overlap = overlap_of(test, _seen(model, test, histories, rows, items))
    if overlap.count and not allow_overlap:
        raise LeakError(_leak(test, overlap))
    tally = _tally(model, test, histories, rows, items)
    rated = np.flatnonzero(tally.sums.counts)
    sums = tally.sums.take(rated)
    known_of = np.append(histories.counts, 0)[rows[rated]]
    scores, draws = _scores(sums, seed, resamples)
    rmse = {name: each["rmse"].value for name, each in scores.items()}
    return Evaluation(
        model=model.kind,
        dataset=test.name,
        n_test=len(test),
        n_test_users=len(rated),
        scores=scores[_MODEL],
        mean_user_rmse=float(sums.mean_user_rmse()[0]),
        coverage=_coverage(tally, sums, test, items, known_of),
        baselines={
            name: Baseline(
                scores=scores[name],
                rmse_gain=rmse[name] - rmse[_MODEL],
                rmse_gain_interval=_gain(draws, COLUMNS.index(name)),
            )
            for name in BASELINES
        },
        by_history=tuple(_bins(sums, known_of)),
        overlap=overlap,
        resamples=resamples,
        seed=seed,
        notes=tuple(_notes(model, test, tally, overlap, known_of)),
        uncertainty=None if tally.spread is None else tally.spread.result(),
    )


@dataclass(eq=False)
class _Tally:
    """Sums over the batches of a test set, with ``COLUMNS``."""

    sums: ErrorSums
    unknown: ErrorSums
    spread: UncertaintySums | None = None
    n_unknown_user: int = 0
    n_unknown_item: int = 0


def _tally(model: Scored, test: Ratings, histories: Histories, rows: Int64, items: Int32) -> _Tally:
    known = np.append(histories.counts > 0, False)[rows]
    tally = _Tally(ErrorSums.zeros(test.n_users, len(COLUMNS)), ErrorSums.zeros(1, len(COLUMNS)))
    if model.spread is not None:
        tally.spread = UncertaintySums(model.scale, model.spread.source)
    for users, codes, values in batches(test):
        who, what = rows[users], items[codes]
        predicted = np.empty((len(users), len(COLUMNS)))
        if tally.spread is None:
            predicted[:, 0] = model.predict_coded(histories, who, what)
        else:
            predicted[:, 0], std = model.predict_coded_std(histories, who, what)
            tally.spread.add(predicted[:, 0], std, values)
        for at, baseline in enumerate(BASELINES.values(), start=1):
            predicted[:, at] = baseline(model, histories, who, what)
        errors = predicted - values[:, None]
        tally.sums.add(users, errors)
        apart = ~known[users] | (what < 0)
        tally.unknown.add(np.zeros(int(apart.sum()), dtype=np.int64), errors[apart])
        tally.n_unknown_user += int((~known[users]).sum())
        tally.n_unknown_item += int((what < 0).sum())
    return tally


def batches(test: Ratings) -> Iterator[tuple[Int64, Int32, npt.NDArray[np.float32]]]:
    """The test ratings by user, some at a time, as (user code, item code, rating)."""
    csr = test.by_user
    for start in range(0, len(csr.values), _BATCH):
        part = slice(start, min(start + _BATCH, len(csr.values)))
        entries = np.arange(part.start, part.stop)
        users = np.searchsorted(csr.indptr, entries, side="right") - 1
        yield users, csr.indices[part], csr.values[part]


def _check(test: Ratings) -> None:
    test.require_ratings("an RMSE")
    if len(test) == 0:
        raise DataError(f"{test.name}: no test ratings to score on")
    bad = np.flatnonzero(~np.isfinite(test.values))
    if len(bad):
        user = test.user_ids.ids[test.users[bad[0]]]
        item = test.item_ids.ids[test.items[bad[0]]]
        raise DataError(
            f"{test.name}: the rating of item {item} by user {user} is {test.values[bad[0]]}"
        )


def _seen(model: Scored, test: Ratings, histories: Histories, rows: Int64, items: Int32) -> Mask:
    """Which test ratings the model was trained on, or stand in the histories it is shown."""
    users = model.user_ids.encode(test.user_ids.ids)
    codes = items[test.items]
    seen = model.leak_guard.contains(
        model.user_ids.ids, model.item_ids.ids, users[test.users], codes
    )
    people, inverse = np.unique(rows[test.users], return_inverse=True)
    if people[0] < 0:
        people = people[1:]
        inverse = inverse - 1
    shown = histories.take(people)
    width = len(model.item_ids)
    keys = np.repeat(np.arange(len(people)), shown.counts) * width + shown.items
    if len(keys):
        asked = np.flatnonzero((inverse >= 0) & (codes >= 0))
        wanted = inverse[asked] * width + codes[asked]
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        seen[asked] |= keys[place] == wanted
    return seen


def _leak(test: Ratings, overlap: Overlap) -> str:
    pairs = "; ".join(f"user {user}, item {item}" for user, item in overlap.examples)
    return (
        f"{test.name}: the model has seen {overlap.count:,} of {len(test):,} test pairs, among "
        f"them {pairs}. Score it on ratings kept apart from training, or allow the overlap "
        "(--allow-overlap, allow_overlap=True) and distrust the score"
    )


def _coverage(
    tally: _Tally, sums: ErrorSums, test: Ratings, items: Int32, known_of: Int64
) -> Coverage:
    apart = tally.unknown
    whole = sums.totals()
    rest = ErrorSums(
        whole.counts - apart.counts,
        {name: each[None] - apart.sums[name] for name, each in whole.sums.items()},
    )
    unseen = np.bincount(test.items, minlength=test.n_items) > 0
    return Coverage(
        known=_part(rest),
        unknown=_part(apart),
        unknown_users=int((known_of == 0).sum()),
        unknown_items=int((unseen & (items < 0)).sum()),
        n_unknown_user=tally.n_unknown_user,
        n_unknown_item=tally.n_unknown_item,
    )


def _part(sums: ErrorSums) -> Part:
    if sums.n == 0:
        return Part(0, None, None)
    # A difference of sums may be a rounding below zero.
    squared = max(float(sums.squared[0, 0]), 0.0)
    absolute = max(float(sums.sums["absolute"][0, 0]), 0.0)
    return Part(sums.n, (squared / sums.n) ** 0.5, absolute / sums.n)


def _scores(
    sums: ErrorSums, seed: int, resamples: int
) -> tuple[dict[str, dict[str, Score]], Resamples | None]:
    """Every metric of every column, and the resamples its interval is of."""
    several = len(sums.counts) > 1
    draws = bootstrap(sums, np.random.default_rng(seed), resamples) if several else None
    found: dict[str, dict[str, Score]] = {column: {} for column in COLUMNS}
    for metric in metrics_of("rating"):
        values = metric.from_sums(sums.totals())
        drawn = None if draws is None else metric.from_sums(draws.totals)
        for at, column in enumerate(COLUMNS):
            within = None if drawn is None else interval(drawn[:, at])
            found[column][metric.name] = Score(float(values[at]), within)
    return found, draws


def _gain(draws: Resamples | None, at: int) -> Interval | None:
    return None if draws is None else interval(draws.rmse[:, at] - draws.rmse[:, 0])


def size_labels(sizes: npt.NDArray[Any]) -> tuple[Int64, list[str]]:
    """Which bin of sizes each number of ratings is in, and what the bins are called: "20-49"."""
    which: Int64 = np.searchsorted(_EDGES, sizes, side="right") - 1
    ends = [int(edge) - 1 for edge in _EDGES[1:]]
    lows = [int(edge) for edge in _EDGES]
    labels = [f"{a}" if a == b else f"{a}-{b}" for a, b in zip(lows[:-1], ends, strict=True)]
    return which, [*labels, f"{lows[-1]}+"]


def _bins(sums: ErrorSums, known_of: npt.NDArray[Any]) -> Iterator[HistoryBin]:
    which, labels = size_labels(known_of)
    bias = COLUMNS.index("bias")
    for at, label in enumerate(labels):
        users = np.flatnonzero(which == at)
        if len(users) == 0:
            continue
        part = sums.take(users)
        rmse = part.rmse()
        yield HistoryBin(
            label, len(users), part.n, float(rmse[0]), float(part.mae()[0]), float(rmse[bias])
        )


def _notes(
    model: Scored, test: Ratings, tally: _Tally, overlap: Overlap, known_of: Int64
) -> Iterator[str]:
    if overlap.count:
        yield (
            f"The model has seen {overlap.count:,} of the {len(test):,} test ratings: "
            "this is no honest score."
        )
    if tally.unknown.n:
        yield (
            f"{tally.unknown.n:,} test ratings are on users or items the model does not know; "
            "the bias model answered them."
        )
    low, high = float(test.values.min()), float(test.values.max())
    if low < model.scale.low or high > model.scale.high:
        yield (
            f"The test ratings go from {low:g} to {high:g}, the model's scale from "
            f"{model.scale.low:g} to {model.scale.high:g}."
        )
    if len(known_of) < 30:
        yield f"Only {len(known_of)} test users: the intervals are rough."
