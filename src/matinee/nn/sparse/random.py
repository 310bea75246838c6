"""Random numbers for kernels, from a seed and a counter: the same on any number of threads."""

from __future__ import annotations

import numpy as np

from ...base.compiled import inlined


@inlined
def uniform(salt: np.uint64, counter: np.uint64) -> float:
    """Return a number in [0, 1) from a seed and a counter (splitmix64)."""
    z = salt + (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)
