"""Kernels of the Gibbs sampler: sums over the ratings, and draws by relation block.

A rating of user u and item i is predicted as

    f = w0 + sum_f w_f x_f + sum_k ((p_uk + q_ik)^2 - s_uk - t_ik) / 2

where x_f are the features of the user and of the item, p_uk = sum x_f v_fk over the user's
features, s_uk = sum x_f^2 v_fk^2, and q, t likewise for the item: the factorisation machine of
Rendle (2010), including interactions within a side. The user's features are the id (x = 1), each
item they have rated (x_u = 1 / sqrt(their ratings)) and their levels of the columns (x_u = 1 /
sqrt(their levels of the column)); the item's features are analogous.

Given the rest, f is linear in each v_fk, with slope h = x_f (p_uk - x_f v_fk + q_ik). The sums of
h^2 and of h times the residual over a user's ratings follow from five numbers per user in a *block*
(Rendle, "Scaling factorization machines to relational data", VLDB 2013), so the cost of a draw is
the number of users with the feature, not of their ratings. There is one pass over the ratings per
side and factor.

Columns of a block, float64 (rows, 8), for one factor: see ``P`` to ``SELF``.
"""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.compiled import FAST, kernel

P, S1, S2, E0, E1, COUNT, X, SELF = range(8)
"""Own sum p; sum of the other side's q over the row's ratings; of q^2; of the residuals; of the
residuals times q; number of ratings; x of the features being drawn; change of s since the last
pass.
"""


@kernel(fastmath=FAST, error_model="numpy")
def residuals(
    indptr: Int64,
    items: Int32,
    target: Float32,
    user_scalar: Float64,
    item_scalar: Float64,
    users: Float32,
    others: Float32,
    out: Float32,
) -> None:
    """Compute target minus prediction of each rating, by user; vectors are float32 (rows, rank)."""
    rank = users.shape[1]
    for u in range(len(indptr) - 1):
        for r in range(indptr[u], indptr[u + 1]):
            i = items[r]
            total = np.float32(0)
            for k in range(rank):
                total += users[u, k] * others[i, k]
            out[r] = target[r] - np.float32(user_scalar[u] + item_scalar[i]) - total


@kernel(fastmath=FAST, error_model="numpy")
def sums_by_user(
    indptr: Int64,
    items: Int32,
    residual: Float32,
    users: Float64,
    shift: Float64,
    block: Float64,
) -> None:
    """Apply the changes of the items' last draw, then sum by user for the next draw.

    Args:
        indptr: int64 (users + 1,).
        items: int32 (ratings,).
        residual: float32 (ratings,), lessened by ``shift[i, 0] + shift[i, 1] * users[u]``.
        users: float64 (users,), p of the factor that the items were drawn for.
        shift: float64 (items, 3); the last column is q of the factor to be drawn next.
        block: float64 (users, 8), of which ``S1``, ``S2``, ``E0``, ``E1`` are set.
    """
    for u in range(len(indptr) - 1):
        p = users[u]
        s1 = s2 = e0 = e1 = 0.0
        for r in range(indptr[u], indptr[u + 1]):
            i = items[r]
            e = residual[r] - (shift[i, 0] + shift[i, 1] * p)
            residual[r] = e
            q = shift[i, 2]
            s1 += q
            s2 += q * q
            e0 += e
            e1 += e * q
        block[u, S1] = s1
        block[u, S2] = s2
        block[u, E0] = e0
        block[u, E1] = e1


@kernel(fastmath=FAST, error_model="numpy")
def sums_by_item(
    indptr: Int64,
    items: Int32,
    residual: Float32,
    users: Float64,
    shift: Float64,
    block: Float64,
) -> None:
    """Apply the changes of the users' last draw, then sum by item for the next draw.

    Args:
        indptr: int64 (users + 1,).
        items: int32 (ratings,).
        residual: float32 (ratings,), lessened by ``shift[u, 0] + shift[u, 1] * q`` of the item.
        users: float64 (users,), current p of the factor to be drawn.
        shift: float64 (users, 2).
        block: float64 (items, 8) with q in column ``P``; ``S1``, ``S2``, ``E0``, ``E1`` are set.
    """
    for i in range(len(block)):
        block[i, S1] = block[i, S2] = block[i, E0] = block[i, E1] = 0.0
    for u in range(len(indptr) - 1):
        p, constant, slope = users[u], shift[u, 0], shift[u, 1]
        square = p * p
        for r in range(indptr[u], indptr[u + 1]):
            i = items[r]
            e = residual[r] - (constant + slope * block[i, P])
            residual[r] = e
            block[i, S1] += p
            block[i, S2] += square
            block[i, E0] += e
            block[i, E1] += e * p


