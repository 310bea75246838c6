"""Rank all items for all users in batches, and sum the metrics of the lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.memory import find_entries, rows_at_once
from ...base.top import top_k
from ...data import Histories
from ...errors import TrainingError, UsageError
from .batch import ListBatch
from .items import ItemStatistics
from .metrics import SUMMANDS
from .relevant import Relevant
from .sums import ListSums

Scorer = Callable[[Histories], Float32]
"""Function that scores all items for users: a new float32 array (people, n_items).
Higher is better, -inf excludes an item, and NaN is an error."""

OnLists = Callable[[int, int, Int32], None]
"""Called with each batch of lists: model, first user and item codes (people, depth)."""

_SCORES = 1 << 23
"""Scores held in memory at once (32 MiB as float32)."""
_MOST_STEPS = 1 << 34
"""Steps allowed for the diversity; above, it uses an evenly spaced sample of users."""


@dataclass(frozen=True, eq=False)
class ListTally:
    """Sums of the metrics of several models' lists.

    Attributes:
        sums: Sums by cutoff.
        recall: Mean recall at 1, 2, ..., float64 (models, depth).
        precision: Mean precision, likewise.
        diversity_step: The diversity is computed for every n-th user: 1 for all.
    """

    sums: dict[int, ListSums]
    recall: Float64
    precision: Float64
    diversity_step: int


def checked_cutoffs(k: int | Sequence[int]) -> tuple[int, ...]:
    """Validate cutoffs, keeping their order.

    Raises:
        UsageError: No cutoff, one that is not a whole number of at least 1, or a repeated one.
    """
    cutoffs = tuple(k) if isinstance(k, Sequence) else (k,)
    for each in cutoffs:
        if isinstance(each, bool) or not isinstance(each, int | np.integer) or each < 1:
            raise UsageError(f"a cutoff k must be a whole number of at least 1, not {each!r}")
    if not cutoffs or len(set(cutoffs)) < len(cutoffs):
        raise UsageError(f"give each cutoff k once, and at least one of them, not {list(cutoffs)}")
    return tuple(int(each) for each in cutoffs)


def best_of(scores: Float32, histories: Histories, k: int) -> Int32:
    """Return each user's top k items outside the history, int32 (people, k).

    Ties are ordered by ascending item code, as in ``recommend``; -1 pads short lists.

    Args:
        scores: float32 (people, n_items); overwritten with -inf where an item is in the history.
        histories: Histories of the users.
        k: Number of items.

    Raises:
        TrainingError: A score is NaN.
    """
    scores[histories.entry_rows, histories.items] = -np.inf
    if np.isnan(scores).any():
        raise TrainingError("the model gives scores that are no numbers; train it again")
    items, best = top_k(scores, k)
    listed = np.where(best > -np.inf, items, np.int32(-1))
    return np.pad(listed, ((0, 0), (0, k - listed.shape[1])), constant_values=-1)


def tally(
    scorers: Sequence[Scorer],
    histories: Histories,
    rows: Int64,
    relevant: Relevant,
    items: ItemStatistics,
    cutoffs: Sequence[int],
    *,
    depth: int = 0,
    on_lists: OnLists | None = None,
) -> ListTally:
    """Score the lists of several models on the same people. Memory is bounded by batches.

    Args:
        scorers: The models.
        histories: Histories of the users: input of the scorers, excluded from the lists.
        rows: The row in ``histories`` of each user of ``relevant``, int64 (people,); -1 for an
            empty history.
        relevant: The relevant test items.
        items: Training statistics of the items.
        cutoffs: Every cutoff k.
        depth: Longest list for recall and precision; at least the largest cutoff.
        on_lists: Called with the lists.

    Raises:
        TrainingError: A score is NaN.
    """
    n_items = len(items)
    widest = max(cutoffs)
    depth = max(depth, widest)
    people = len(relevant)
    sums = {k: ListSums.zeros(k, SUMMANDS, people, len(scorers), n_items) for k in cutoffs}
    recall = np.zeros((len(scorers), depth))
    precision = np.zeros((len(scorers), depth))
    step = max(1, int(np.ceil(items.similarity_cost(people * len(scorers), widest) / _MOST_STEPS)))
    size = rows_at_once(n_items, _SCORES)
    for start in range(0, people, size):
        stop = min(start + size, people)
        batch = histories.take_or_empty(rows[start:stop])
        for model, scorer in enumerate(scorers):
            scores = np.ascontiguousarray(scorer(batch), dtype=np.float32)
            best = best_of(scores, batch, depth)
            lists = _batch(best, batch, relevant, start, stop, items, widest, step)
            recall[model] += (lists.hits_by / lists.relevant[:, None]).sum(axis=0)
            precision[model] += (lists.hits_by / np.arange(1, depth + 1)).sum(axis=0)
            for k, each in sums.items():
                _add(each, start, stop, model, lists, best[:, :k], n_items)
            if on_lists is not None:
                on_lists(model, start, best)
    return ListTally(sums, recall / people, precision / people, step)


def positions_among_tested(best: Int32, indptr: Int64, tested: Int32) -> Int64:
    """Return the position of each listed item among the user's test items.

    Args:
        best: int32 (people, k), item codes, -1 for no item.
        indptr: int64 (people + 1,).
        tested: int32 (entries,), each user's test items, ascending.

    Returns:
        int64 (people, k), positions in ``tested``; -1 if absent.
    """
    people = np.repeat(np.arange(len(best)), best.shape[1])
    return find_entries(indptr, tested, people, best.ravel()).reshape(best.shape)


def _batch(
    best: Int32,
    histories: Histories,
    relevant: Relevant,
    start: int,
    stop: int,
    items: ItemStatistics,
    widest: int,
    step: int,
) -> ListBatch:
    indptr, tested, ratings, counts = relevant.part(start, stop)
    entries = positions_among_tested(best, indptr, tested)
    padded = np.append(ratings, np.float32(np.nan))[entries]
    ranked = best[:, :widest]
    listed = ranked >= 0
    similarity = np.full(ranked.shape, np.nan)
    known = len(items.people) > 0
    sampled = np.flatnonzero((np.arange(start, stop) % step == 0) & known)
    if len(sampled):
        similarity[sampled] = items.similarity(ranked[sampled])
    return ListBatch(
        hits=padded >= relevant.from_rating,
        listed=listed,
        relevant=counts,
        rating=np.where(relevant.implicit, np.nan, padded[:, :widest].astype(np.float64)),
        count=np.where(listed, items.counts[ranked], 0).astype(np.float64),
        information=np.where(listed, items.information[ranked], 0.0),
        similarity=similarity,
        history_count=items.mean_counts(histories),
    )


def _add(
    sums: ListSums, start: int, stop: int, model: int, lists: ListBatch, best: Int32, n_items: int
) -> None:
    for name, summand in SUMMANDS.items():
        sums.values[name][start:stop, model] = summand(lists, sums.k)
    hits = lists.hits[:, : sums.k]
    sums.exposure[model] += np.bincount(best[best >= 0], minlength=n_items)
    sums.item_hits[model] += np.bincount(best[hits], minlength=n_items)
