"""The loss of ordinal outputs and its gradient at the entries: see ``baseline.ordinal``.

It only needs the outputs, given by ``kernels.decode``; ``kernels.encode`` propagates the errors
back to the hidden layers. (For the squared error one kernel does all three in one pass.)
"""

from __future__ import annotations

import math

import numpy as np

from ...base.arrays import Float, Float64, Int32, Int64
from ...base.compiled import part, shared
from ...baseline.ordinal import OrdinalLink


def ordinal_loss(
    link: OrdinalLink,
    indptr: Int64,
    output: Float,
    target: Float,
    weight: Float,
    level: Int32,
) -> tuple[float, float, Float]:
    """Compute the weighted mean loss at the entries, and its gradient.

    Args:
        link: The thresholds and the slope.
        indptr: int64 (rows + 1,).
        output: float (entries,), the latent score minus the constant added to the output.
        target: float (entries,), the rating minus the same constant.
        weight: float (entries,), not negative.
        level: int32 (entries,), the rating's level; -1 for a target that is a latent score (minus
            the same constant), whose loss is the squared error.

    Returns:
        The loss; the mean squared error of the expected ratings; and d loss / d output (entries,).
    """
    totals, error = np.zeros((len(indptr) - 1, 2)), np.empty_like(output)
    levels, thresholds = np.array(link.levels), np.array(link.thresholds)
    scales = levels, thresholds, link.slope, link.loss_scale
    _sums(indptr, (output, target, weight, level), scales, error, totals)
    mass = max(float(weight.sum(dtype=np.float64)), 1e-30)
    error /= mass
    loss, squared = totals.sum(axis=0) / mass
    return float(loss), float(squared), error


_Entries = tuple[Float, Float, Float, Int32]
"""``output``, ``target``, ``weight`` and ``level`` of ``ordinal_loss``."""
_Link = tuple[Float64, Float64, float, float]
"""The attributes ``levels``, ``thresholds``, ``slope`` and ``loss_scale`` of a link."""


@part(error_model="numpy")
def _row(
    first: int, last: int, entries: _Entries, link: _Link, error: Float, total: Float64
) -> None:
    output, target, weight, level = entries
    levels, thresholds, slope, loss_scale = link
    for j in range(first, last):
        k = level[j]
        if k < 0:
            miss = output[j] - target[j]
            loss, gradient, squared = miss * miss, 2.0 * miss, miss * miss
        else:
            score = levels[k] - target[j] + output[j]
            loss, gradient, expected = 0.0, 0.0, levels[0]
            for t in range(len(thresholds)):
                z = slope * (score - thresholds[t])
                above = 1.0 / (1.0 + math.exp(-z))
                expected += (levels[t + 1] - levels[t]) * above
                if t == k:
                    loss += max(z, 0.0) + math.log1p(math.exp(-abs(z)))
                    gradient += slope * above
                elif t == k - 1:
                    loss += max(-z, 0.0) + math.log1p(math.exp(-abs(z)))
                    gradient -= slope * (1.0 - above)
            if 0 < k < len(thresholds):
                loss -= math.log(-math.expm1(slope * (thresholds[k - 1] - thresholds[k])))
            loss, gradient = loss_scale * loss, loss_scale * gradient
            squared = (expected - levels[k]) ** 2
        error[j] = weight[j] * gradient
        total[0] += weight[j] * loss
        total[1] += weight[j] * squared


@shared("indptr", error_model="numpy")
def _sums(
    begin: int,
    end: int,
    indptr: Int64,
    entries: _Entries,
    link: _Link,
    error: Float,
    totals: Float64,
) -> None:
    for r in range(begin, end):
        _row(indptr[r], indptr[r + 1], entries, link, error, totals[r])
