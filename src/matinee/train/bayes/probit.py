"""Ordered probit: latent scores, cutpoints, and the expected rating given a score.

A latent z ~ N(f, 1) lies between two of the ordered cutpoints, and the rating is the level between
them (Albert & Chib 1993). The cutpoints are drawn given f alone, with z integrated out, by a
Metropolis step with a Newton proposal; drawn given z they mix slowly with many ratings (Cowles
1996).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...base.arrays import Float32, Float64, Int32
from ...base.compiled import inlined, kernel

WIDE = 100.0
"""Variance of the cutpoints' normal prior."""
_ROOT_2, _ROOT_2PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)
_TINY = 1e-280


@inlined
def upper_tail(x: Any) -> Any:
    """Return P(N(0, 1) > x)."""
    return 0.5 * math.erfc(x / _ROOT_2)


@inlined
def density(x: Any) -> Any:
    """Return the density of N(0, 1)."""
    return math.exp(-0.5 * x * x) / _ROOT_2PI


@inlined
def between(low: Any, high: Any) -> Any:
    """Return P(low < N(0, 1) < high), precise in both tails."""
    start, end = (low, high) if low > 0 else (-high, -low)
    return max(upper_tail(start) - upper_tail(end), _TINY)


@inlined
def quantile(p: Any) -> Any:
    """Return the quantile of N(0, 1), to 16 digits (Wichura 1988, algorithm AS 241)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = 2509.0809287301226727 * r + 33430.575583588128105
        top = top * r + 67265.770927008700853
        top = top * r + 45921.953931549871457
        top = top * r + 13731.693765509461125
        top = top * r + 1971.5909503065514427
        top = top * r + 133.14166789178437745
        top = top * r + 3.387132872796366608
        low = 5226.495278852545925 * r + 28729.085735721942674
        low = low * r + 39307.89580009271061
        low = low * r + 21213.794301586595867
        low = low * r + 5394.1960214247511077
        low = low * r + 687.1870074920579083
        low = low * r + 42.313330701600911252
        low = low * r + 1.0
        quantile = q * top / low
    else:
        r = p if q < 0 else 1.0 - p
        r = math.sqrt(-math.log(max(r, _TINY)))
        if r <= 5.0:
            r -= 1.6
            top = 7.7454501427834140764e-4 * r + 0.0227238449892691845833
            top = top * r + 0.24178072517745061177
            top = top * r + 1.27045825245236838258
            top = top * r + 3.64784832476320460504
            top = top * r + 5.7694972214606914055
            top = top * r + 4.6303378461565452959
            top = top * r + 1.42343711074968357734
            low = 1.05075007164441684324e-9 * r + 5.475938084995344946e-4
            low = low * r + 0.0151986665636164571966
            low = low * r + 0.14810397642748007459
            low = low * r + 0.68976733498510000455
            low = low * r + 1.6763848301838038494
            low = low * r + 2.05319162663775882187
            low = low * r + 1.0
        else:
            r -= 5.0
            top = 2.01033439929228813265e-7 * r + 2.71155556874348757815e-5
            top = top * r + 0.0012426609473880784386
            top = top * r + 0.026532189526576123093
            top = top * r + 0.29656057182850489123
            top = top * r + 1.7848265399172913358
            top = top * r + 5.4637849111641143699
            top = top * r + 6.6579046435011037772
            low = 2.04426310338993978564e-15 * r + 1.4215117583164458887e-7
            low = low * r + 1.8463183175100546818e-5
            low = low * r + 7.868691311456132591e-4
            low = low * r + 0.0148753612908506148525
            low = low * r + 0.13692988092273580531
            low = low * r + 0.59983220655588793769
            low = low * r + 1.0
        quantile = top / low
        if q < 0:
            quantile = -quantile
    return quantile


@kernel(error_model="numpy")
def draw_latent(
    scores: Float32, levels: Int32, bounds: Float64, uniforms: Float64, out: Float32
) -> None:
    """Draw z ~ N(f, 1) within the bounds of each rating's level.

    Args:
        scores: float32 (n,), f.
        levels: int32 (n,), from 0.
        bounds: float64 (levels + 1,), the cutpoints between infinities.
        uniforms: float64 (n,), uniform draws.
        out: float32 (n,).
    """
    for r in range(len(scores)):
        f = scores[r]
        low, high = bounds[levels[r]] - f, bounds[levels[r] + 1] - f
        if low + high > 0:  # from the upper tail, where probabilities keep their digits
            start = upper_tail(high)
            z = -quantile(max(start + uniforms[r] * (upper_tail(low) - start), _TINY))
        else:
            start = upper_tail(-low)
            z = quantile(max(start + uniforms[r] * (upper_tail(-high) - start), _TINY))
        out[r] = f + min(max(z, low), high)


@kernel(error_model="numpy")
def cutpoint_slopes(
    scores: Float32, levels: Int32, bounds: Float64, gradient: Float64, curvature: Float64
) -> float:
    """Compute gradient and curvature of the log-likelihood with respect to the cutpoints.

    Args:
        scores: float32 (n,), f.
        levels: int32 (n,), from 0.
        bounds: float64 (cutpoints + 2,), the cutpoints between infinities.
        gradient: float64 (cutpoints,), overwritten.
        curvature: float64 (cutpoints, cutpoints), overwritten by minus the second derivatives.

    Returns:
        The log-likelihood.
    """
    gradient[:] = 0.0
    curvature[:] = 0.0
    total, last = 0.0, len(bounds) - 2
    for r in range(len(scores)):
        level = levels[r]
        low, high = bounds[level] - scores[r], bounds[level + 1] - scores[r]
        p = between(low, high)
        total += math.log(p)
        above = density(high) / p if level < last else 0.0
        below = density(low) / p if level > 0 else 0.0
        if level < last:
            gradient[level] += above
            curvature[level, level] += high * above + above * above
        if level > 0:
            gradient[level - 1] -= below
            curvature[level - 1, level - 1] += below * below - low * below
        if 0 < level < last:
            curvature[level, level - 1] -= above * below
            curvature[level - 1, level] -= above * below
    return total


def first_cutpoints(counts: Float64) -> Float64:
    """Return cutpoints that reproduce the levels' shares at score 0, float64 (levels - 1,)."""
    from scipy.special import ndtri

    share = np.cumsum(counts)[:-1] / np.sum(counts)
    return ndtri(np.clip(share, 1e-6, 1 - 1e-6))


