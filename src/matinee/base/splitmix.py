"""The hash of splitmix64 (Steele, Lea & Flood, OOPSLA 2014)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import inlined

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The distance of the numbers that splitmix64 hashes one after the other."""
FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)


def mix(x: Any) -> Any:
    """Return the hash of numbers, uint64, element by element."""
    x = (x ^ (x >> _30)) * FIRST
    x = (x ^ (x >> _27)) * _SECOND
    return x ^ (x >> _31)


mixed = inlined(mix)
"""``mix`` for kernels."""
