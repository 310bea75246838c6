"""Compiled kernels of the two big layers: their cost is the number of ratings times the width.

The first layer is a weighted sum of the table rows of the rated items; the last is a dot product
for each entry in the loss. No batch x items array exists. Gradients of both tables stay in factored
form (entries times activations) and are applied by the optimiser's kernels, which need the entries
by column, as ``transpose`` provides.

Entries are given as CSR: ``indptr`` (rows + 1), and per entry a table row, a coefficient, a target
and a weight. A zero coefficient hides an entry from the encoder, a zero weight from the loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float, Float64, Int32, Int64
from ...base.compiled import FAST, inlined, kernel, shared
from ..activations import activate, slope


@inlined
def add_weighted(value: Float, pick: Int32, n: int, table: Float, out: Float) -> None:
    """Add the sum of ``value[p] * table[pick[p]]`` over the first n picks to ``out``.

    Four rows are added at a time: each pass then loads and stores ``out`` once per four rows, twice
    as fast if the table is in cache.
    """
    width = len(out)
    p = 0
    while p + 4 <= n:
        i0, i1, i2, i3 = pick[p], pick[p + 1], pick[p + 2], pick[p + 3]
        v0, v1, v2, v3 = value[p], value[p + 1], value[p + 2], value[p + 3]
        for k in range(width):
            out[k] += v0 * table[i0, k] + v1 * table[i1, k] + v2 * table[i2, k] + v3 * table[i3, k]
        p += 4
    while p < n:
        i, v = pick[p], value[p]
        for k in range(width):
            out[k] += v * table[i, k]
        p += 1


@inlined
def four_dots(x: Float, table: Float, i0: int, i1: int, i2: int, i3: int) -> Any:
    """Return the products of a vector with four rows of a table."""
    none = table.dtype.type(0)
    d0, d1, d2, d3 = none, none, none, none
    for k in range(table.shape[1]):
        xk = x[k]
        d0 += xk * table[i0, k]
        d1 += xk * table[i1, k]
        d2 += xk * table[i2, k]
        d3 += xk * table[i3, k]
    return d0, d1, d2, d3


@shared("indptr", fastmath=FAST, error_model="numpy")
def encode(
    first: int, last: int, indptr: Int64, index: Int32, coef: Float, table: Float, out: Float
) -> None:
    """Compute ``out[r] = sum_j coef[j] * table[index[j]]`` over the entries j of each row.

    Args:
        first: The first row to compute; see ``shared``.
        last: The row after the last.
        indptr: int64 (rows + 1,).
        index: int32 (entries,), rows of the table.
        coef: float (entries,).
        table: float (n, width).
        out: float (rows, width), overwritten.
    """
    for r in range(first, last):
        begin, end = indptr[r], indptr[r + 1]
        pick = np.empty(end - begin, dtype=np.int32)
        value = np.empty(end - begin, dtype=table.dtype)
        n = 0
        for j in range(begin, end):
            c = coef[j]
            pick[n] = index[j]
            value[n] = c
            n += c != 0
        row = out[r]
        row[:] = 0
        add_weighted(value, pick, n, table, row)


@shared("indptr", choice="act", fastmath=FAST, error_model="numpy")
def decode(
    first: int,
    last: int,
    indptr: Int64,
    index: Int32,
    hidden: Float,
    table: Float,
    bias: Float,
    act: int,
    out: Float,
) -> None:
    """Compute ``out[j] = act(hidden[r] . table[index[j]] + bias[index[j]])``, j in row r.

    Args:
        first: The first row to compute; see ``shared``.
        last: The row after the last.
        indptr: int64 (rows + 1,).
        index: int32 (entries,).
        hidden: float (rows, width).
        table: float (n, width).
        bias: float (n,).
        act: Code of the output activation.
        out: float (entries,), overwritten.
    """
    dots = np.empty(4, dtype=table.dtype)
    for r in range(first, last):
        end = indptr[r + 1]
        for j in range(indptr[r], end, 4):
            # Fewer than four repeat the last, so that results do not depend on the grouping.
            few = end - j if end - j < 4 else 4
            i0, i1 = index[j], index[j + (few > 1)]
            i2, i3 = index[j + (few > 1) + (few > 2)], index[j + few - 1]
            dots[0], dots[1], dots[2], dots[3] = four_dots(hidden[r], table, i0, i1, i2, i3)
            for q in range(few):
                out[j + q] = activate(act, dots[q] + bias[index[j + q]])


@shared("indptr", choice="act", fastmath=FAST, error_model="numpy")
def _decode_loss(
    first: int,
    last: int,
    indptr: Int64,
    entries: tuple[Int32, Float, Float],
    scale: Any,
    hidden: Float,
    layer: tuple[Float, Float],
    act: int,
    error: Float,
    d_hidden: Float,
    total: Float64,
) -> None:
    """Compute ``decode_loss`` of some rows; ``scale`` is 2 over the sum of the weights."""
    index, target, weight = entries
    table, bias = layer
    width = table.shape[1]
    type_ = table.dtype.type
    for r in range(first, last):
        begin, end, h, row = indptr[r], indptr[r + 1], hidden[r], d_hidden[r]
        pick = np.empty(end - begin, dtype=np.int32)
        entry = np.empty(end - begin, dtype=np.int32)
        value = np.empty(end - begin, dtype=table.dtype)
        n = 0
        for j in range(begin, end):
            seen = weight[j] != 0
            error[j] = 0
            pick[n] = index[j]
            entry[n] = j
            n += seen
        row[:] = 0
        loss, p = 0.0, 0
        # Products and backward sums use the same four table rows while they are in cache.
        while p < n:
            few = n - p if n - p < 4 else 4
            if few == 4:
                i0, i1, i2, i3 = pick[p], pick[p + 1], pick[p + 2], pick[p + 3]
                dots = four_dots(h, table, i0, i1, i2, i3)
                value[p], value[p + 1], value[p + 2], value[p + 3] = dots
            else:
                for q in range(p, n):
                    i = pick[q]
                    dot = type_(0)
                    for k in range(width):
                        dot += h[k] * table[i, k]
                    value[q] = dot
            for q in range(p, p + few):
                j = entry[q]
                dot = value[q] + bias[pick[q]]
                miss = activate(act, dot) - target[j]
                loss += weight[j] * miss * miss
                value[q] = type_(scale * weight[j] * miss * slope(act, dot))
                error[j] = value[q]
            if few == 4:
                v0, v1, v2, v3 = value[p], value[p + 1], value[p + 2], value[p + 3]
                for k in range(width):
                    row[k] += (
                        v0 * table[i0, k]
                        + v1 * table[i1, k]
                        + v2 * table[i2, k]
                        + v3 * table[i3, k]
                    )
            else:
                for q in range(p, n):
                    i, v = pick[q], value[q]
                    for k in range(width):
                        row[k] += v * table[i, k]
            p += few
        total[r] = loss


@kernel(fastmath=FAST, error_model="numpy")
def _sum(values: Float) -> float:
    total = 0.0
    for j in range(len(values)):
        total += values[j]
    return total


def decode_loss(
    indptr: Int64,
    index: Int32,
    target: Float,
    weight: Float,
    hidden: Float,
    table: Float,
    bias: Float,
    act: int,
    error: Float,
    d_hidden: Float,
) -> float:
    """Compute weighted squared error and gradient at the entries, in one pass over table rows.

    The loss is `` sum_j weight[j] * (prediction[j] - target[j])^2 / sum_j weight[j]``.

    Args:
        indptr: int64 (rows + 1,).
        index: int32 (entries,).
        target: float (entries,).
        weight: float (entries,), not negative, and with a positive sum.
        hidden: float (rows, width).
        table: float (n, width).
        bias: float (n,).
        act: Code of the output activation.
        error: float (entries,), overwritten by d loss / d (pre-activation output).
        d_hidden: float (rows, width), overwritten by d loss / d hidden.

    Returns:
        The loss.
    """
    rows = len(indptr) - 1
    mass = max(_sum(weight[indptr[0] : indptr[rows]]), 1e-30)
    scale = table.dtype.type(2.0 / mass)
    total = np.empty(rows, dtype=np.float64)
    entries, layer = (index, target, weight), (table, bias)
    _decode_loss(indptr, entries, scale, hidden, layer, act, error, d_hidden, total)
    # Summed by one thread, so that it does not depend on the number of threads.
    return _sum(total) / mass


@kernel()
def transpose(
    indptr: Int64,
    index: Int32,
    count: Int32,
    columns: Int32,
    start: Int64,
    row_of: Int32,
    entry_of: Int32,
) -> int:
    """Group a batch's entries by column: the distinct table rows and their entries.

    Args:
        indptr: int64 (rows + 1,).
        index: int32 (entries,).
        count: int32 (n,) scratch, all zero before and after.
        columns: int32, size min(n, entries): the distinct table rows; ascending, unless the
            batch has few of them.
        start: int64, one longer than ``columns``: start of each column's entries.
        row_of: int32 (entries,): the batch row of each entry, by column.
        entry_of: int32 (entries,): the position of each entry in ``index``, by column.

    Returns:
        The number of distinct columns.
    """
    n = 0
    if 4 * len(index) < len(count):
        for j in range(len(index)):
            i = index[j]
            if count[i] == 0:
                columns[n] = i
                n += 1
            count[i] += 1
    else:  # in table order, so that the rows are read nearly in sequence
        for j in range(len(index)):
            count[index[j]] += 1
        for i in range(len(count)):
            if count[i] > 0:
                columns[n] = i
                n += 1
    start[0] = 0
    for u in range(n):
        i = columns[u]
        start[u + 1] = start[u] + count[i]
        count[i] = start[u]
    for r in range(len(indptr) - 1):
        for j in range(indptr[r], indptr[r + 1]):
            i = index[j]
            row_of[count[i]] = r
            entry_of[count[i]] = j
            count[i] += 1
    for u in range(n):
        count[columns[u]] = 0
    return n


@kernel(fastmath=FAST, error_model="numpy")
def column_sums(columns: Int32, start: Int64, entry_of: Int32, error: Float, out: Float) -> None:
    """Add each column's sum of ``error`` to ``out``: the gradient of the output bias."""
    for u in range(len(columns)):
        total = error.dtype.type(0)
        for p in range(start[u], start[u + 1]):
            total += error[entry_of[p]]
        out[columns[u]] += total