def bounds_of(cutpoints: Float64) -> Float64:
    """Return the cutpoints between infinities."""
    return np.concatenate([[-np.inf], cutpoints, [np.inf]])


def draw_cutpoints(
    cutpoints: Float64, scores: Float32, levels: Int32, rng: np.random.Generator
) -> Float64:
    """Draw cutpoints by a Metropolis step given the scores, with the latents integrated out."""
    here, mean, root = _newton(cutpoints, scores, levels)
    draw = rng.standard_normal(len(cutpoints))
    proposal = mean + np.linalg.solve(root.T, draw)
    if not np.all(np.diff(proposal) > 0):
        return cutpoints
    there, back_mean, back_root = _newton(proposal, scores, levels)
    forward = np.log(np.diag(root)).sum() - 0.5 * np.square(draw).sum()
    step = back_root.T @ (cutpoints - back_mean)
    backward = np.log(np.diag(back_root)).sum() - 0.5 * np.square(step).sum()
    accepted = np.log(rng.random()) < there - here + backward - forward
    return proposal if accepted else cutpoints


def _newton(cutpoints: Float64, scores: Float32, levels: Int32) -> tuple[float, Float64, Float64]:
    """Return log-posterior, mean of a Newton proposal, and Cholesky root of its precision."""
    gradient = np.empty(len(cutpoints))
    curvature = np.empty((len(cutpoints), len(cutpoints)))
    value = cutpoint_slopes(scores, levels, bounds_of(cutpoints), gradient, curvature)
    value -= 0.5 * float(np.square(cutpoints).sum()) / WIDE
    gradient -= cutpoints / WIDE
    curvature += np.eye(len(cutpoints)) / WIDE
    mean: Float64 = cutpoints + np.linalg.solve(curvature, gradient)
    root: Float64 = np.linalg.cholesky(curvature).astype(np.float64)
    return value, mean, root
