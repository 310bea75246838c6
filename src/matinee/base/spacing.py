"""Samples that need no random numbers."""

from __future__ import annotations

import numpy as np

from .arrays import Int64


def evenly_spaced(n: int, size: int) -> Int64:
    """Return at most ``size`` positions among ``n``, evenly spaced and ascending, int64."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, size)).astype(np.int64))
