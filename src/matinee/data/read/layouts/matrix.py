"""A wide matrix as text: a row for each user, a column for each item."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from ....errors import DataError
from ...values.ids import MISSING, missing_sql
from ...values.numbers import to_number
from ..columns import ITEM, RATING, USER, USUAL, plain
from ..source import Scan, Workspace, described, literal
from ..text import QUOTE, Layout, first_fault, is_number, records
from ..unpack import Part, label_of

_LOOKED_AT = 100
_FEWEST = 5
_JESTER = 99.0
"""The missing value in the matrices of Jester."""
_MOST = 10.0
"""Ratings of Jester lie between this and its negative."""
_WIDE = 8
"""A list of ratings without a header has fewer columns."""


def open_matrix(
    parts: Sequence[Part], layout: Layout, work: Workspace, decimal: str = "."
) -> Scan | None:
    """Open a wide matrix as a table of user, item and rating; None if the files are not one.

    Two forms are read: one with a header of item ids and the users in its first column, as
    ``DataFrame.pivot`` makes it, with blank cells if missing; and that of Jester, without a
    header, whose first column counts the ratings of the row and in which 99 means none.

    Raises:
        DataError: There are numbers in eight or more columns without a header, which are neither.
    """
    if layout.width < _FEWEST:
        return None
    rows = first_rows(parts[0], layout)
    if layout.names is not None:
        if not _is_pivoted(layout.names, rows, decimal):
            return None
        items = layout.names[1:]
        rated = f"trim(rating) <> '-' AND NOT {missing_sql('rating')}"
        message = "the first column holds the users"
        written = {value for row in rows for value in row[1:]}
        if "" not in written and not written.isdisjoint(("0", "0.0", "0,0")):
            message += ", and 0 is a rating (--missing 0 if it means 'not rated')"
    else:
        filled = [
            [to_number(value, decimal) for value in column if value not in MISSING]
            for column in zip(*rows, strict=True)
        ]
        if any(value is None for column in filled for value in column):
            return None
        cells = [value for column in filled[1:] for value in column if value is not None]
        if _JESTER not in cells or any(abs(v) > _MOST and v != _JESTER for v in cells):
            if sum(map(bool, filled)) < _WIDE:
                return None  # Other columns besides user, item, rating and time.
            raise DataError(
                f"{parts[0].label}: {layout.width} columns of numbers and no header are no list "
                "of ratings; name the columns with --user, --item and --rating (by number), or, "
                "if this is a matrix of users and items, put the items' ids in a first line"
            )
        items = layout.numbers[:-1]
        rated = f"trim(rating) <> '' AND coalesce({_rating(decimal)} <> {_JESTER:g}, true)"
        message = "the first column counts the ratings of each row, and 99 means no rating"
    label = label_of(parts)
    # As text: DuckDB would hold 2,048 rows of all columns in memory, some gigabytes of a wide one.
    filled_cells = _filled(parts, layout, items, work)
    work.con.execute(
        'CREATE TABLE work.main.matrix AS SELECT "1" AS "user", "2" AS item, "3" AS rating '
        f"FROM {Layout(',', QUOTE, None, 3).relation([Part(filled_cells, label)])} WHERE {rated}"
    )
    return Scan(
        relation="work.main.matrix",
        columns=described(work, "work.main.matrix"),
        label=label,
        locate=lambda row: f"{label}, cell {row + 1} of those filled",
        notes=(
            f"read as a matrix of users by {len(items):,} items: {message}",
            *_no_item(work, decimal),
        ),
    )


def _filled(parts: Sequence[Part], layout: Layout, items: Sequence[str], work: Workspace) -> Path:
    """Write the cells of a matrix that are not empty, as lines of user, item and rating.

    Without a header the users are the numbers of the rows, from 1.

    Raises:
        DataError: A row has more or fewer columns, or is not UTF-8.
    """
    target = work.folder / "matrix.csv"
    users = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for part in parts:
            for at, (_, record) in enumerate(records(part.path, layout)):
                if at == 0 and layout.has_header:
                    continue
                try:
                    values = layout.split(record.decode("utf-8-sig"))
                except UnicodeDecodeError:
                    values = []
                if len(values) != layout.width:
                    fault = first_fault([part], layout)
                    raise fault or DataError(f"{part.label}: its rows differ in length")
                users += 1
                user = values[0] if layout.has_header else str(users)
                writer.writerows(
                    (user, item, cell) for item, cell in zip(items, values[1:], strict=True) if cell
                )
    return target


def _no_item(work: Workspace, decimal: str) -> Iterator[str]:
    """Note a column with values far above the others, such as ages or postal codes."""
    value = _rating(decimal)
    *others, (low, high, item) = work.con.execute(
        f"SELECT min({value}), max({value}), item FROM work.main.matrix GROUP BY item "
        "ORDER BY 1 NULLS FIRST"
    ).fetchall() or [(None, None, "")]
    ends = [(one[0], one[1]) for one in others if one[0] is not None]
    if not ends:
        return
    lowest, highest = min(end[0] for end in ends), max(end[1] for end in ends)
    if low - highest > highest - lowest > 0:
        yield (
            f"column {item!r} holds {low:g} to {high:g}, where the others hold {lowest:g} to "
            f"{highest:g}; if it is no item, remove it from the table"
        )


def _rating(decimal: str) -> str:
    """Return the text of a rating as a number, or NULL, as SQL."""
    return f"TRY_CAST(replace(rating, {literal(decimal)}, '.') AS DOUBLE)"


def first_rows(part: Part, layout: Layout) -> list[list[str]]:
    """Return the values of the first rows of a text file that have all columns, without blanks."""
    rows: list[list[str]] = []
    for at, (_, record) in enumerate(records(part.path, layout)):
        if at or not layout.has_header:
            rows.append([v.strip() for v in layout.split(record.decode("utf-8-sig", "replace"))])
        if len(rows) == _LOOKED_AT:
            break
    return [row for row in rows if len(row) == layout.width]


def _is_pivoted(names: Sequence[str], rows: Sequence[Sequence[str]], decimal: str) -> bool:
    """Whether a header is a user column and item ids, over cells that are numbers or blank."""
    first, *items = map(plain, names)
    if first not in ("", "unnamed:0", "index", *USUAL[USER]) or not rows:
        return False
    if any(name in USUAL[role] for name in items for role in (ITEM, RATING)):
        return False
    cells = [value for row in rows for value in row[1:]]
    filled = [value for value in cells if value not in MISSING and value != "-"]
    return all(is_number(value, decimal) for value in filled) and bool(filled)
