"""Activations: once for torch (the middle layers), once for the compiled kernels (the output)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import torch
from torch.nn import functional

from ._activation_names import LEAK, SELU_ALPHA, SELU_SCALE

CODES: dict[str, int] = {
    "linear": 0,
    "sigmoid": 1,
    "tanh": 2,
    "relu": 3,
    "relu6": 4,
    "leaky_relu": 5,
    "elu": 6,
    "selu": 7,
    "silu": 8,
}
"""The number by which a kernel knows an activation."""

TORCH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "relu6": functional.relu6,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "selu": torch.selu,
    "silu": functional.silu,
}


@numba.njit(inline="always")
def activate(code: int, x: Any) -> Any:
    """The activation ``code`` at ``x``."""
    if code == 0:
        return x
    if code == 1:
        return 1.0 / (1.0 + np.exp(-x))
    if code == 2:
        return np.tanh(x)
    if code == 3:
        return max(x, 0.0)
    if code == 4:
        return min(max(x, 0.0), 6.0)
    if code == 5:
        return x if x > 0.0 else LEAK * x
    if code == 6:
        return x if x > 0.0 else np.expm1(x)
    if code == 7:
        return SELU_SCALE * (x if x > 0.0 else SELU_ALPHA * np.expm1(x))
    return x / (1.0 + np.exp(-x))


@numba.njit(inline="always")
def slope(code: int, x: Any) -> Any:
    """The derivative of the activation ``code`` at ``x``."""
    if code == 0:
        return 1.0
    if code == 1:
        s = 1.0 / (1.0 + np.exp(-x))
        return s * (1.0 - s)
    if code == 2:
        t = np.tanh(x)
        return 1.0 - t * t
    if code == 3:
        return 1.0 if x > 0.0 else 0.0
    if code == 4:
        return 1.0 if 0.0 < x < 6.0 else 0.0
    if code == 5:
        return 1.0 if x > 0.0 else LEAK
    if code == 6:
        return 1.0 if x > 0.0 else np.exp(x)
    if code == 7:
        return SELU_SCALE * (1.0 if x > 0.0 else SELU_ALPHA * np.exp(x))
    s = 1.0 / (1.0 + np.exp(-x))
    return s * (1.0 + x * (1.0 - s))
