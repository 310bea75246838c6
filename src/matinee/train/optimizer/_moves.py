"""The optimisers: one step on a row, or any contiguous range, of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float
from ...base.compiled import choose

ADAM, SGD = 0, 1


def _adam(
    w: Float,
    m: Float,
    v: Float,
    g: Float,
    rate: Any,
    keep: Any,
    beta1: Any,
    beta2: Any,
    root: Any,
    eps: Any,
    l2: Any,
) -> None:
    """Kingma & Ba 2015, arXiv 1412.6980; with decoupled weight decay, arXiv 1711.05101."""
    one = w.dtype.type(1)
    for k in range(len(w)):
        grad = g[k] + l2 * w[k]
        first = beta1 * m[k] + (one - beta1) * grad
        second = beta2 * v[k] + (one - beta2) * grad * grad
        m[k] = first
        v[k] = second
        w[k] = keep * w[k] - rate * first / (np.sqrt(second) / root + eps)


def _sgd(
    w: Float,
    m: Float,
    v: Float,
    g: Float,
    rate: Any,
    keep: Any,
    beta1: Any,
    beta2: Any,
    root: Any,
    eps: Any,
    l2: Any,
) -> None:
    """Stochastic gradient descent with momentum."""
    for k in range(len(w)):
        first = beta1 * m[k] + g[k] + l2 * w[k]
        m[k] = first
        w[k] = keep * w[k] - rate * first


move = choose({ADAM: _adam, SGD: _sgd}, _sgd)
"""``move(kind, w, m, v, g, rate, keep, beta1, beta2, root, eps, l2)``: one optimiser step on one
row (or any contiguous range) of parameters.

``rate`` is the step size including Adam's first bias correction, ``root`` is sqrt(1 - beta2^t), and
``keep`` is 1 - learning rate * weight decay.
"""
