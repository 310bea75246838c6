"""``as_ratings``: converts the table passed to any public function."""

from __future__ import annotations

from typing import Any

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
