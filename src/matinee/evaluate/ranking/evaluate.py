"""Evaluate the lists of a model and of baselines on held-out ratings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Int64
from ...data import Histories, Ratings, Scale, Vocabulary
from ...errors import UsageError, nearest
from ..leak_guard import Guarded, Overlap, guard, overlap_notes, scale_notes
from ..metric import Score
from ..registry import metrics_of
from ..sizes import size_bins
from ..statistics.bootstrap import RESAMPLES, finite_interval
from .baselines import LIST_BASELINES, liked
from .items import ItemStatistics
from .relevant import Relevant, relevant_from
from .result import MODEL, ListBaseline, ListEvaluation
from .rows import ListCurve, ListHistoryBin, ListPopularityBin
from .sums import ListSums
from .tally import ListTally, OnLists, Scorer, checked_cutoffs, tally
from .trec import trec_files
from .variants import variants

DEPTH = 100
"""List length up to which recall and precision are computed for the curves."""


class Lists(Guarded, Protocol):
    """Interface of models whose lists are evaluated; every ``Recommender`` implements it.

    Attributes:
        kind: Kind of model.
    """

    kind: ClassVar[str]

    @property
    def scale_of_histories(self) -> Scale:
        """The range of the ratings; 1 alone for a model of interactions or counts."""

    def rank_scores_coded(self, histories: Histories) -> Float32:
        """Return the ranking scores of ``recommend``, float32 (people, n_items)."""


def evaluate_lists(
    model: Lists,
    test: Ratings,
    histories: Histories,
    rows: Int64,
    *,
    k: int | Sequence[int] = (10, 20),
    relevant: float | None = None,
    counts: Int64 | None = None,
    baselines: Sequence[str] | None = None,
    allow_overlap: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
    trec: Path | None = None,
) -> ListEvaluation:
    """Rank all items for every user with a relevant test rating. Runs in batches.

    Args:
        model: The model.
        test: The held-out ratings.
        histories: Histories of the users, in the model's item codes; excluded from the lists.
        rows: The row in ``histories`` of each user code of ``test``, shape (test.n_users,); -1
            for a user without a history, who gets the unpersonalised list.
        k: The cutoffs.
        relevant: The lowest relevant test rating; by default three quarters up the scale.
        counts: Training ratings of each item, for a model saved without histories.
        baselines: Names of ``LIST_BASELINES``; by default those that take seconds.
        allow_overlap: Whether to evaluate, and mark the result, even if the model saw test ratings.
        seed: Seeds the bootstrap.
        resamples: Bootstrap resamples.
        trec: A folder to write the model's lists and the judgements to, as TREC files.

    Raises:
        LeakError: The model saw test ratings, in training or in ``histories``.
        DataError: No test ratings, a non-finite one, or no relevant one.
        UsageError: An invalid cutoff or an unknown baseline.
        TrainingError: A score is not a number.
    """
    cutoffs = checked_cutoffs(k)
    overlap = guard(model, test, histories, rows, allow_overlap=allow_overlap)
    scale = model.scale_of_histories
    if relevant is None:
        relevant = relevant_from(scale, test)
    threshold = float(relevant)
    targets = Relevant.of(test, model.item_ids, threshold)
    n_items = len(model.item_ids)
    items = _statistics(model, counts, n_items)
    scorers, left_out = _baselines(model, baselines, threshold, n_items, test.implicit)
    at = rows[targets.users]
    with ExitStack() as stack:
        on_lists: OnLists | None = None
        if trec is not None:
            files = trec_files(trec, model.kind, test, targets, model.item_ids)
            on_lists = stack.enter_context(files)
        result = tally(
            [model.rank_scores_coded, *scorers.values()],
            histories,
            at,
            targets,
            items,
            cutoffs,
            depth=min(DEPTH, n_items),
            on_lists=on_lists,
        )
    names = (MODEL, *scorers)
    scores, gains = _scores(result, len(names), seed, resamples)
    known = np.append(histories.counts, 0)[at]
    unknown = int((model.user_ids.encode(test.user_ids.ids[targets.users]) < 0).sum())
    first = result.sums[cutoffs[0]]
    return ListEvaluation(
        scores=scores[0],
        model=model.kind,
        dataset=test.name,
        relevant=threshold,
        n_test=len(test),
        n_relevant=targets.n,
        n_people=len(targets),
        n_without=targets.n_without,
        n_new=int((known == 0).sum()),
        n_unknown=targets.n_unknown,
        n_items=n_items,
        baselines={
            name: ListBaseline(scores[at], gains[at]) for at, name in enumerate(names) if at
        },
        by_history=tuple(_by_history(first, known, targets, names)),
        by_popularity=tuple(_by_popularity(first, items, targets, names)),
        curves={
            name: ListCurve(tuple(result.recall[at].tolist()), tuple(result.precision[at].tolist()))
            for at, name in enumerate(names)
        },
        variants={each: variants(result.sums[each]) for each in cutoffs},
        overlap=overlap,
        resamples=resamples,
        seed=seed,
        notes=tuple(_notes(scale, test, targets, overlap, unknown, known, result, items, left_out)),
        sums=result.sums,
    )


def scored_lists(
    scorers: Sequence[Scorer],
    test: Ratings,
    item_ids: Vocabulary,
    histories: Histories,
    rows: Int64,
    *,
    k: int,
    relevant: float,
    seed: int = 0,
) -> list[dict[str, Score]]:
    """Score the lists of several scorers, without baselines or the leak guard.

    Args:
        scorers: Called in this order with each batch of users.
        test: The held-out ratings.
        item_ids: The items of the scores.
        histories: Histories of the users.
        rows: The row in ``histories`` of each user code of ``test``.
        k: The cutoff.
        relevant: The lowest relevant test rating.
        seed: Seeds the bootstrap.

    Returns:
        For each scorer, its scores by metric. Metrics that need the training data (diversity,
        novelty, popularity lift) are NaN or meaningless.

    Raises:
        DataError: No test rating is relevant.
    """
    targets = Relevant.of(test, item_ids, relevant)
    items = ItemStatistics.of_counts(np.zeros(len(item_ids), dtype=np.int64), 0)
    result = tally(scorers, histories, rows[targets.users], targets, items, (k,))
    scores, _ = _scores(result, len(scorers), seed, RESAMPLES)
    return [each[k] for each in scores]


def _statistics(model: Lists, counts: Int64 | None, n_items: int) -> ItemStatistics:
    if model.histories is not None:
        return ItemStatistics.of(model.histories, n_items)
    if counts is None:
        counts = np.zeros(n_items, dtype=np.int64)
    return ItemStatistics.of_counts(counts, len(model.user_ids))


def _baselines(
    model: Lists, names: Sequence[str] | None, from_rating: float, n_items: int, implicit: bool
) -> tuple[dict[str, Scorer], list[str]]:
    """Return the fitted baselines by name, and the names left out as too costly."""
    for name in names or ():
        if name not in LIST_BASELINES:
            raise UsageError(f"no such baseline {name!r}{nearest(name, LIST_BASELINES)}")
    train = model.histories
    if train is None:
        if names:
            raise UsageError(
                "baselines need the training ratings, and this model was saved without them"
            )
        return {}, list(LIST_BASELINES)
    if implicit or not (train.values >= from_rating).any():
        from_rating = -np.inf  # all interactions count, whatever their weight
    train = liked(train, from_rating)
    scorers: dict[str, Scorer] = {}
    left_out = []
    for name, kind in LIST_BASELINES.items():
        if names is None and not kind.affordable(len(train), n_items):
            left_out.append(name)
        elif names is None or name in names:
            scorers[name] = _shown_liked(kind.fit(train, n_items), from_rating)
    return scorers, left_out


def _shown_liked(scorer: Scorer, from_rating: float) -> Scorer:
    return lambda histories: scorer(liked(histories, from_rating))


_ByCutoff = dict[int, dict[str, Score]]


def _scores(
    result: ListTally, models: int, seed: int, resamples: int
) -> tuple[list[_ByCutoff], list[_ByCutoff]]:
    """Compute every metric of every model by cutoff, and the first model's gain over each."""
    scores: list[_ByCutoff] = [{} for _ in range(models)]
    gains: list[_ByCutoff] = [{} for _ in range(models)]
    for k, sums in result.sums.items():
        totals = sums.totals()
        drawn = sums.resamples(seed, resamples)
        for each in (*scores, *gains):
            each[k] = {}
        for metric in metrics_of("list"):
            values = metric.from_sums(totals)
            samples = None if drawn is None else metric.from_sums(drawn)
            for at in range(models):
                resampled = None if samples is None else samples[:, at]
                scores[at][k][metric.name] = Score(float(values[at]), finite_interval(resampled))
                gain = None if samples is None else samples[:, 0] - samples[:, at]
                value = float(values[0] - values[at])
                gains[at][k][metric.name] = Score(value, finite_interval(gain))
    return scores, gains


