"""The kernel of item-kNN: the most similar items of each item, exact, from sparse interactions."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.compiled import shared


@shared(64)
def nearest(
    begin: int,
    end: int,
    by_item: Int64,
    owners: Int32,
    by_user: Int64,
    items: Int32,
    by_item_strengths: Float64,
    strengths: Float64,
    weights: Float64,
    lengths: Float64,
    shrinkage: float,
    neighbours: Int32,
    similarity: Float32,
) -> None:
    """Find each item's neighbours, by descending similarity; ties by ascending code.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        by_item: int64 (items + 1,), start of each item's users in ``owners``.
        owners: int32 (entries,).
        by_user: int64 (users + 1,), start of each user's items in ``items``.
        items: int32 (entries,).
        by_item_strengths: float64 (entries,), ``strengths`` in the order of ``owners``.
        strengths: float64 (entries,), the entries in the order of ``items``; both are empty if all
            are 1.
        weights: float64 (users,), factors of the users' entries.
        lengths: float64 (items,); a similarity is the dot product over ``lengths[i] * lengths[j] +
            shrinkage``.
        shrinkage: See ``lengths``.
        neighbours: int32 (items, k), overwritten; padded with -1.
        similarity: float32 (items, k), overwritten; padded with 0.
    """
    n_items, k = neighbours.shape
    weighted = len(strengths) > 0
    for chunk in range(begin, end):  # interleaved, so that no thread gets all the popular items
        dots = np.zeros(n_items, dtype=np.float64)
        touched = np.empty(n_items, dtype=np.int32)
        for item in range(chunk, n_items, 64):
            n = 0
            for entry in range(by_item[item], by_item[item + 1]):
                user = owners[entry]
                squared = weights[user] * weights[user]
                if weighted:
                    squared *= by_item_strengths[entry]
                for other in range(by_user[user], by_user[user + 1]):
                    j = items[other]
                    if dots[j] == 0.0:
                        touched[n] = j
                        n += 1
                    dots[j] += squared * strengths[other] if weighted else squared
            few = touched[:n]
            few.sort()
            values = np.empty(n, dtype=np.float64)
            for p in range(n):
                j = few[p]
                over = lengths[item] * lengths[j] + shrinkage
                values[p] = -dots[j] / over if j != item and over > 0.0 else 0.0
                dots[j] = 0.0
            order = np.argsort(values, kind="mergesort")
            for p in range(k):
                if p < n and values[order[p]] < 0.0:
                    neighbours[item, p] = few[order[p]]
                    similarity[item, p] = -values[order[p]]
                else:
                    neighbours[item, p] = -1
                    similarity[item, p] = 0.0
