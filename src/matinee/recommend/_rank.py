"""The top items of users, ranked in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..base.arrays import Float32, Int32, Int64, Mask
from ..base.memory import rows_at_once
from ..base.top import top_k
from ..data import Histories

_SCORES = 1 << 22
"""Scores in memory while ranking (16 MiB as float32)."""


def rank(
    score: Callable[[Histories], tuple[Float32, Float32 | None]],
    histories: Histories,
    n_items: int,
    *,
    k: int,
    allowed: Mask | None = None,
    include_seen: bool = False,
) -> Iterator[tuple[Int64, Int32, Float32, Int32, Float32 | None]]:
    """Rank items for users, in batches whose scores take about 16 MiB: see ``rows_at_once``.

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
    size = rows_at_once(n_items, _SCORES)
    for start, batch in histories.batches(size) if len(histories) else [(0, histories)]:
        scores, further = score(batch)
        if barred is not None:
            scores[:, barred] = -np.inf
        if not include_seen:
            scores[batch.entry_rows, batch.items] = -np.inf
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
