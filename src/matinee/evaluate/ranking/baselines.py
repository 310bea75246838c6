"""The lists that every other list is compared with, learned from the same training data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ...data import Histories
from .tally import Scorer

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ListBaselineKind:
    """A way to order items that needs no more than who liked what.

    Attributes:
        fit: From the liked items of training people and the number of items, a scorer. It is
            shown the liked items of the people that it ranks for.
        affordable: Whether it takes seconds, from people and items.
        describe: One line for the documentation.
    """

    fit: Callable[[Histories, int], Scorer]
    affordable: Callable[[int, int], bool]
    describe: str


def liked(histories: Histories, from_rating: float) -> Histories:
    """The entries of at least a rating."""
    keep = histories.values >= from_rating
    who = np.repeat(np.arange(len(histories)), histories.counts)
    indptr = np.zeros(len(histories) + 1, dtype=np.int64)
    np.cumsum(np.bincount(who[keep], minlength=len(histories)), out=indptr[1:])
    return Histories(indptr, histories.items[keep], histories.values[keep], histories.users)


def popularity(train: Histories, n_items: int) -> Scorer:
    """Items by number of people who liked them, the same list for everybody."""
    counts = np.bincount(train.items, minlength=n_items).astype(np.float32)
    return lambda histories: np.tile(counts, (len(histories), 1))


LIST_BASELINES: MappingProxyType[str, ListBaselineKind] = MappingProxyType(
    {
        "popularity": ListBaselineKind(
            popularity,
            lambda people, items: True,
            "Items by the number of training people who liked them.",
        ),
    }
)
"""Every baseline of lists, by name."""
