"""The optimisers: one step on a row, or any contiguous range, of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float
from ...base.compiled import choose, inlined

ADAM, SGD = 0, 1


Step = tuple[Any, Any, Any, Any, Any, Any, Any]
"""The factors of a step: rate, keep, beta1, beta2, root, eps and l2; see ``move``."""


@inlined
def of_dtype(step: Step, w: Float) -> Step:
    """Return the factors in the dtype of the parameters."""
    rate, keep, beta1, beta2, root, eps, l2 = step
    t = w.dtype.type
    return t(rate), t(keep), t(beta1), t(beta2), t(root), t(eps), t(l2)


def _adam(w: Float, m: Float, v: Float, g: Float, step: Step) -> None:
    """Kingma & Ba 2015, arXiv 1412.6980; with decoupled weight decay, arXiv 1711.05101."""
    rate, keep, beta1, beta2, root, eps, l2 = step
    one = w.dtype.type(1)
    for k in range(len(w)):
        grad = g[k] + l2 * w[k]
        first = beta1 * m[k] + (one - beta1) * grad
        second = beta2 * v[k] + (one - beta2) * grad * grad
        m[k] = first
        v[k] = second
        w[k] = keep * w[k] - rate * first / (np.sqrt(second) / root + eps)


def _sgd(w: Float, m: Float, v: Float, g: Float, step: Step) -> None:
    """Stochastic gradient descent with momentum."""
    rate, keep, beta1, _, _, _, l2 = step
    for k in range(len(w)):
        first = beta1 * m[k] + g[k] + l2 * w[k]
        m[k] = first
        w[k] = keep * w[k] - rate * first


move = choose({ADAM: _adam, SGD: _sgd}, _sgd)
"""``move(kind, w, m, v, g, step)``: one optimiser step on one row (or any contiguous range) of
parameters, with the factors ``step`` in their dtype.

``rate`` is the step size including Adam's first bias correction, ``root`` is sqrt(1 - beta2^t), and
``keep`` is 1 - learning rate * weight decay.
"""
