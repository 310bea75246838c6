"""Re-ranking: shrinkage of items with few ratings, and diversity."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Float, Float32, Int64

FEW = 10.0
"""Default strength of the shrinkage in ``shrink_few``, in ratings."""


def shrink_few(scores: Float, counts: Array, strength: float = FEW) -> Float:
    """Shrink predictions of items with few ratings towards the user's mean prediction.

    ``average + (score - average) * count / (count + strength)``, where the average weights items by
    their ratings. Predictions of rarely rated items are noisy, and the top of a list selects the
    largest errors. With ``strength`` ratings an item keeps half of its distance from the average.

    Args:
        scores: Predictions of all items for users, (people, n_items).
        counts: Training ratings of each item, (n_items,).
        strength: In ratings; 0 changes nothing.

    Returns:
        A new array like ``scores``.
    """
    count = np.asarray(counts, dtype=scores.dtype)
    total = max(float(count.sum()), 1.0)
    average = (scores @ count / total)[:, None]
    share = count / np.maximum(count + scores.dtype.type(strength), 1e-12)
    return average + (scores - average) * share.astype(scores.dtype)


def unit_rows(vectors: Float32) -> Float32:
    """Scale rows to length 1; rows of zeros are unchanged."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.float32(1e-12))


def diversify(scores: Float, vectors: Float32, k: int, diversity: float) -> Int64:
    """Choose k of a pool by maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998).

    The next item maximises ``(1 - diversity) * relevance - diversity * (its
    greatest cosine with the chosen items)``; relevance is the score, scaled to 0 to 1 in the pool.

    Args:
        scores: The pool's scores, (n,).
        vectors: The pool's item vectors as unit rows, (n, width).
        k: Length of the list.
        diversity: Weight of dissimilarity, from 0 (order of the scores) to 1.

    Returns:
        Positions in the pool in order of choice, int64 (min(k, n),). The first of ties is chosen.
    """
    n = len(scores)
    spread = float(scores.max() - scores.min()) if n else 0.0
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones(n)
    nearest = np.zeros(n)  # no item is chosen yet
    free = np.ones(n, dtype=np.bool_)
    chosen = np.empty(min(k, n), dtype=np.int64)
    for position in range(len(chosen)):
        value = (1.0 - diversity) * relevance - diversity * nearest
        if position == 0:
            value = relevance
        best = int(np.argmax(np.where(free, value, -np.inf)))
        chosen[position] = best
        free[best] = False
        similarity = vectors @ vectors[best]
        nearest = similarity if position == 0 else np.maximum(nearest, similarity)
    return chosen


def most_alike(vectors: Float32, row: int, k: int) -> tuple[Int64, Float32]:
    """Return the nearest rows to one row by cosine, without the row itself.

    Args:
        vectors: Unit rows, (n, width).
        row: The row.
        k: Largest number of neighbours.

    Returns:
        Rows (int64) and cosines (float32), nearest first.
    """
    cosines = vectors @ vectors[row]
    cosines[row] = -np.inf
    order = np.argsort(-cosines, kind="stable")[: min(k, len(cosines) - 1)]
    return order.astype(np.int64), cosines[order]
