"""Kernels: a user's factors from their ratings given a sample, and predictions from samples.

Given a sample of the other parameters, the score of user u and item i is ``base + w + v . h_i``,
where v and w are the factors and the weight of the user's id, ``h_i = c + q_i`` with c the sum of
the implicit features and of the levels of columns, and ``base`` is the remaining terms. So v and w
have a normal posterior. Its mean is used: averaged over samples, it is the conditional expectation
of the Gibbs draws (Gelfand & Smith 1990), with less noise than draws. With an ordered probit the
latent scores and the factors are alternately replaced by their expectations, ``STEPS`` times
(expectation-maximisation).
"""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.compiled import FAST, kernel, shared
from ..factors.cholesky import factorise, solve
from .probit import between, density, upper_tail

STEPS = 6


@shared("indptr", fastmath=FAST, error_model="numpy")
def fold_in(
    begin: int,
    end: int,
    indptr: Int64,
    entries: tuple[Int32, Int32, Float64],
    side: tuple[Int64, Int32, Float64],
    sample: tuple[Float32, Float32, Float32, Float32, Float32, Float32],
    prior: Float64,
    start: float,
    alpha: float,
    bounds: Float64,
    out: tuple[Float32, Float64],
) -> None:
    """Compute vectors and scalars of users, given one sample.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        indptr: int64 (people + 1,).
        entries: For each rating its item, int32; its level, int32, not read if ``bounds`` is empty;
            and its scaled value, float64, not read otherwise.
        side: Start of each user's column levels, int64 (people + 1,); the levels, int32, as rows of
            ``columns``; and the factor of each, float64.
        sample: ``vectors``, q of the items, (items, rank), and ``scalars``, (items,); ``rated``,
            factors of the implicit features, (items, rank), and ``rated_weights``, (items,); and
            ``columns``, factors of the levels, (levels, rank), and ``column_weights``, (levels,).
        prior: float64 (2, rank + 1), mean and precision of v, then of w.
        start: w0.
        alpha: Precision of the residuals.
        bounds: float64 (levels + 1,), cutpoints between infinities; empty for "normal".
        out: ``people``, p, float32 (people, rank), and ``people_scalar``, float64 (people,);
            a score is ``p . q`` and the two scalars.
    """
    items, levels, target = entries
    level_ptr, level, scale = side
    vectors, scalars, rated, rated_weights, columns, column_weights = sample
    people, people_scalar = out
    rank = vectors.shape[1]
    m = rank + 1
    for u in range(begin, end):
        first, n = indptr[u], indptr[u + 1] - indptr[u]
        full = (n + 3) // 4 * 4
        h = np.zeros((full, m))
        base = np.empty(n)
        wanted = np.empty(n)
        c = np.zeros(rank)
        gram = np.zeros((m, m))
        now = np.zeros(m)
        x = 1.0 / np.sqrt(max(n, 1))
        constant, squares = start, 0.0
        for r in range(n):
            i = items[first + r]
            constant += x * rated_weights[i]
            for k in range(rank):
                c[k] += x * rated[i, k]
                squares += x * x * rated[i, k] * rated[i, k]
        for r in range(level_ptr[u], level_ptr[u + 1]):
            i, y = level[r], scale[r]
            constant += y * column_weights[i]
            for k in range(rank):
                c[k] += y * columns[i, k]
                squares += y * y * columns[i, k] * columns[i, k]
        inner = -squares
        for k in range(rank):
            inner += c[k] * c[k]
        constant += 0.5 * inner
        for r in range(n):
            i = items[first + r]
            total = constant + scalars[i]
            for k in range(rank):
                q = vectors[i, k]
                total += c[k] * q
                h[r, k] = c[k] + q
            h[r, rank] = 1.0
            base[r] = total
            wanted[r] = target[first + r] - total
        for r in range(0, full, 4):
            for i in range(m):
                a0, a1, a2, a3 = h[r, i], h[r + 1, i], h[r + 2, i], h[r + 3, i]
                for k in range(i + 1):
                    gram[i, k] += (
                        a0 * h[r, k] + a1 * h[r + 1, k] + a2 * h[r + 2, k] + a3 * h[r + 3, k]
                    )
        for i in range(m):
            for k in range(i + 1):
                gram[i, k] *= alpha
            gram[i, i] += prior[1, i]
            now[i] = prior[0, i]
        factorise(gram)
        steps = STEPS if len(bounds) else 1
        for _ in range(steps):
            if len(bounds):
                for r in range(n):
                    linear = 0.0
                    for k in range(m):
                        linear += h[r, k] * now[k]
                    f = base[r] + linear
                    at = levels[first + r]
                    # Infinities break fast-math arithmetic; ten standard deviations are equivalent.
                    low = min(max(bounds[at] - f, -10.0), 9.0)
                    high = max(min(bounds[at + 1] - f, 10.0), low + 1e-9)
                    wanted[r] = linear + (density(low) - density(high)) / between(low, high)
            for i in range(m):
                now[i] = prior[0, i] * prior[1, i]
            for r in range(n):
                y = alpha * wanted[r]
                for k in range(m):
                    now[k] += y * h[r, k]
            solve(gram, now)
        scalar = constant + now[rank]
        for k in range(rank):
            scalar += c[k] * now[k]
            people[u, k] = c[k] + now[k]
        people_scalar[u] = scalar


@kernel(fastmath=FAST)
def add_moments(
    rows: Int64,
    items: Int32,
    people: Float32,
    people_scalar: Float64,
    vectors: Float32,
    scalars: Float32,
    shift: float,
    total: Float64,
    square: Float64,
) -> None:
    """Add one sample's scores of entries, minus ``shift``, and their squares."""
    rank = people.shape[1]
    for e in range(len(rows)):
        u, i = rows[e], items[e]
        f = np.float32(0)
        for k in range(rank):
            f += people[u, k] * vectors[i, k]
        score = f + people_scalar[u] + scalars[i] - shift
        total[e] += score
        square[e] += score * score


@kernel(error_model="numpy")
def expected_levels(mean: Float64, variance: Float64, cutpoints: Float64, levels: Float64) -> None:
    """Replace mean and variance of a normal score by those of the rating, in place.

    Args:
        mean: float64 (n,), of the score over samples; overwritten by the mean rating.
        variance: float64 (n,), likewise; overwritten by the variance of the rating.
        cutpoints: float64 (levels - 1,).
        levels: float64 (levels,), ascending.
    """
    for e in range(len(mean)):
        scale = np.sqrt(1.0 + variance[e])
        expected, squares = levels[0], 0.0
        for c in range(len(cutpoints)):
            above = upper_tail((cutpoints[c] - mean[e]) / scale)
            step = levels[c + 1] - levels[c]
            squares += above * step * (levels[c + 1] + levels[c] - 2.0 * levels[0])
            expected += above * step
        variance[e] = max(squares - (expected - levels[0]) ** 2, 0.0)
        mean[e] = expected
