"""First lines of text tables that name their columns in unusual ways."""

from __future__ import annotations

from collections.abc import Sequence

from .columns import recognised

_NAMED, _NUMBERED, _ITEMS = 3, 5, 4
"""The fewest roles named in a header without a name for row numbers, rows below it, and items in a
header of items."""


def has_row_names(
    first: Sequence[str], rows: Sequence[Sequence[str]], roles: Sequence[str]
) -> bool:
    """Return whether a header lacks the name of the first column, the rows' numbers.

    R's ``write.table`` writes them. In few rows the first column may also be users, and the
    name of the last be missing.
    """
    if recognised(first, roles, {}) < _NAMED or len(rows) < _NUMBERED:
        return False
    if any(len(row) != len(first) + 1 for row in rows):
        return False
    numbers = [row[0].strip() for row in rows]
    return any(numbers == [str(n + at) for n in range(len(rows))] for at in (0, 1))


def is_row_of_items(first: tuple[str, ...], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a first line has the numbers of items in ascending order, after a blank.

    ``DataFrame.to_csv`` writes it for a matrix whose index has no name.
    """
    items = first[1:]
    if first[:1] != ("",) or len(items) < _ITEMS or not all(item.isdecimal() for item in items):
        return False
    numbers = list(map(int, items))
    return numbers == sorted(set(numbers)) and all(row and row[0].strip() for row in rows)
