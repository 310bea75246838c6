"""Arguments of ``Recommender``, converted and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.arrays import Array, as_array, nested
from ..data.coerce import as_ratings
from ..errors import UsageError

if TYPE_CHECKING:
    from ..recommend import HistoriesLike


def as_column(ids: Any) -> Array:
    """Return one or more ids as a one-dimensional array; mixed numbers and text keep their types.

    Raises:
        UsageError: A table, a mapping, an array of more dimensions, or a list with lists in it.
    """
    if isinstance(ids, Mapping):
        raise UsageError(
            "ids are passed as a mapping: pass a list of ids (those of exclude and only are for "
            "all users alike)"
        )
    if hasattr(ids, "__array__"):
        column = np.atleast_1d(as_array(ids))
    else:
        single = isinstance(ids, str | bytes) or not isinstance(ids, Iterable)
        column = np.fromiter([ids] if single else ids, dtype=object)
    if column.ndim > 1:
        raise UsageError(f"ids of shape {column.shape}: pass one column, such as frame['user']")
    if column.dtype == object and (lists := column[nested(column)]).size:
        raise UsageError(
            f"{str(lists[0])[:40]} is no id but holds several; pass a flat list of ids, users and "
            "items apart"
        )
    return column


def as_histories(source: HistoriesLike | None) -> HistoriesLike | None:
    """Convert a data frame or a sparse matrix of histories to ratings."""
    if hasattr(source, "columns") or hasattr(source, "tocoo"):
        return as_ratings(source, "histories")
    return source


def paired(users: Any, items: Any) -> tuple[Array, Array]:
    """Return ids of users and items as columns of one length; a single id stands for all.

    Raises:
        UsageError: The lengths differ, or several ids are in a set, which has no order.
    """
    if any(isinstance(ids, Set) and len(ids) > 1 for ids in (users, items)):
        raise UsageError("a set has no order, so its ids cannot be paired; pass lists")
    try:
        user, item = np.broadcast_arrays(as_column(users), as_column(items))
    except ValueError:
        raise UsageError("users and items differ in length") from None
    return user, item


def checked_length(k: int) -> int:
    """Validate the length of lists, or a number of choices.

    Raises:
        UsageError: Not a whole number of at least 1.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise UsageError(f"k must be a whole number of at least 1, not {k!r}")
    return int(k)


def checked_love(love: float | None) -> float | None:
    """Validate the exponent of the probability of liking.

    Raises:
        UsageError: Not a number of at least 0.
    """
    if love is None:
        return None
    if isinstance(love, bool) or not isinstance(love, int | float | np.number) or not love >= 0:
        raise UsageError(f"love must be a number of at least 0, not {love!r}")
    return float(love)


def checked_personal(personal: float) -> float:
    """Validate how personal lists are.

    Raises:
        UsageError: Not a number from -1 to 1.
    """
    number = isinstance(personal, int | float | np.number) and not isinstance(personal, bool)
    if not (number and -1 <= personal <= 1):
        raise UsageError(f"personal must be a number from -1 to 1, not {personal!r}")
    return float(personal)
