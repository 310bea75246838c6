"""``top_k``: the largest scores of each row of a matrix."""

from __future__ import annotations

import numpy as np

from .arrays import Float32, Int32, Int64

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
