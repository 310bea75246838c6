"""Compiled loops that bring rows into the order of user and item, in place."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Float32, Int32, Int64
from ..base.compiled import kernel, part


@kernel()
def place_rows(
    at: Int64,
    users: Int32,
    items: Int32,
    values: Float32,
    times: Int64,
    weights: Float32,
    free: Int64,
    out_items: Int32,
    out_values: Float32,
    out_times: Int64,
    out_weights: Float32,
) -> None:
    """Copy a chunk of rows to the positions of their users.

    Args:
        at: Place of each row in the chunk's order, a permutation: a join may have mixed them.
        users: User codes.
        items: Item codes.
        values: Ratings.
        times: Times; read only if ``out_times`` is not empty.
        weights: Weights; read only if ``out_weights`` is not empty.
        free: The next free position of each user; moved on.
        out_items: Item codes of all rows.
        out_values: Ratings of all rows.
        out_times: Times of all rows, or empty.
        out_weights: Weights of all rows, or empty.
    """
    order = np.empty(len(at), dtype=np.int64)
    for j in range(len(at)):
        order[at[j]] = j
    for k in order:
        to = free[users[k]]
        free[users[k]] = to + 1
        out_items[to] = items[k]
        out_values[to] = values[k]
        if len(out_times) > 0:
            out_times[to] = times[k]
        if len(out_weights) > 0:
            out_weights[to] = weights[k]


@part()
def _merge_sort(keys: Int64, spare: Int64, n: int) -> None:
    """Sort the first ``n`` keys. Numba's own sort takes 1.5 s to compile, this a tenth of it."""
    width = 1
    while width < n:
        for low in range(0, n, 2 * width):
            middle, high = min(low + width, n), min(low + 2 * width, n)
            one, two = low, middle
            for k in range(low, high):
                if one < middle and (two >= high or keys[one] <= keys[two]):
                    spare[k] = keys[one]
                    one += 1
                else:
                    spare[k] = keys[two]
                    two += 1
        for k in range(n):
            keys[k] = spare[k]
        width *= 2


@kernel()
def sort_rows(start: Int64, items: Int32, values: Float32, times: Int64, weights: Float32) -> None:
    """Sort each user's rows by item, in place; rows of one item keep their order.

    Args:
        start: User ``u`` has rows ``start[u]:start[u + 1]``.
        items: Item codes.
        values: Ratings.
        times: Times, or empty.
        weights: Weights, or empty.
    """
    longest = 0
    for u in range(len(start) - 1):
        longest = max(longest, start[u + 1] - start[u])
    keys = np.empty(longest, dtype=np.int64)
    spare = np.empty(longest, dtype=np.int64)
    held = np.empty(longest, dtype=np.float32)
    held_times = np.empty(longest if len(times) > 0 else 0, dtype=np.int64)
    held_weights = np.empty(longest if len(weights) > 0 else 0, dtype=np.float32)
    for u in range(len(start) - 1):
        low = start[u]
        n = start[u + 1] - low
        sorted_already = True
        for j in range(n):
            keys[j] = (np.int64(items[low + j]) << 32) | j
            if j > 0 and keys[j] < keys[j - 1]:
                sorted_already = False
        if sorted_already:
            continue
        _merge_sort(keys, spare, n)
        for j in range(n):
            held[j] = values[low + j]
            if len(times) > 0:
                held_times[j] = times[low + j]
            if len(weights) > 0:
                held_weights[j] = weights[low + j]
        for j in range(n):
            k = keys[j] & 0xFFFFFFFF
            items[low + j] = keys[j] >> 32
            values[low + j] = held[k]
            if len(times) > 0:
                times[low + j] = held_times[k]
            if len(weights) > 0:
                weights[low + j] = held_weights[k]


@kernel()
def repeated(users: Int32, items: Int32) -> Int64:
    """Return the positions of entries with the same pair as the previous entry.

    Args:
        users: int32 codes, ascending, shape (n,).
        items: int32 codes, ascending within a user, shape (n,).
    """
    count = 0
    for j in range(1, len(users)):
        if items[j] == items[j - 1] and users[j] == users[j - 1]:
            count += 1
    repeated = np.empty(count, dtype=np.int64)
    count = 0
    for j in range(1, len(users)):
        if items[j] == items[j - 1] and users[j] == users[j - 1]:
            repeated[count] = j
            count += 1
    return repeated


@kernel()
def drop_rows(gone: Int64, users: Int32, items: Int32, values: Float32, times: Int64) -> None:
    """Move the rows that are not dropped together, in place; the last ones are then spare.

    Args:
        gone: Positions of the rows to drop, ascending.
        users: User codes.
        items: Item codes.
        values: Ratings.
        times: Times, or empty.
    """
    to = gone[0]
    for k in range(len(gone)):
        stop = gone[k + 1] if k + 1 < len(gone) else len(users)
        for j in range(gone[k] + 1, stop):
            users[to] = users[j]
            items[to] = items[j]
            values[to] = values[j]
            if len(times) > 0:
                times[to] = times[j]
            to += 1
