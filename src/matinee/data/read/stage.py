"""Read every row of a table into the workspace once, typed and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..ratings import Scale
from .columns import ITEM, RATING, TIME, USER, WEIGHT
from .source import Scan, Workspace, run
from .text import shorten

_SAMPLE = 10_000
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_REALS = ("FLOAT", "DOUBLE", "DECIMAL")
_CLOCKS = ("TIMESTAMP", "DATE")


@dataclass(frozen=True)
class Staged:
    """The checked rows, in the workspace's table ``staged`` (u, i, r, t), in the order read."""

    rows: int
    low: float
    high: float
    timed: bool
    notes: tuple[str, ...]


def stage(
    work: Workspace,
    scan: Scan,
    columns: Mapping[str, str],
    *,
    scale: Scale | None,
    time_mapped: bool,
    missing: Sequence[float] = (),
) -> Staged:
    """Read every row of a table once, typed and checked.

    Args:
        work: Where to keep the rows.
        scan: The table.
        columns: Column name by role.
        scale: The range the ratings must lie in, if one is stated.
        missing: Ratings that mean "not rated", which the scale does not concern.
        time_mapped: Whether the caller named the time column; one that was only recognised is
            left out, with a note, where it holds something else.

    Raises:
        DataError: Naming the first row that cannot be used and why.
    """
    _create(work, scan, columns)
    bad = "u IS NULL OR i IS NULL OR r IS NULL"
    if scale is not None:
        outside = f"r < {scale.low!r}::DOUBLE::FLOAT OR r > {scale.high!r}::DOUBLE::FLOAT"
        real = " AND ".join(f"r <> {value!r}::DOUBLE::FLOAT" for value in missing)
        bad += f" OR (({outside}) AND {real or 'true'})"
    rows, wrong, first, untimed, no_time, low, high = work.one(
        f"SELECT count(*), count(*) FILTER ({bad}), min(rowid) FILTER ({bad}), "
        "count(*) FILTER (t IS NULL), min(rowid) FILTER (t IS NULL), min(r), max(r) "
        "FROM work.main.staged"
    )
    if rows == 0:
        raise DataError(f"{scan.label}: holds no ratings or interactions")
    if wrong:
        raise _bad_row(work, scan, columns, scale, int(first), int(wrong))
    notes: tuple[str, ...] = ()
    timed = TIME in columns and untimed == 0
    if TIME in columns and not timed:
        value = _raw(work, scan, columns[TIME], int(no_time))
        said = "no time" if value is None else f"{shorten(value)} is no time"
        more = f" (and {untimed - 1:,} more)" if untimed > 1 else ""
        problem = f"{scan.place(int(no_time))}: {said}{more}"
        if time_mapped:
            raise DataError(
                f"{problem}; times are seconds or milliseconds since 1970, or ISO dates; mend "
                "the column or leave --time out"
            )
        notes = (f"times left out: {problem}",)
    return Staged(int(rows), float(low), float(high), timed, notes)


def _create(work: Workspace, scan: Scan, columns: Mapping[str, str]) -> None:
    """Make the table ``staged`` of everything in the source.

    Integers are read as integers if the first rows suggest it, which costs half as much as text.
    If a later row shows that they are none, all are read again as text.
    """
    sides = [scan.columns[columns[role]] for role in (USER, ITEM)]
    ids = [_id(*side) for side in sides]
    value = columns.get(RATING, columns.get(WEIGHT))
    rating = "1::FLOAT" if value is None else _rating(scan.columns[value][0])
    time = _time(*scan.columns[columns[TIME]]) if TIME in columns else "NULL::BIGINT"
    sample = f"SELECT {ids[0]} AS u, {ids[1]} AS i FROM {scan.relation} LIMIT {_SAMPLE}"
    seen = run(
        work,
        scan,
        f"SELECT bool_and({plain_integer('u')}), bool_and({plain_integer('i')}) FROM ({sample})",
    ).fetchone()
    typed = [kind in _INTEGERS for _, kind in sides]
    whole = [bool(one) and not done for one, done in zip(seen or typed, typed, strict=True)]
    while True:
        user, item = (
            f"CASE WHEN {plain_integer(sql)} THEN TRY_CAST({sql} AS BIGINT) END"
            if integers
            else sql
            for sql, integers in zip(ids, whole, strict=True)
        )
        run(
            work,
            scan,
            f"CREATE OR REPLACE TABLE work.main.staged AS SELECT {user} AS u, {item} AS i, "
            f"{rating} AS r, {time} AS t FROM {scan.relation}",
        )
        gaps = work.one("SELECT count(*) - count(u), count(*) - count(i) FROM work.main.staged")
        left = [integers and not gap for integers, gap in zip(whole, gaps, strict=True)]
        if left == whole:
            return
        whole = left