@kernel(fastmath=FAST, error_model="numpy")
def draw_factor_of_ids(
    block: Float64, factor: Float64, prior: Float64, alpha: float, normals: Float64
) -> None:
    """Draw one factor of a side's ids sequentially, each given all others.

    Args:
        block: float64 (rows, 8), kept up to date; ``SELF`` is set.
        factor: float64 (rows,), overwritten.
        prior: Mean and precision, float64 (2,).
        alpha: Precision of the residuals.
        normals: float64 (rows,), standard normal draws.
    """
    mean, precision = prior
    for u in range(len(block)):
        v = factor[u]
        c = block[u, P] - v
        s1, s2 = block[u, S1], block[u, S2]
        power = block[u, COUNT] * c * c + 2.0 * c * s1 + s2
        quad = alpha * power + precision
        first = alpha * (c * block[u, E0] + block[u, E1] + power * v) + precision * mean
        new = first / quad + normals[u] / np.sqrt(quad)
        change = new - v
        factor[u] = new
        block[u, P] += change
        block[u, E0] -= change * (block[u, COUNT] * c + s1)
        block[u, E1] -= change * (c * s1 + s2)
        block[u, SELF] = new * new - v * v


@kernel(fastmath=FAST, error_model="numpy")
def draw_factor_of_features(
    block: Float64,
    indptr: Int64,
    rows: Int32,
    factor: Float64,
    prior: Float64,
    alpha: float,
    normals: Float64,
) -> None:
    """Draw one factor of further features sequentially, each given all others.

    Args:
        block: float64 (rows, 8), kept up to date; ``SELF`` is added to.
        indptr: int64 (features + 1,), start of each feature's rows.
        rows: int32, rows with each feature.
        factor: float64 (features,), overwritten.
        prior: Mean and precision, float64 (2,).
        alpha: Precision of the residuals.
        normals: float64 (features,), standard normal draws.
    """
    mean, precision = prior
    for j in range(len(indptr) - 1):
        v = factor[j]
        power = first = 0.0
        for at in range(indptr[j], indptr[j + 1]):
            u = rows[at]
            x = block[u, X]
            c = block[u, P] - x * v
            power += x * x * (block[u, COUNT] * c * c + 2.0 * c * block[u, S1] + block[u, S2])
            first += x * (c * block[u, E0] + block[u, E1])
        quad = alpha * power + precision
        new = (alpha * (first + power * v) + precision * mean) / quad
        new += normals[j] / np.sqrt(quad)
        change, squares = new - v, new * new - v * v
        factor[j] = new
        for at in range(indptr[j], indptr[j + 1]):
            u = rows[at]
            x = block[u, X]
            c = block[u, P] - x * v
            step = x * change
            block[u, P] += step
            block[u, E0] -= step * (block[u, COUNT] * c + block[u, S1])
            block[u, E1] -= step * (c * block[u, S1] + block[u, S2])
            block[u, SELF] += x * x * squares


@kernel(fastmath=FAST, error_model="numpy")
def draw_weights_of_ids(
    block: Float64, weights: Float64, prior: Float64, alpha: float, normals: Float64
) -> None:
    """Draw the linear weights of a side's ids; see ``draw_factor_of_ids``.

    ``COUNT`` of the block is read, and ``E0`` is kept up to date. ``SELF`` is set to the change of
    the row's predictions.
    """
    mean, precision = prior
    for u in range(len(block)):
        w = weights[u]
        quad = alpha * block[u, COUNT] + precision
        first = alpha * (block[u, E0] + block[u, COUNT] * w) + precision * mean
        new = first / quad + normals[u] / np.sqrt(quad)
        weights[u] = new
        block[u, E0] -= (new - w) * block[u, COUNT]
        block[u, SELF] = new - w


@kernel(fastmath=FAST, error_model="numpy")
def draw_weights_of_features(
    block: Float64,
    indptr: Int64,
    rows: Int32,
    weights: Float64,
    prior: Float64,
    alpha: float,
    normals: Float64,
) -> None:
    """Draw the linear weights of further features; ``SELF`` is added to."""
    mean, precision = prior
    for j in range(len(indptr) - 1):
        w = weights[j]
        power = first = 0.0
        for at in range(indptr[j], indptr[j + 1]):
            u = rows[at]
            x = block[u, X]
            power += x * x * block[u, COUNT]
            first += x * block[u, E0]
        quad = alpha * power + precision
        new = (alpha * (first + power * w) + precision * mean) / quad
        new += normals[j] / np.sqrt(quad)
        weights[j] = new
        for at in range(indptr[j], indptr[j + 1]):
            u = rows[at]
            step = block[u, X] * (new - w)
            block[u, E0] -= step * block[u, COUNT]
            block[u, SELF] += step


@kernel(fastmath=FAST, error_model="numpy")
def block_sums(
    indptr: Int64,
    rows: Int32,
    x: Float64,
    weights: Float64,
    power: int,
    out: Float64,
) -> None:
    """Add ``(x_row * weights[j]) ** power`` over each row's features.

    Args:
        indptr: int64 (features + 1,).
        rows: int32, rows with each feature.
        x: float64 (rows,).
        weights: float64 (features,).
        power: 1 or 2.
        out: float64 (rows,), added to.
    """
    for j in range(len(indptr) - 1):
        weight = weights[j] if power == 1 else weights[j] * weights[j]
        for at in range(indptr[j], indptr[j + 1]):
            u = rows[at]
            out[u] += (x[u] if power == 1 else x[u] * x[u]) * weight
