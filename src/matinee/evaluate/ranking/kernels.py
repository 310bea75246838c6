"""Kernel of the similarity of items within a list."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float64, Int32, Int64
from ...base.compiled import shared


@shared(64)
def similarity(
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
        total = np.empty(n_people)
        for person in range(n_people):
            total[person] = 0.0
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
