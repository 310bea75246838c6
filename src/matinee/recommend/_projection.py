"""Projection of item vectors to two dimensions, for charts."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Float64


def plane(vectors: Array, weights: Array) -> tuple[Float64, Float64]:
    """Return the first two principal components of vectors.

    Args:
        vectors: (n, width).
        weights: Non-negative weight of each row in the covariance, (n,). Vectors of items with few
            ratings are poorly determined.

    Returns:
        Points, float64 (n, 2), centred at the weighted mean, with a largest absolute coordinate of
        1; and the share of the (weighted) variance along each axis, float64 (2,). The sign of an
        axis makes its largest loading positive, so that equal vectors give equal charts.
    """
    x = np.asarray(vectors, dtype=np.float64)
    share = np.asarray(weights, dtype=np.float64)
    total = share.sum()
    share = share / total if total > 0 else np.full(len(x), 1.0 / max(len(x), 1))
    x = x - share @ x
    values, axes = np.linalg.eigh((x * share[:, None]).T @ x)
    axes = axes[:, ::-1][:, :2]
    axes = axes * np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0))
    points = np.zeros((len(x), 2))
    points[:, : axes.shape[1]] = x @ axes  # a width of 1 has one axis
    farthest = np.abs(points).max(initial=0.0)
    if farthest > 0:
        points /= farthest
    explained = np.zeros(2)
    everything = max(float(values.sum()), 1e-30)
    explained[: axes.shape[1]] = np.maximum(values[::-1][:2], 0.0) / everything
    return points, explained
