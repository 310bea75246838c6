"""``top_k``: the largest scores of each row of a matrix; and the same in kernels, by a binary heap.

Numba compiles its sorting functions for every kernel, which takes a second; and a heap of the k
largest of n values takes n steps in place of n log n.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Float32, Float64, Int32, Int64
from .compiled import part

ROOT: Any = np.int64(0)
"""The position of a heap's last entry, and the size of an empty heap. Numba would compile ``sink``
and ``offer`` again for a literal 0."""
_BLOCKS, _LEAST_BLOCK, _FEW = 16, 8, 16
"""Blocks per list position, the minimum width of a block, and the most candidates per position."""


def top_k(scores: Float32, k: int) -> tuple[Int32, Float32]:
    """Return the k largest scores of each row, best first; ties by ascending column.

    Args:
        scores: float32, shape (people, n_items). -inf excludes an item.
        k: At least 1; at most n_items are returned.

    Returns:
        Columns (int32) and scores (float32), shape (people, min(k, n_items)). If a row has
        fewer finite scores, the rest are -inf.
    """
    people, n_items = scores.shape
    k = min(k, n_items)
    few = _candidates(scores, k)
    if few is not None:
        return _first_of_each(scores, *few, k)
    if k < n_items:
        # Several columns may tie for the k-th best score: take the lowest ones.
        edge = np.partition(scores, n_items - k, axis=1)[:, n_items - k, None]
        best = scores >= edge
        tied = np.flatnonzero(np.count_nonzero(best, axis=1) > k)
        if len(tied):
            at_edge = scores[tied] == edge[tied]
            above = best[tied] & ~at_edge
            room = k - np.count_nonzero(above, axis=1)[:, None]
            at_edge &= np.cumsum(at_edge, axis=1, dtype=np.int32) <= room
            best[tied] = above | at_edge
        columns = (np.flatnonzero(best) % n_items).reshape(people, k)
    else:
        columns = np.broadcast_to(np.arange(n_items), (people, n_items))
    chosen = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-chosen, axis=1, kind="stable")
    ordered = np.take_along_axis(columns, order, axis=1).astype(np.int32)
    return ordered, np.take_along_axis(chosen, order, axis=1)


def _candidates(scores: Float32, k: int) -> tuple[Int64, Int64] | None:
    """Return rows and columns of scores that may be among the k largest of their rows.

    The k-th largest maximum of disjoint blocks is a lower bound of the k-th largest score, and
    takes a third of the time of ``np.partition`` to find. None if it leaves too many scores.
    """
    people, n_items = scores.shape
    blocks = _BLOCKS * k
    if n_items < _LEAST_BLOCK * max(blocks, 1):
        return None
    width = n_items // blocks
    maxima = scores[:, : blocks * width].reshape(people, width, blocks).max(axis=1)
    lower_bound = np.partition(maxima, blocks - k, axis=1)[:, blocks - k]
    candidate = scores >= lower_bound[:, None]
    counts = np.count_nonzero(candidate, axis=1)
    if counts.sum() > _FEW * k * people or counts.min(initial=k) < k:  # ties, or NaN
        return None
    rows, columns = np.divmod(np.flatnonzero(candidate), n_items)
    return rows, columns


def _first_of_each(scores: Float32, rows: Int64, columns: Int64, k: int) -> tuple[Int32, Float32]:
    """Compute ``top_k`` among candidates, at least k per row."""
    chosen = scores[rows, columns]
    order = np.lexsort((columns, -chosen, rows))
    starts = np.searchsorted(rows, np.arange(len(scores)))
    first = order[starts[:, None] + np.arange(k)]
    return columns[first].astype(np.int32), chosen[first]


@part()
def sink(values: Float64, codes: Int64, at: int, size: int) -> None:
    """Move the entry ``at`` of a heap down until no entry below it comes later in the order.

    The order is by descending value; equal values by ascending code. The last entry is at 0.

    Args:
        values: float64, of at least ``size`` entries, changed in place.
        codes: int64, aligned with ``values``, likewise.
        at: The entry to move.
        size: The number of entries of the heap.
    """
    value, code = values[at], codes[at]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and (
            values[child + 1] < values[child]
            or (values[child + 1] == values[child] and codes[child + 1] > codes[child])
        ):
            child += 1
        if values[child] > value or (values[child] == value and codes[child] < code):
            break
        values[at], codes[at] = values[child], codes[child]
        at = child
    values[at], codes[at] = value, code


@part()
def offer(values: Float64, codes: Int64, size: int, value: float, code: int) -> int:
    """Add an entry, in place of the last one if the arrays are full and it comes before that.

    Args:
        values: float64 (limit,), changed in place.
        codes: int64 (limit,), changed in place.
        size: The number of entries so far.
        value: The value of the new entry.
        code: Its code.

    Returns:
        The number of entries.
    """
    last = -1  # of the entries to move, down to the root
    if size < len(values):
        values[size], codes[size] = value, code
        size += 1
        if size == len(values):
            last = size // 2 - 1
    elif size > 0 and (value > values[0] or (value == values[0] and code < codes[0])):
        values[0], codes[0] = value, code
        last = 0
    for at in range(last, -1, -1):
        sink(values, codes, at, size)
    return size


@part()
def put_in_order(values: Float64, codes: Int64, size: int) -> None:
    """Sort the first ``size`` entries by descending value; equal values by ascending code."""
    half = size // 2
    for step in range(half + size - 1):  # one loop, since each call of ``sink`` is compiled again
        at, last = half - 1 - step, size
        if at < 0:
            at, last = 0, size - 1 - (step - half)
            value, code = values[last], codes[last]
            values[last], codes[last] = values[0], codes[0]
            values[0], codes[0] = value, code
        sink(values, codes, at, last)
