"""Top-k items of a score matrix, and in batches of users."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..base.arrays import Float32, Int32, Int64, Mask
from ..data import Histories

_SCORES = 1 << 23
"""Scores in memory while ranking (32 MiB as float32)."""


def top_k(scores: Float32, k: int) -> tuple[Int32, Float32]:
    """The k largest of each row, best first; ties are in ascending order of the column.

    Args:
        scores: float32, shape (people, n_items). -inf excludes an item.
        k: At least 1; at most n_items are returned.

    Returns:
        Columns (int32) and scores (float32), shape (people, min(k, n_items)). Where a row has
        fewer finite scores than that, the rest of it has score -inf.
    """
    people, n_items = scores.shape
    k = min(k, n_items)
    if k < n_items:
        # The k-th best score of a row may be shared: of those, the lowest columns are taken.
        edge = np.partition(scores, n_items - k, axis=1)[:, n_items - k, None]
        above = scores > edge
        level = scores == edge
        room = k - above.sum(axis=1, dtype=np.int32)[:, None]
        crowded = np.flatnonzero(level.sum(axis=1, dtype=np.int32) > room[:, 0])
        if len(crowded):
            level[crowded] &= np.cumsum(level[crowded], axis=1, dtype=np.int32) <= room[crowded]
        columns = np.nonzero(above | level)[1].reshape(people, k)
    else:
        columns = np.broadcast_to(np.arange(n_items), (people, n_items))
    chosen = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-chosen, axis=1, kind="stable")
    best = np.take_along_axis(columns, order, axis=1).astype(np.int32)
    return best, np.take_along_axis(chosen, order, axis=1)


def rank(
    score: Callable[[Histories], Float32],
    histories: Histories,
    n_items: int,
    *,
    k: int,
    allowed: Mask | None = None,
    include_seen: bool = False,
) -> Iterator[tuple[Int64, Int32, Float32, Int32]]:
    """Rank items for people, in batches whose scores fit in 32 MiB.

    Args:
        score: Scores of all items for some people, float32, shape (people, n_items), finite.
        histories: The people.
        n_items: Number of items.
        k: Length of the lists.
        allowed: Which items may be recommended, shape (n_items,); all by default.
        include_seen: Whether items of a user's history may be recommended.

    Yields:
        Row of the person (int64), item code (int32), score (float32) and rank from 1 (int32), each
        shape (m,), by person and rank. A person with fewer than k items to choose from has fewer;
        for no people there is one empty batch.
    """
    barred = None if allowed is None else np.flatnonzero(~allowed)
    size = max(1, _SCORES // max(n_items, 1))
    for start, batch in histories.batches(size) if len(histories) else [(0, histories)]:
        scores = score(batch)
        if barred is not None:
            scores[:, barred] = -np.inf
        if not include_seen:
            scores[np.repeat(np.arange(len(batch)), batch.counts), batch.items] = -np.inf
        items, best = top_k(scores, k)
        rows, places = np.nonzero(best > -np.inf)
        yield (
            rows.astype(np.int64) + start,
            items[rows, places],
            best[rows, places],
            (places + 1).astype(np.int32),
        )
