"""Split ratings by windows of time: one to train on, a later one to validate by and to test on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...base.arrays import Int8, Mask
from ...errors import DataError, UsageError, checked_seed
from ..ratings import Ratings
from .rule import TEST, TRAIN, VALID, Moment, seconds, times_of

Columns = dict[str, Any]

Window = tuple[Moment | None, Moment | None]
"""Start of a window, and the first moment after it; None if it is open."""

_OUTSIDE = -1


def window_split(
    ratings: Ratings, train: Window, test: Window, seed: int = 0, *, valid: float = 0.5
) -> tuple[Ratings, Ratings, Ratings]:
    """Split ratings by two windows of time, as in Kuchaiev & Ginsburg (arXiv 1708.01715).

    The ratings of the second window are divided at random into a part to validate by and one to
    test on. Those of users or items without a rating in the first are dropped, and counted in the
    notes of the test part. Ratings in neither window are left out.

    Args:
        ratings: The ratings to split; they must have times.
        train: The window to train on, as (from, to): from a moment on, and before another. A date
            alone is its first second, UTC: ("2005-09-01", "2005-12-01") is three months.
        test: The window to validate and test by; the two must not overlap.
        seed: Seed of the division of the test window.
        valid: The share of it used as the validation part.

    Returns:
        The ratings to train on, to validate by and to test on, with one vocabulary: the users and
        items of the first part.

    Raises:
        UsageError: An invalid window, overlapping windows, or an invalid share.
        DataError: Times are missing, or a part would be empty.
    """
    if not 0 < valid < 1:
        raise UsageError(f"valid = {valid:g}: give a share between 0 and 1")
    part, (users, items), unseen = _labels(ratings, _bounds(train), _bounds(test))
    held = np.flatnonzero(part == TEST)
    chosen = np.random.default_rng(checked_seed(seed)).permutation(held)[: round(valid * len(held))]
    part[chosen] = VALID
    for code, name in ((TRAIN, "train"), (VALID, "validation"), (TEST, "test")):
        if not (part == code).any():
            raise DataError(f"{ratings.name}: these windows leave the {name} part empty")
    notes, overlap_notes = ratings.notes, _overlap_notes(*unseen)
    rest, columns = apart(ratings)
    del ratings  # If the caller has no reference either, its columns are freed one by one below.
    fitted, validated, tested = (one.recoded(users, items) for one in cut(rest, columns, part, 3))
    return (
        replace(fitted, notes=notes),
        replace(validated, notes=()),
        replace(tested, notes=overlap_notes),
    )


def apart(ratings: Ratings) -> tuple[Ratings, Columns]:
    """Ratings without rows, and the columns of the rows by name."""
    names = ("users", "items", "values", "times", "weights")
    known = {name: getattr(ratings, name) for name in names}
    columns: Columns = {name: column for name, column in known.items() if column is not None}
    nothing: Columns = {name: column[:0].copy() for name, column in columns.items()}
    return replace(ratings, **nothing), columns


def cut(rest: Ratings, columns: Columns, part: Int8, n: int) -> list[Ratings]:
    """Return the rows of parts 0 to ``n - 1``, with the vocabularies of the whole.

    Args:
        rest: The fields shared by all parts, as from ``apart``.
        columns: The rows. Emptied column by column, to free memory.
        part: The part of each row; negative for none.
        n: Number of parts.
    """
    parts = [rest] * n
    for name in list(columns):
        column = columns.pop(name)
        parts = [replace(one, **{name: column[part == at]}) for at, one in enumerate(parts)]
    return parts


def _bounds(window: Window) -> tuple[int, int]:
    """Convert a window to seconds."""
    start, stop = window
    low = -(2**63) if start is None else seconds(start)
    high = 2**63 - 1 if stop is None else seconds(stop)
    if low >= high:
        raise UsageError(f"a window from {start} to {stop} holds nothing: its end must come after")
    return low, high


def _labels(
    ratings: Ratings, train: tuple[int, int], test: tuple[int, int]
) -> tuple[Int8, tuple[Mask, Mask], tuple[int, int]]:
    """Return each rating's part, training users and items, and the number of other tests.

    The last are counts of ratings in the test window, of unseen users and of unseen items.

    A rating of an unseen user counts as such, for any item.
    """
    times = times_of(ratings)
    if max(train[0], test[0]) < min(train[1], test[1]):
        raise UsageError("the two windows overlap; a rating cannot be trained on and tested by")
    part = np.full(len(ratings), _OUTSIDE, dtype=np.int8)
    part[(times >= train[0]) & (times < train[1])] = TRAIN
    users, items = seen(ratings, part == TRAIN)
    held = np.flatnonzero((times >= test[0]) & (times < test[1]))
    new_user = ~users[ratings.users[held]]
    new_item = ~items[ratings.items[held]] & ~new_user
    part[held[~(new_user | new_item)]] = TEST
    return part, (users, items), (int(new_user.sum()), int(new_item.sum()))


def seen(ratings: Ratings, rows: Mask | slice = slice(None)) -> tuple[Mask, Mask]:
    """Return which users and items have a rating, among all rows or some."""
    users, items = np.zeros(ratings.n_users, dtype=bool), np.zeros(ratings.n_items, dtype=bool)
    users[ratings.users[rows]] = True
    items[ratings.items[rows]] = True
    return users, items


def _overlap_notes(of_users: int, of_items: int) -> tuple[str, ...]:
    if not of_users + of_items:
        return ()
    return (
        f"{of_users + of_items:,} ratings of the test window left out: {of_users:,} of users and "
        f"{of_items:,} of items without a rating in the training window",
    )
