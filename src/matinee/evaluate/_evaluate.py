"""Evaluate a model on held-out ratings, with baselines and the leak guard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol

import numpy as np

from ..base.arrays import Array, Float64, Int32, Int64
from ..baseline.bias import BiasModel
from ..baseline.time_offset import TimedPeople, with_offsets
from ..baseline.variance import PredictiveVariance
from ..data import Histories, Ratings, Scale
from ..errors import checked_seed
from ._result import FROZEN, NO_TIME_OFFSET, Baseline, Coverage, Evaluation, HistoryBin, Subset
from ._test_batches import EvalBatch, frozen, prequential
from ._uncertainty import UncertaintySums
from .leak_guard import Guarded, Overlap, guard, overlap_notes, scale_notes
from .metric import Interval, Score
from .metrics import ErrorSums, ErrorTotals
from .registry import metrics_of
from .sizes import size_bins
from .statistics.bootstrap import RESAMPLES, bootstrap, interval


class Scored(Guarded, Protocol):
    """Interface of models that can be scored; every ``Recommender`` implements it.

    Attributes:
        kind: Kind of model.
        scale: Range of the ratings.
        clip: Whether predicted ratings are clipped to the scale.
        bias: Bias model of the training ratings, from which the baselines are computed.
        predictive_variance: Model of its standard deviations, if any.
    """

    kind: ClassVar[str]
    scale: Scale
    clip: bool
    bias: BiasModel
    predictive_variance: PredictiveVariance | None

    @property
    def folds_in(self) -> bool:
        """Whether it predicts for new users itself (fold-in)."""

    @property
    def answers_unknown(self) -> bool:
        """Whether it predicts for unknown users and items itself instead of the bias model."""

    def predict_coded(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Return predicted ratings, float64, shape (n,)."""

    def predict_coded_std(
        self, histories: Histories, rows: Int64, items: Int32
    ) -> tuple[Float64, Float64]:
        """Return predicted ratings and their standard deviations."""


def _global_mean(model: Scored, histories: Histories, rows: Int64, items: Int32) -> Float64:
    return np.full(len(rows), model.bias.mean, dtype=np.float64)


def _item_mean(model: Scored, histories: Histories, rows: Int64, items: Int32) -> Float64:
    means = np.append(model.bias.item_mean, np.float32(model.bias.mean))[items]
    return means.astype(np.float64)


def _bias(model: Scored, histories: Histories, rows: Int64, items: Int32) -> Float64:
    predicted: Float64 = model.bias.predict(histories, rows, items)
    return predicted.clip(model.scale.low, model.scale.high)


BASELINES: MappingProxyType[str, Callable[[Scored, Histories, Int64, Int32], Float64]] = (
    MappingProxyType({"global_mean": _global_mean, "item_mean": _item_mean, "bias": _bias})
)
"""Functions that compute the baselines' predictions from the scored model."""

_MODEL = "model"
_COLUMNS = (_MODEL, *BASELINES)
"""Column names of the summed errors."""


