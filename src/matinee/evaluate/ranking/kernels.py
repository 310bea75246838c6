"""Kernels of the evaluation of lists: the top items of each user, and similarity within a list."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.compiled import inlined, kernel, part, shared


@inlined
def _worse(scores: Any, a: Any, b: Any) -> Any:
    """Return whether item a ranks below b: a lower score, or an equal one and a higher code."""
    return scores[a] < scores[b] or (scores[a] == scores[b] and a > b)


@part()
def _sink(scores: Any, heap: Any, at: Any, size: Any) -> None:
    """Restore the heap property (the root is the worst item) below a position."""
    while True:
        worst = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < size and _worse(scores, heap[child], heap[worst]):
                worst = child
        if worst == at:
            break
        heap[at], heap[worst] = heap[worst], heap[at]
        at = worst


@part()
def _best_of_person(scores: Any, seen: Any, heap: Any) -> int:
    """Find the top items of one user; see ``best_items``. Return the number of NaN scores."""
    n_items, k = len(scores), len(heap)
    for item in seen:
        scores[item] = -np.inf
    size = 0
    start = 0
    while start < n_items and size < k:
        if scores[start] > -np.inf:
            heap[size] = start
            size += 1
        start += 1
    for at in range(size // 2 - 1, -1, -1):
        _sink(scores, heap, at, size)
    if size:
        # An item of the same score as the worst one of the heap has the higher code.
        edge = scores[heap[0]]
        for item in range(start, n_items):
            if scores[item] > edge:
                heap[0] = item
                _sink(scores, heap, 0, size)
                edge = scores[heap[0]]
    for last in range(size - 1, 0, -1):  # the worst goes to the end
        heap[0], heap[last] = heap[last], heap[0]
        _sink(scores, heap, 0, last)
    heap[size:] = -1
    wrong = 0
    for item in range(n_items):
        wrong += scores[item] != scores[item]
    return wrong


@shared("scores")
def best_items(
    begin: int,
    end: int,
    scores: Float32,
    indptr: Int64,
    seen: Int32,
    best: Int32,
    not_numbers: Int64,
) -> None:
    """Find the top items of each user, best first; ties are broken by ascending item code.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        scores: float32 (people, n_items); -inf excludes an item. Items that a user has
            seen are overwritten with -inf.
        indptr: int64 (people + 1,).
        seen: int32 (entries,), the items that each user has seen.
        best: int32 (people, k), overwritten; -1 if a user has fewer candidate items.
        not_numbers: int64 (people,), overwritten: number of NaN scores.
    """
    for row in range(begin, end):
        not_numbers[row] = _best_of_person(
            scores[row], seen[indptr[row] : indptr[row + 1]], best[row]
        )


@shared(64)
def likeness(
    begin: int, end: int, best: Int32, indptr: Int64, people_of: Int32, n_people: int, sums: Float64
) -> None:
    """Sum the cosines between all pairs among the first items of each list.

    With unit vectors v, the sum over pairs up to rank r grows by v_r . (v_1 + ... + v_(r-1)).

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        best: int32 (lists, k), item codes, -1 for no item.
        indptr: int64 (n_items + 1,).
        people_of: int32 (entries,), the users of each item: its vector has a 1 for each of them.
        n_people: Length of the vectors.
        sums: float64 (lists, k), overwritten: the sum among the first 1, 2, ..., k items.
    """
    lists, k = best.shape
    for chunk in range(begin, end):
        total = np.zeros(n_people)
        for row in range(chunk, lists, 64):
            done = 0.0
            for rank in range(k):
                item = best[row, rank]
                if item >= 0 and indptr[item + 1] > indptr[item]:
                    length = 1.0 / np.sqrt(indptr[item + 1] - indptr[item])
                    dot = 0.0
                    for entry in range(indptr[item], indptr[item + 1]):
                        dot += total[people_of[entry]]
                        total[people_of[entry]] += length
                    done += dot * length
                sums[row, rank] = done
            for rank in range(k):
                item = best[row, rank]
                if item >= 0:
                    for entry in range(indptr[item], indptr[item + 1]):
                        total[people_of[entry]] = 0.0


@kernel()
def likeness_of_pairs(rows: Int64, cosines: Float64, sums: Float64) -> None:
    """Compute ``likeness`` from the cosines of all pairs.

    Args:
        rows: int64 (lists, k), rows of ``cosines``, -1 for no item.
        cosines: float64 (items, items).
        sums: float64 (lists, k), overwritten.
    """
    lists, k = rows.shape
    for row in range(lists):
        total = 0.0
        for rank in range(k):
            if rows[row, rank] >= 0:
                for before in range(rank):
                    if rows[row, before] >= 0:
                        total += cosines[rows[row, before], rows[row, rank]]
            sums[row, rank] = total