def plain_integer(sql: str) -> str:
    """Whether an id is an integer written the plain way, or missing."""
    text = f"CAST(TRY_CAST({sql} AS BIGINT) AS VARCHAR)"
    return f"coalesce({text} = trim(CAST({sql} AS VARCHAR)), {sql} IS NULL)"


def _id(sql: str, kind: str) -> str:
    if kind in _INTEGERS:
        return f"CAST({sql} AS BIGINT)"
    if kind.startswith(_REALS):
        # Integers become reals where a table once had gaps; as text they would differ.
        real = f"TRY_CAST({sql} AS DOUBLE)"
        whole = f"isfinite({real}) AND {real} = trunc({real}) AND abs({real}) < 9e15"
        return (
            f"CASE WHEN isnan({real}) THEN NULL WHEN {whole} "
            f"THEN CAST(TRY_CAST({real} AS BIGINT) AS VARCHAR) ELSE CAST({sql} AS VARCHAR) END"
        )
    return f"NULLIF(CAST({sql} AS VARCHAR), '')"


def _rating(sql: str) -> str:
    real = f"TRY_CAST({sql} AS DOUBLE)"
    return f"CASE WHEN isfinite({real}) THEN TRY_CAST({real} AS FLOAT) END"


def _time(sql: str, kind: str) -> str:
    if kind.startswith(_CLOCKS):
        return f"TRY_CAST(floor(epoch({sql})) AS BIGINT)"
    if kind == "VARCHAR" or kind.startswith("ENUM"):
        return (
            f"coalesce(TRY_CAST(floor(TRY_CAST({sql} AS DOUBLE)) AS BIGINT), "
            f"TRY_CAST(floor(epoch(TRY_CAST({sql} AS TIMESTAMPTZ))) AS BIGINT))"
        )
    if kind.startswith(_REALS):
        return f"TRY_CAST(floor({sql}) AS BIGINT)"
    return f"TRY_CAST({sql} AS BIGINT)"


def _raw(work: Workspace, scan: Scan, column: str, row: int) -> str | None:
    """A value as it stands in the source."""
    sql = scan.columns[column][0]
    (value,) = work.one(f"SELECT CAST({sql} AS VARCHAR) FROM {scan.relation} LIMIT 1 OFFSET {row}")
    return None if value is None else str(value)


def _bad_row(
    work: Workspace,
    scan: Scan,
    columns: Mapping[str, str],
    scale: Scale | None,
    row: int,
    wrong: int,
) -> DataError:
    where = scan.place(row)
    more = f" ({wrong - 1:,} more bad row{'s' * (wrong != 2)})" if wrong > 1 else ""
    no_user, no_item = work.one(
        f"SELECT u IS NULL, i IS NULL FROM work.main.staged WHERE rowid = {row}"
    )
    for missing, role in ((no_user, USER), (no_item, ITEM)):
        if missing:
            return DataError(f"{where}: no {role} id; remove the row or fill it in{more}")
    role = RATING if RATING in columns else WEIGHT
    value = _raw(work, scan, columns[role], row)
    complaint = _complaint(value, columns[role], scan.header, scale, role)
    return DataError(f"{where}: {complaint}{more}")


def _complaint(value: str | None, column: str, header: bool, scale: Scale | None, role: str) -> str:
    if value is None or not value.strip():
        return f"no {role}; remove the row: what is missing is known by its absence"
    said = f"{role} {shorten(value)}"
    try:
        number = float(value)
    except ValueError:
        hint = "; write decimals with a point" if value.replace(",", ".", 1) != value else ""
        other = f"column {column!r}" if header else f"column {column}"
        return (
            f"{said} is not a number{hint}; mend or remove the row, or if {other} is not the "
            f"{role}, name the one that is with --{role} COL"
        )
    if not np.isfinite(number):
        return f"{said} is not finite; remove the row: what is missing is known by its absence"
    if scale is not None and not scale.low <= number <= scale.high:
        return (
            f"rating {number:g} is outside the stated scale {scale.low:g} to {scale.high:g}; "
            "mend the row or state another scale"
        )
    return f"{said} is too large to be a {role}"