def evaluate(
    model: Scored,
    test: Ratings,
    histories: Histories,
    rows: Int64,
    *,
    timed: TimedPeople | None = None,
    update: bool = False,
    allow_overlap: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Score a model and the baselines on held-out ratings. Runs in batches.

    Args:
        model: The model.
        test: The held-out ratings.
        histories: Histories of the users, in the model's item codes.
        rows: The row in ``histories`` of each user code of ``test``, shape (test.n_users,); -1
            for a user without a history.
        timed: A time offset to add to the predictions of the model and of the bias model, for the
            users of ``histories``. The model without it is then a baseline, ``no_time_offset``.
        update: Whether each rating is added to its user's history from the next second on
            (prequential evaluation). The same model with unchanged histories is then
            a baseline, ``frozen``.
        allow_overlap: Whether to evaluate, and mark the result, even if the model saw test ratings.
        seed: Seeds the bootstrap.
        resamples: Bootstrap resamples.

    Raises:
        LeakError: The model saw test ratings, in training or in ``histories``.
        DataError: No test ratings, a non-finite one, or no times for ``update``.
    """
    test.require_ratings("an RMSE", "score the lists (--lists, evaluate_lists)")
    items = model.item_ids.encode(test.item_ids.ids)
    overlap = guard(model, test, histories, rows, allow_overlap=allow_overlap)
    if update:
        batches = prequential(
            test, histories, rows, items, None if timed is None else timed.last_of(rows)
        )
    else:
        batches = frozen(test, histories, rows, items)
    columns = (*_COLUMNS, *[NO_TIME_OFFSET] * (timed is not None), *[FROZEN] * update)
    tally = _Tally(ErrorSums.zeros(test.n_users, len(columns)), ErrorSums.zeros(1, len(columns)))
    _add(tally, model, batches, rows, timed, histories if update else None)
    rated = np.flatnonzero(tally.sums.counts)
    sums = tally.sums.take(rated)
    known_of = np.append(histories.counts, 0)[rows[rated]]
    scores, draws = _scores(sums, columns, seed, resamples)
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
                rmse_gain_interval=_gain(draws, at),
            )
            for at, name in enumerate(columns[1:], start=1)
        },
        by_history=tuple(_bins(sums, known_of)),
        overlap=overlap,
        resamples=resamples,
        seed=seed,
        notes=tuple(_notes(model, test, tally, overlap, known_of, timed)),
        uncertainty=None if tally.spread is None else tally.spread.result(),
    )


@dataclass(eq=False)
class _Tally:
    """Sums over the batches of a test set."""

    sums: ErrorSums
    unknown: ErrorSums
    spread: UncertaintySums | None = None
    n_unknown_user: int = 0
    n_unknown_item: int = 0
    offsets: float = 0.0


def _add(
    tally: _Tally,
    model: Scored,
    batches: Iterator[EvalBatch],
    rows: Int64,
    timed: TimedPeople | None,
    initial: Histories | None,
) -> None:
    """Add the errors of all batches; with initial histories, also those of ``frozen``."""
    if model.predictive_variance is not None:
        tally.spread = UncertaintySums(model.scale, model.predictive_variance.source)
    for batch in batches:
        histories, person_rows, item_codes = batch.histories, batch.rows, batch.items
        predicted = np.empty((len(item_codes), tally.sums.models))
        if tally.spread is None:
            predicted[:, 0] = model.predict_coded(histories, person_rows, item_codes)
        else:
            predicted[:, 0], std = model.predict_coded_std(histories, person_rows, item_codes)
        for at, baseline in enumerate(BASELINES.values(), start=1):
            predicted[:, at] = baseline(model, histories, person_rows, item_codes)
        at_first = rows[batch.users]
        if initial is not None:
            predicted[:, -1] = model.predict_coded(initial, at_first, item_codes)
        if timed is not None and batch.times is not None:
            last = timed.last_of(at_first)
            offsets = timed.offset.at(batch.times, last if batch.last is None else batch.last)
            tally.offsets += float(offsets.sum())
            predicted[:, len(_COLUMNS)] = predicted[:, 0]
            predicted[:, 0] = with_offsets(model, predicted[:, 0], offsets)
            bias = _COLUMNS.index("bias")  # always clipped
            predicted[:, bias] = (predicted[:, bias] + offsets).clip(
                model.scale.low, model.scale.high
            )
            if initial is not None:
                offsets = timed.offset.at(batch.times, last)
                predicted[:, -1] = with_offsets(model, predicted[:, -1], offsets)
        if tally.spread is not None:
            tally.spread.add(predicted[:, 0], std, batch.values)
        errors = predicted - batch.values[:, None]
        tally.sums.add(batch.users, errors)
        known = batch.known
        if not model.folds_in:  # only users it was trained on are known
            known &= np.append(histories.users >= 0, False)[person_rows]
        fallback = ~known | (item_codes < 0)
        tally.unknown.add(np.zeros(int(fallback.sum()), dtype=np.int64), errors[fallback])
        tally.n_unknown_user += int((~known).sum())
        tally.n_unknown_item += int((item_codes < 0).sum())


def _coverage(
    tally: _Tally, sums: ErrorSums, test: Ratings, items: Int32, known_of: Int64
) -> Coverage:
    fallback = tally.unknown
    whole = sums.totals()
    predicted = ErrorSums(
        whole.counts - fallback.counts,
        {name: each[None] - fallback.sums[name] for name, each in whole.sums.items()},
    )
    unseen = np.bincount(test.items, minlength=test.n_items) > 0
    return Coverage(
        known=_part(predicted),
        unknown=_part(fallback),
        unknown_users=int((known_of == 0).sum()),
        unknown_items=int((unseen & (items < 0)).sum()),
        n_unknown_user=tally.n_unknown_user,
        n_unknown_item=tally.n_unknown_item,
    )


def _part(sums: ErrorSums) -> Subset:
    if sums.n == 0:
        return Subset(0, None, None)
    # Rounding may make a difference of sums negative.
    squared = max(float(sums.squared[0, 0]), 0.0)
    absolute = max(float(sums.sums["absolute"][0, 0]), 0.0)
    return Subset(sums.n, (squared / sums.n) ** 0.5, absolute / sums.n)


def _scores(
    sums: ErrorSums, columns: tuple[str, ...], seed: int, resamples: int
) -> tuple[dict[str, dict[str, Score]], ErrorTotals | None]:
    """Compute every metric of every column, and the resamples behind the intervals."""
    several = len(sums.counts) > 1
    draws = (
        bootstrap(sums, np.random.default_rng(checked_seed(seed)), resamples) if several else None
    )
    scores: dict[str, dict[str, Score]] = {column: {} for column in columns}
    for metric in metrics_of("rating"):
        values = metric.from_sums(sums.totals())
        drawn = None if draws is None else metric.from_sums(draws)
        for at, column in enumerate(columns):
            bounds = None if drawn is None else interval(drawn[:, at])
            scores[column][metric.name] = Score(float(values[at]), bounds)
    return scores, draws


def _gain(draws: ErrorTotals | None, at: int) -> Interval | None:
    return None if draws is None else interval(draws.rmse[:, at] - draws.rmse[:, 0])


def _bins(sums: ErrorSums, known_of: Array) -> Iterator[HistoryBin]:
    bias = _COLUMNS.index("bias")
    for label, users in size_bins(known_of):
        part = sums.take(users)
        rmse = part.rmse()
        yield HistoryBin(
            label, len(users), part.n, float(rmse[0]), float(part.mae()[0]), float(rmse[bias])
        )


def _notes(
    model: Scored,
    test: Ratings,
    tally: _Tally,
    overlap: Overlap,
    known_of: Int64,
    timed: TimedPeople | None,
) -> Iterator[str]:
    new = np.unique(test.users[(model.user_ids.encode(test.user_ids.ids) < 0)[test.users]])
    yield from overlap_notes(overlap, len(test), len(new))
    if tally.unknown.n:
        yield (
            f"{tally.unknown.n:,} of {len(test):,} test ratings are on users or items the model "
            "does not know"
            f"{'' if model.answers_unknown else '; the bias model answered them'}."
        )
    if timed is not None:
        yield (
            "All test ratings are later than those of training: a time offset, fitted in training, "
            f"was added to the predictions, {tally.offsets / len(test):+.3f} on average. The score "
            "without is no_time_offset."
        )
    yield from scale_notes(model.scale, test)
    if len(known_of) < 30:
        yield f"Only {len(known_of)} test users: the intervals are rough."
