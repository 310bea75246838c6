"""Random numbers for kernels, from a seed and a counter: the same on any number of threads."""

from __future__ import annotations

import numpy as np

from ...base.compiled import inlined
from ...base.splitmix import GOLDEN, mixed


@inlined
def uniform(salt: np.uint64, counter: np.uint64) -> float:
    """Return a number in [0, 1) from a seed and a counter (splitmix64)."""
    z = mixed(salt + (counter + np.uint64(1)) * GOLDEN)
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)
