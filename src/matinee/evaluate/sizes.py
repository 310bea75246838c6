"""Bins of people and items by how many ratings they have."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Int64

_EDGES = np.array([0, 1, 5, 10, 20, 50, 100, 200, 500])


def size_labels(sizes: npt.NDArray[Any]) -> tuple[Int64, list[str]]:
    """Which bin of sizes each number of ratings is in, and what the bins are called: "20-49"."""
    which: Int64 = np.searchsorted(_EDGES, sizes, side="right") - 1
    ends = [int(edge) - 1 for edge in _EDGES[1:]]
    lows = [int(edge) for edge in _EDGES]
    labels = [f"{a}" if a == b else f"{a}-{b}" for a, b in zip(lows[:-1], ends, strict=True)]
    return which, [*labels, f"{lows[-1]}+"]