def _named(names: Sequence[str], values: npt.NDArray[np.floating]) -> dict[str, float]:
    return dict(zip(names, map(float, values), strict=True))


def _by_history(
    sums: ListSums, known: Int64, targets: Relevant, names: Sequence[str]
) -> Iterator[ListHistoryBin]:
    for label, people in size_bins(known):
        totals = sums.take(people)
        yield ListHistoryBin(
            items=label,
            n_people=len(people),
            n=int(targets.counts[people].sum()),
            ndcg=_named(names, totals.mean("ndcg")),
            recall=_named(names, totals.mean("recall")),
        )


def _by_popularity(
    sums: ListSums, items: ItemStatistics, targets: Relevant, names: Sequence[str]
) -> Iterator[ListPopularityBin]:
    relevant = targets.per_item(len(items))
    slots = np.maximum(sums.exposure.sum(axis=1), 1)
    trained = max(int(items.counts.sum()), 1)
    for label, codes in size_bins(items.counts):
        n = int(relevant[codes].sum())
        hits = sums.item_hits[:, codes].sum(axis=1)
        yield ListPopularityBin(
            people=label,
            n_items=len(codes),
            n=n,
            trained=float(items.counts[codes].sum() / trained),
            recall={name: float(h / n) if n else None for name, h in zip(names, hits, strict=True)},
            shown=_named(names, sums.exposure[:, codes].sum(axis=1) / slots),
        )


def _notes(
    scale: Scale,
    test: Ratings,
    targets: Relevant,
    overlap: Overlap,
    unknown: int,
    known: Int64,
    result: ListTally,
    items: ItemStatistics,
    left_out: Sequence[str],
) -> Iterator[str]:
    yield from overlap_notes(overlap, len(test), unknown)
    yield from scale_notes(scale, test)
    if targets.n_without:
        yield f"{targets.n_without:,} people without a relevant test rating are left out."
    if targets.n_unknown:
        yield (
            f"{targets.n_unknown:,} relevant ratings are of items the model does not know; they "
            "count as missed."
        )
    new = int((known == 0).sum())
    if new:
        yield f"{new:,} people have no history; they get the list of a new person."
    if left_out:
        reason = "they would take minutes" if len(items.people) else "the model has no histories"
        yield f"Baselines left out ({reason}): {', '.join(left_out)}."
    if result.diversity_step > 1:
        yield f"The diversity is that of every {result.diversity_step}th person."
    if len(items.people) == 0:
        yield "The model was saved without histories, so there is no diversity."
    if len(targets) < 30:
        yield f"Only {len(targets)} people: the intervals are rough."
