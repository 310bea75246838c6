"""The kernel of item-kNN: the most similar items of each item, exact, from sparse interactions."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.compiled import shared
from ...base.top import ROOT, offer, put_in_order


@shared(64)
def nearest(
    begin: int,
    end: int,
    by_item: tuple[Int64, Int32, Float64],
    by_user: tuple[Int64, Int32, Float64],
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
        by_item: Start of each item's entries, int64 (items + 1,); by item, the user of each, int32
            (entries,), and its strength, float64 (entries,), or (0,) if all are 1.
        by_user: Start of each user's entries, int64 (users + 1,); by user, the item of each, and
            its strength.
        weights: float64 (users,), factors of the users' entries.
        lengths: float64 (items,); a similarity is the dot product over ``lengths[i] * lengths[j] +
            shrinkage``.
        shrinkage: See ``lengths``.
        neighbours: int32 (items, k), overwritten; padded with -1.
        similarity: float32 (items, k), overwritten; padded with 0.
    """
    item_ptr, owners, item_strengths = by_item
    user_ptr, items, strengths = by_user
    n_items, k = neighbours.shape
    weighted = len(strengths) > 0
    for chunk in range(begin, end):  # interleaved, so that no thread gets all the popular items
        dots = np.zeros(n_items, dtype=np.float64)
        touched = np.empty(n_items, dtype=np.int32)
        best, codes = np.empty(k, dtype=np.float64), np.empty(k, dtype=np.int64)
        for item in range(chunk, n_items, 64):
            n = 0
            for entry in range(item_ptr[item], item_ptr[item + 1]):
                user = owners[entry]
                squared = weights[user] * weights[user]
                if weighted:
                    squared *= item_strengths[entry]
                for other in range(user_ptr[user], user_ptr[user + 1]):
                    j = items[other]
                    if dots[j] == 0.0:
                        touched[n] = j
                        n += 1
                    dots[j] += squared * strengths[other] if weighted else squared
            found = ROOT
            for p in range(n):
                j = touched[p]
                over = lengths[item] * lengths[j] + shrinkage
                if j != item and over > 0.0 and dots[j] > 0.0:
                    found = offer(best, codes, found, dots[j] / over, j)
                dots[j] = 0.0
            put_in_order(best, codes, found)
            for p in range(k):
                if p < found:
                    neighbours[item, p] = codes[p]
                    similarity[item, p] = best[p]
                else:
                    neighbours[item, p] = -1
                    similarity[item, p] = 0.0
