"""Lists of ratings without a header whose columns are not user, item, rating and time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ....errors import DataError
from ..columns import ITEM, RATING, TIME, USER
from ..text import Layout, is_number
from ..unpack import Part
from .matrix import first_rows

_ORDER = (ITEM, USER, RATING, TIME)
# A product is an ASIN or an ISBN-10, and a customer a longer code that begins with A.
_PRODUCT = re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]")
_CUSTOMER = re.compile(r"A[0-9A-Z]{9,20}")


_HIGHEST = 10
"""A number above this in a third column is an id rather than a rating."""
_EARLIEST = 1000
"""A number below this in a fourth column is a rating rather than a time."""
_SECONDS = 100_000_000
"""A number from this on (in 1973, in seconds) in a third column is a time rather than a rating."""
_LARGEST = 1000
"""A number above this in a third column of more than four is an id rather than a rating."""
_FRACTION = re.compile(r"\d+\.\d*[1-9]\d*")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


def by_position(parts: Sequence[Part], layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """Return the layout with column names if the item comes first, and notes.

    Raises:
        DataError: The second column holds times, or the third of more than four holds ids.
    """
    if layout.names is not None:
        return layout, ()
    rows = first_rows(parts[0], layout)
    if rows and layout.width > 2 and all(_ISO.fullmatch(r[1]) for r in rows):
        raise DataError(
            f"{parts[0].label}: the second column holds times ({rows[0][1]}), no items; state the "
            "columns by number, as in --user 1 --item 3 --time 2"
        )
    if 3 <= layout.width <= len(_ORDER):
        if rows and all(_PRODUCT.fullmatch(r[0]) and _CUSTOMER.fullmatch(r[1]) for r in rows):
            note = (
                "the columns are read as item, user, rating and time, as in the files of Amazon's "
                "reviews; --user 1 --item 2 reads them the other way round"
            )
            return replace(layout, names=_ORDER[: layout.width], headed=False), (note,)
        timed = [at for at in range(2, layout.width) if rows and all(is_time(r[at]) for r in rows)]
        if timed == [2]:  # a fourth column that holds times too is the one of the times
            names = (USER, ITEM, TIME, RATING)[: layout.width]
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            note = f"the columns are read as {listed}; --rating 3 reads the third as the rating"
            return replace(layout, names=names, headed=False), (note,)
        if any(_FRACTION.fullmatch(r[0]) for r in rows):
            note = (
                "the first column is read as the user, although it holds decimals; if they are "
                "ratings, state --rating 1 --user 2 --item 3"
            )
            return layout, (note,)
    if layout.width >= len(_ORDER) and _counts_rows(rows):
        names = ("row", USER, ITEM, RATING, TIME)
        more = ("",) * (layout.width - len(names))
        note = (
            "the first column counts the rows, so the next are read as user, item, rating and "
            "time; --user 1 --item 2 --rating 3 reads them from the first on"
        )
        return replace(layout, names=(*names[: layout.width], *more), headed=False), (note,)
    if layout.width > len(_ORDER):
        if rows and all(is_number(r[2]) and float(r[2]) > _LARGEST for r in rows):
            raise DataError(
                f"{parts[0].label}: {layout.width} columns without a header, of which the third "
                f"({rows[0][2]}) holds no ratings; state the columns by number, as in --user 1 "
                f"--item 2 --time {layout.width}, with --rating or --weight if there is one"
            )
        note = (
            f"{layout.width} columns without a header, of which the first four are read as user, "
            "item, rating and time; --user, --item, --rating and --time state others by number"
        )
        return layout, (note,)
    return layout, ()


def is_time(cell: str) -> bool:
    """Return whether a cell of a third column is a date or a number so large that it is a time."""
    return _ISO.fullmatch(cell) is not None or (is_number(cell) and float(cell) >= _SECONDS)


def _counts_rows(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first column numbers the rows, and the fourth has the ratings."""
    first = 0 if rows and rows[0][0] == "0" else 1
    return (
        len(rows) > 2
        and all(row[0] == str(number) for number, row in enumerate(rows, start=first))
        and all(row[2].isdigit() and is_number(row[3]) for row in rows)
        and max(int(row[2]) for row in rows) > _HIGHEST
        and max(float(row[3]) for row in rows) < _EARLIEST
    )
