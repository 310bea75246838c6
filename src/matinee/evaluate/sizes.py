"""Bins of users and items by their number of ratings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..base.arrays import Array, Int64

_EDGES = (0, 1, 5, 10, 20, 50, 100, 200, 500)


def size_bins(sizes: Array) -> Iterator[tuple[str, Int64]]:
    """Yield the ranges of numbers of ratings, such as "20-49", and the positions in each.

    Ranges without any are left out.
    """
    bins = np.searchsorted(_EDGES, sizes, side="right") - 1
    for at, (low, above) in enumerate(zip(_EDGES, (*_EDGES[1:], None), strict=True)):
        positions = np.flatnonzero(bins == at)
        if len(positions):
            end = "+" if above is None else "" if above == low + 1 else f"-{above - 1}"
            yield f"{low}{end}", positions
