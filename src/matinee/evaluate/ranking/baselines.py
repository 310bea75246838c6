"""Baselines of list evaluation, fitted to the same training data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ...base.arrays import Float32
from ...data import Histories
from .tally import Scorer

EASE_L2 = 500.0
"""Penalty of the EASE baseline: not tuned, close to the best on MovieLens-1M."""
_EASE_SIDE = 5000
"""Items or users, whichever are fewer, up to which EASE takes seconds: the cost is cubic."""


@dataclass(frozen=True)
class ListBaselineKind:
    """A baseline that needs only the liked items of the training users.

    Attributes:
        fit: Fits a scorer to the liked items of training users and the number of items. The scorer
            takes the liked items of the users to rank for.
        affordable: Whether it takes seconds, for numbers of users and items.
        describe: One line for the documentation.
    """

    fit: Callable[[Histories, int], Scorer]
    affordable: Callable[[int, int], bool]
    describe: str


def liked(histories: Histories, from_rating: float) -> Histories:
    """Return the entries with at least a rating, without weights."""
    return replace(histories.where(histories.values >= from_rating), weights=None)


def popularity(train: Histories, n_items: int) -> Scorer:
    """Rank items by the number of users who liked them."""
    counts = np.bincount(train.items, minlength=n_items).astype(np.float32)
    return lambda histories: np.tile(counts, (len(histories), 1))


def ease(train: Histories, n_items: int) -> Scorer:
    """Fit EASE (Steck 2019), an item-item linear autoencoder in closed form.

    Users who liked nothing get the order of ``popularity``: all their scores of EASE are 0.
    """
    from ...train.linear import LinearConfig, fit_linear

    fitted = fit_linear(train.csr(n_items), LinearConfig(penalty=EASE_L2))
    popular = popularity(train, n_items)

    def scores(histories: Histories) -> Float32:
        ones = replace(histories, values=np.ones_like(histories.values))
        found = fitted.scores(ones.csr(n_items))
        nothing = np.flatnonzero(histories.counts == 0)
        found[nothing] = popular(histories.take(nothing))
        return found

    return scores


LIST_BASELINES: MappingProxyType[str, ListBaselineKind] = MappingProxyType(
    {
        "popularity": ListBaselineKind(
            popularity,
            lambda people, items: True,
            "Items by the number of training people who liked them.",
        ),
        "ease": ListBaselineKind(
            ease,
            lambda people, items: min(people, items) <= _EASE_SIDE,
            f"EASE (Steck 2019) of who liked what, with an L2 penalty of {EASE_L2:g}.",
        ),
    }
)
"""Every baseline of lists, by name."""
