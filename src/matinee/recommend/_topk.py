"""Top-k items of a score matrix, or in batches of users."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..base.arrays import Float32, Int32, Int64, Mask
from ..data import Histories

_SCORES = 1 << 22
"""Scores in memory while ranking (16 MiB as float32)."""
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


def rank(
    score: Callable[[Histories], tuple[Float32, Float32 | None]],
    histories: Histories,
    n_items: int,
    *,
    k: int,
    allowed: Mask | None = None,
    include_seen: bool = False,
) -> Iterator[tuple[Int64, Int32, Float32, Int32, Float32 | None]]:
    """Rank items for users, in batches whose scores fit in 16 MiB.

    Args:
        score: Returns finite scores of all items for users, float32, shape (people, n_items), and
            None or further values of the same shape to look up for the ranked items.
        histories: Histories of the users.
        n_items: Number of items.
        k: Length of the lists.
        allowed: Mask of the candidate items, shape (n_items,); all by default.
        include_seen: Whether items of a user's history may be recommended.

    Yields:
        Row of the user (int64), item code (int32), score (float32), rank from 1 (int32) and the
        further value (float32) or None, each shape (m,), by user and rank. A user with fewer than k
        candidates has fewer; without users there is one empty batch.
    """
    barred = None if allowed is None else np.flatnonzero(~allowed)
    size = max(1, _SCORES // max(n_items, 1))
    for start, batch in histories.batches(size) if len(histories) else [(0, histories)]:
        scores, further = score(batch)
        if barred is not None:
            scores[:, barred] = -np.inf
        if not include_seen:
            scores[np.repeat(np.arange(len(batch)), batch.counts), batch.items] = -np.inf
        items, best = top_k(scores, k)
        rows, ranks = np.nonzero(best > -np.inf)
        ranked = items[rows, ranks]
        yield (
            rows.astype(np.int64) + start,
            ranked,
            best[rows, ranks],
            (ranks + 1).astype(np.int32),
            None if further is None else further[rows, ranked],
        )
