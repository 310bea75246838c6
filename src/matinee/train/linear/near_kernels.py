"""The kernel of the closed form among the nearest items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int32
from ...base.compiled import FAST, shared
from ..factors.cholesky import cholesky_solve

_CHUNKS = 64


@shared(_CHUNKS, fastmath=FAST, error_model="numpy")
def solve_near(
    begin: int,
    end: int,
    indptr: npt.NDArray[np.signedinteger],
    owners: npt.NDArray[np.signedinteger],
    data: Float64,
    gamma: Float64,
    users: int,
    near: Int32,
    out: Float32,
) -> None:
    """Solve for the weights of each item's nearest items.

    The entries of each user among the nearest items form a linked list, latest first, so that the
    Gram matrix of the nearest items is summed over pairs of a user's entries among them only.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        indptr: integer (items + 1,), start of each item's entries.
        owners: integer (entries,), the users of the entries.
        data: float64 (entries,), the weighted strengths of the entries.
        gamma: float64 (items,), added to the diagonal.
        users: Number of users.
        near: int32 (items, k), the nearest items of each; -1 after the last.
        out: float32 (items, k), overwritten with their weights; 0 after the last.
    """
    n_items, width = near.shape
    longest = 0
    for item in range(n_items):  # largest number of entries of an item and its nearest items
        total = 0
        for p in range(width):
            if near[item, p] >= 0:
                total += indptr[near[item, p] + 1] - indptr[near[item, p]]
        longest = max(longest, total)
    for chunk in range(begin, end):  # interleaved, so that no thread gets all the popular items
        last = np.full(users, -1, dtype=np.int32)  # the latest entry of each user's list
        before = np.empty(longest, dtype=np.int32)
        place = np.empty(longest, dtype=np.int32)
        owner = np.empty(longest, dtype=np.int32)
        strength = np.empty(longest, dtype=np.float64)
        gram = np.empty((width, width), dtype=np.float64)
        right = np.empty(width, dtype=np.float64)
        for item in range(chunk, n_items, _CHUNKS):
            n = 0
            while n < width and near[item, n] >= 0:
                n += 1
            gram[:n, :n] = 0.0
            met = 0
            for p in range(n):
                other = near[item, p]
                gram[p, p] = gamma[other]
                for entry in range(indptr[other], indptr[other + 1]):
                    user, value = owners[entry], data[entry]
                    at = last[user]
                    before[met], place[met], owner[met], strength[met] = at, p, user, value
                    last[user] = met
                    met += 1
                    gram[p, p] += value * value
                    while at >= 0:
                        gram[p, place[at]] += value * strength[at]
                        at = before[at]
            right[:] = 0.0
            for entry in range(indptr[item], indptr[item + 1]):
                at = last[owners[entry]]
                while at >= 0:
                    right[place[at]] += data[entry] * strength[at]
                    at = before[at]
            for entry in range(met):
                last[owner[entry]] = -1
            cholesky_solve(gram, right, n)
            for p in range(width):
                out[item, p] = right[p] if p < n else 0.0
