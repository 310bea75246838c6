"""Bins of users and items by their number of ratings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Int64

_EDGES = np.array([0, 1, 5, 10, 20, 50, 100, 200, 500])


def size_labels(sizes: npt.NDArray[Any]) -> tuple[Int64, list[str]]:
    """Return the bin of each number of ratings, and the names of the bins, such as "20-49"."""
    bins: Int64 = np.searchsorted(_EDGES, sizes, side="right") - 1
    ends = [int(edge) - 1 for edge in _EDGES[1:]]
    lows = [int(edge) for edge in _EDGES]
    labels = [f"{a}" if a == b else f"{a}-{b}" for a, b in zip(lows[:-1], ends, strict=True)]
    return bins, [*labels, f"{lows[-1]}+"]
