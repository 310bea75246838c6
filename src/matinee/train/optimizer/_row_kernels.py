"""Optimiser kernels: update only the table rows in a batch, with the result of a dense optimiser.

A table row that is not in a batch has a zero gradient, but a dense optimiser still moves it:
momentum keeps decaying and moves the weight, and decoupled weight decay shrinks it. These updates
have a closed form, which is applied when the row is next used (``catch_up``). With ``r`` the decay
of a step's direction (momentum for SGD, beta1 / sqrt(beta2) for Adam), ``a[t]`` the step size and
``P[t]`` the product of the weight-decay factors up to step t, k missed steps after step s amount to


    w <- w * P[s+k] / P[s] - (P[s+k] / P[s] * tail[s] - r^k * tail[s+k]) * direction,
    tail[t] = sum over j >= 1 of r^j * a[t+j] * P[t] / P[t+j],

which differs from the dense optimiser only in rounding and in the effect of Adam's epsilon relative
to a second moment that decays from the second missed step on (exact for the first).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float, Float64, Int32, Int64
from ...base.compiled import FAST, inlined, kernel, shared
from ...nn import add_weighted
from ._moves import ADAM, Step, move, of_dtype

Table = tuple[Float, Float, Float, Int32]
"""Weights w and moments m and v of a table, (n, width), with v empty if the optimiser has no second
moment; and the latest step of each row, (n,)."""
STRETCH = 32_768
"""Parameters of the flat vector processed per thread at a time."""


@shared(64, choice="kind", fastmath=FAST, error_model="numpy")
def step_rows(
    begin: int,
    end: int,
    kind: int,
    columns: Int32,
    entries: tuple[Int64, Int32, Int32],
    gradient: tuple[Float, Float, Float, Float],
    table: Table,
    t: int,
    factors: Step,
) -> None:
    """Take step ``t`` on rows ``columns`` of a table whose gradient is given in factors.

    ``gradient`` is ``entry``, (entries,), ``dense``, (batch rows, width), ``entry2`` and
    ``dense2``. The gradient of row i is ``sum_j entry[j] * dense[row of j]`` over the entries j of
    column i (plus the same with ``entry2`` and ``dense2`` for a tied table; empty arrays
    otherwise). It is summed in a buffer of one row and applied immediately. ``columns`` and
    ``entries`` are made by ``nn.Transposer``.
    """
    start, row_of, entry_of = entries
    entry, dense, entry2, dense2 = gradient
    w, m, v, last = table
    step = of_dtype(factors, w)
    sides = 2 if len(entry2) > 0 else 1
    has_v = v.shape[0] > 0
    longest = start[0]
    for u in range(len(columns)):
        if start[u + 1] - start[u] > longest:
            longest = start[u + 1] - start[u]
    g = np.empty(w.shape[1], dtype=w.dtype)
    pick = np.empty(longest, dtype=np.int32)
    value = np.empty(longest, dtype=w.dtype)
    for chunk in range(begin, end):
        # Short interleaved runs: neighbours in the table stay together, and no thread
        # gets all the popular rows.
        for turn in range((len(columns) + 511) // 512 * 8):
            u = turn // 8 * 512 + chunk * 8 + turn % 8
            if u >= len(columns):
                continue
            i = columns[u]
            g[:] = 0
            for side in range(sides):
                its, factors_of = (entry, dense) if side == 0 else (entry2, dense2)
                n = 0
                for p in range(start[u], start[u + 1]):
                    e = its[entry_of[p]]
                    pick[n] = row_of[p]
                    value[n] = e
                    n += e != 0
                add_weighted(value, pick, n, factors_of, g)
            vi = v[i] if has_v else g
            move(kind, w[i], m[i], vi, g, step)
            last[i] = t


@shared("columns", choice="kind", fastmath=FAST, error_model="numpy")
def step_given(
    begin: int,
    end: int,
    kind: int,
    columns: Int32,
    gradient: Float,
    table: Table,
    t: int,
    factors: Step,
) -> None:
    """Take step ``t`` on the rows ``columns`` by a full gradient, (columns, width)."""
    w, m, v, last = table
    step = of_dtype(factors, w)
    has_v = v.shape[0] > 0
    for u in range(begin, end):
        i = columns[u]
        g = gradient[u]
        vi = v[i] if has_v else g
        move(kind, w[i], m[i], vi, g, step)
        last[i] = t


@shared("columns", choice="kind", fastmath=FAST, error_model="numpy")
def catch_up(
    begin: int,
    end: int,
    kind: int,
    columns: Int32,
    table: Table,
    t: int,
    decays: tuple[float, float, float, Float64, Float64, Float64, float],
) -> None:
    """Bring the rows ``columns`` to the state they would have after step ``t``.

    Of ``decays``, a missed step multiplies m by ``decay1``, v by ``decay2`` and the direction by
    ``ratio``; ``tail``, ``shrunk`` (the logarithm of P) and ``root`` are float64 (steps + 1,), by
    step, as defined above.
    """
    w, m, v, last = table
    decay1, decay2, ratio, tail, shrunk, root, eps = decays
    width = w.shape[1]
    for u in range(begin, end):
        i = columns[u]
        s = last[i]
        k = t - s
        last[i] = t
        if k <= 0 or s == 0:
            # A row that was never updated has no momentum; before its first gradient only weight
            # decay moves it.
            if k > 0 and shrunk[t] != 0.0:
                shrink = w.dtype.type(np.exp(shrunk[t]))
                for c in range(width):
                    w[i, c] *= shrink
            continue
        share = np.exp(shrunk[t] - shrunk[s])
        shrink = w.dtype.type(share)
        reach = w.dtype.type(share * tail[s] - ratio**k * tail[t])
        left1 = w.dtype.type(decay1**k)
        if kind == ADAM:
            left2 = w.dtype.type(decay2**k)
            floor = w.dtype.type(eps * root[s + 1] / np.sqrt(decay2))
            for c in range(width):
                w[i, c] = shrink * w[i, c] - reach * m[i, c] / (np.sqrt(v[i, c]) + floor)
                m[i, c] *= left1
                v[i, c] *= left2
        else:
            for c in range(width):
                w[i, c] = shrink * w[i, c] - reach * m[i, c]
                m[i, c] *= left1


def _stretches(_: int, w: Float, *__: Any) -> int:
    return (len(w) + STRETCH - 1) // STRETCH


@inlined
def _step_stretch(kind: int, w: Float, m: Float, v: Float, g: Float, factors: Step) -> None:
    """Compute ``step_flat``; ``v`` is empty if the optimiser has no second moment."""
    second = v if len(v) > 0 else g
    move(kind, w, m, second, g, of_dtype(factors, w))
    g[:] = 0


@kernel(choice="kind", fastmath=FAST, error_model="numpy")
def step_flat(kind: int, w: Float, m: Float, v: Float, g: Float, factors: Step) -> None:
    """Take the same step on flat parameters with a dense gradient, which is then zeroed."""
    _step_stretch(kind, w, m, v, g, factors)


@shared(_stretches, choice="kind", fastmath=FAST, error_model="numpy")
def step_long(
    begin: int, end: int, kind: int, w: Float, m: Float, v: Float, g: Float, factors: Step
) -> None:
    """Compute ``step_flat`` in several threads, for more than ``STRETCH`` parameters."""
    for stretch in range(begin, end):
        at = slice(stretch * STRETCH, min((stretch + 1) * STRETCH, len(w)))
        _step_stretch(kind, w[at], m[at], v[at], g[at], factors)
