"""Headers: those that name their columns in unusual ways, and those that are repeated below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import DataError
from ..values.ids import MISSING, canonical_sql, literal
from ..values.numbers import to_number
from .columns import ITEM, RATING, USER, WEIGHT, recognised
from .source import Scan, Workspace

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


def stands_above_numbers(first: Sequence[str], rows: Sequence[Sequence[str]], decimal: str) -> bool:
    """Return whether a first line has a text above a column of numbers alone, so that it is a name.

    Args:
        first: The values of the first line.
        rows: Those of the lines below it; of other widths they do not count.
        decimal: The decimal mark.
    """
    columns = zip(*(row for row in rows if len(row) == len(first)), strict=True)
    for name, column in zip(first, columns, strict=False):
        below = [value for value in column if value.strip() not in MISSING]
        if name in MISSING or to_number(name, decimal) is not None:
            continue
        if below and all(to_number(value, decimal) is not None for value in below):
            return True
    return False


def refuse_repeated_header(work: Workspace, scan: Scan, columns: Mapping[str, str]) -> None:
    """Refuse a staged row of interactions that repeats the names of its columns.

    Files that were put together have it. A column of numbers shows it too.

    Raises:
        DataError: Naming the first such row.
    """
    names = columns[USER], columns[ITEM]
    text = all(scan.columns[name][1] == "VARCHAR" for name in names)
    if not text or not scan.header or {RATING, WEIGHT} & set(columns):
        return
    texts = [f"CAST({side} AS VARCHAR)" for side in "ui"]
    pairs = [(text, literal(name)) for text, name in zip(texts, names, strict=True)]
    same = [f"ends_with({text}, {name})" for text, name in pairs]
    same += [f"{canonical_sql(text)} = {name}" for text, name in pairs]  # a mark may precede it
    (row,) = work.one(f"SELECT min(rowid) FROM work.main.staged WHERE {' AND '.join(same)}")
    if row is not None:
        raise DataError(
            f"{scan.locate(int(row))}: the header is repeated here ({', '.join(names)}); remove "
            "the line"
        )
