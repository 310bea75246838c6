"""Conversion and check of the ratings passed to public functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError
from .ratings import Ratings

RatingsLike = Any
"""``Ratings``, or anything that ``load`` reads: a path, a data frame, a mapping of arrays."""


def as_ratings(source: RatingsLike, name: str = "ratings") -> Ratings:
    """Ratings as they are; anything else as ``load`` reads it.

    Args:
        source: ``Ratings``, or a source of ``load``. One user or one item is enough.
        name: What to call a table in memory, in messages.

    Raises:
        UsageError: The source is not supported; the message lists what is.
        DataError: It cannot be read.
    """
    if isinstance(source, Ratings):
        return source
    from .loading import load  # serving does not need the readers of files

    named = None if isinstance(source, str) or hasattr(source, "__fspath__") else name
    return load(source, name=named, allow_single=True)


def require_finite(ratings: Ratings) -> None:
    """Check that every rating is a finite number.

    Raises:
        DataError: Naming the first that is not.
    """
    bad = np.flatnonzero(~np.isfinite(ratings.values))
    if len(bad):
        user = ratings.user_ids.ids[ratings.users[bad[0]]]
        item = ratings.item_ids.ids[ratings.items[bad[0]]]
        raise DataError(
            f"{ratings.name}: the rating of item {item} by user {user} is {ratings.values[bad[0]]}"
            f" ({len(bad):,} such); leave these rows out"
        )
