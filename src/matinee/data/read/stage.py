"""Read every row of a table into the workspace once, typed and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..ratings import Scale
from ..values.ids import missing_sql
from .columns import ITEM, RATING, TIME, USER, WEIGHT
from .options import ReadOptions
from .source import Scan, Workspace, literal, run
from .text import shorten

_SAMPLE = 10_000
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_REALS = ("FLOAT", "DOUBLE", "DECIMAL")
_CLOCKS = ("TIMESTAMP", "DATE")
_CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def _formats(*dates: str) -> str:
    return (
        "[" + ", ".join(literal(date + clock) for date in dates for clock in _CLOCK_FORMATS) + "]"
    )


# A year of two digits comes first: %Y takes 20 for the year 20.
_MONTH_FIRST = _formats(
    *("%m/%d/%y", "%m-%d-%y", "%m/%d/%Y", "%m-%d-%Y", "%m %d, %Y", "%B %d, %Y", "%b %d, %Y")
)
_DAY_FIRST = _formats(
    *(
        "%d/%m/%y",
        "%d-%m-%y",
        "%d.%m.%y",
        "%d/%m/%Y",
        "%d-%m-%Y",
        "%d.%m.%Y",
        "%d %B %Y",
        "%d %b %Y",
    )
)
_UNAMBIGUOUS = (
    "['%Y-%m', '%a %b %d %H:%M:%S %Y', '%a %b %d %H:%M:%S %z %Y', '%a, %d %b %Y %H:%M:%S GMT', "
    "'%a, %d %b %Y %H:%M:%S %z']"
)
_FIRST_ISO = "TIMESTAMPTZ '1000-01-01'"
"""Earlier times are dates such as 01/02/21, which DuckDB takes for days of the year 1."""


@dataclass(frozen=True)
class Staged:
    """The checked rows, in the workspace's table ``staged`` (u, i, r, t), in the order read.

    Attributes:
        rows: Rows of the table, those left out included.
        low: The lowest rating that is read.
        high: The highest.
        timed: Whether every row that is read has a time.
        notes: What was left out, one sentence each.
        clock: Whether the times are seconds already, as of a column of dates.
    """

    rows: int
    low: float
    high: float
    timed: bool
    notes: tuple[str, ...]
    clock: bool = False


def stage(
    work: Workspace,
    scan: Scan,
    columns: Mapping[str, str],
    *,
    scale: Scale | None,
    time_mapped: bool,
    missing: Sequence[float] = (),
    rows: ReadOptions | None = None,
) -> Staged:
    """Read every row of a table once, typed and checked.

    A row without a user or an item id has NULL for it and is not read further.

    Args:
        work: Where to keep the rows.
        scan: The table.
        columns: Column name by role.
        scale: The range the ratings must lie in, if one is stated.
        missing: Ratings that mean "not rated", which the scale does not concern.
        time_mapped: Whether the caller named the time column; one that was only recognised is
            left out, with a note, where it holds something else.
        rows: What becomes of rows with no id, or with a rating outside the scale.

    Raises:
        DataError: Naming the first row that cannot be used and why.
    """
    rows = rows or ReadOptions()
    time, clock, of_time = _time_of(work, scan, columns.get(TIME))
    complete = _create(work, scan, columns, rows, time)
    notes = [
        *of_time,
        *_leave_out_unnamed(work, scan, columns, rows, complete),
        *(_leave_out_outside(work, scan, scale, missing) if rows.drop_outside_scale else ()),
    ]
    kept = "u IS NOT NULL AND i IS NOT NULL"
    bad = f"{kept} AND (r IS NULL OR {_outside(scale, missing)})"
    total, read, wrong, first, untimed, no_time, low, high = work.one(
        f"SELECT count(*), count(*) FILTER ({kept}), count(*) FILTER ({bad}), "
        f"min(rowid) FILTER ({bad}), count(*) FILTER ({kept} AND t IS NULL), "
        f"min(rowid) FILTER ({kept} AND t IS NULL), min(r) FILTER ({kept}), "
        f"max(r) FILTER ({kept}) FROM work.main.staged"
    )
    if read == 0:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(f"{scan.label}: holds no ratings or interactions{why}")
    if wrong:
        raise _bad_row(work, scan, columns, scale, int(first), int(wrong))
    timed = TIME in columns and untimed == 0
    if TIME in columns and not timed:
        value = _raw(work, scan, columns[TIME], int(no_time))
        message = "no time" if value is None else f"{shorten(value)} is no time"
        more = f" (and {untimed - 1:,} more)" if untimed > 1 else ""
        problem = f"{scan.locate(int(no_time))}: {message}{more}"
        if time_mapped:
            raise DataError(
                f"{problem}; times are seconds or milliseconds since 1970, or ISO dates; mend "
                "the column or leave --time out"
            )
        notes.append(f"times left out: {problem}")
    return Staged(int(total), float(low), float(high), timed, tuple(notes), clock)


def _outside(scale: Scale | None, missing: Sequence[float]) -> str:
    """Whether a rating is outside the scale, as SQL."""
    if scale is None:
        return "false"
    outside = f"r < {scale.low!r}::DOUBLE::FLOAT OR r > {scale.high!r}::DOUBLE::FLOAT"
    real = " AND ".join(f"r <> {value!r}::DOUBLE::FLOAT" for value in missing)
    return f"(({outside}) AND {real or 'true'})"


def _leave_out_unnamed(
    work: Workspace,
    scan: Scan,
    columns: Mapping[str, str],
    rows: ReadOptions,
    complete: Sequence[bool],
) -> Iterator[str]:
    """Set ids that mean missing to NULL, and note the number of rows."""
    for column, role, whole in (("u", USER, complete[0]), ("i", ITEM, complete[1])):
        if whole:
            continue
        (kind,) = work.one(f"SELECT any_value(typeof({column})) FROM work.main.staged")
        if kind == "VARCHAR":
            missing = f"trim({column}) = ''" if rows.keep_missing_ids else missing_sql(column)
            work.con.execute(f"UPDATE work.main.staged SET {column} = NULL WHERE {missing}")
        # A row that lacks both is counted once.
        others = " AND u IS NOT NULL" if column == "i" else ""
        count, first = work.one(
            f"SELECT count(*), min(rowid) FROM work.main.staged WHERE {column} IS NULL{others}"
        )
        if count:
            value = _raw(work, scan, columns[role], int(first))
            message = (
                f"{shorten(value)} stands for none" if value and value.strip() else "it is empty"
            )
            yield (
                f"{count:,} row{'s' * (count != 1)} without {'a' if role == USER else 'an'} {role} "
                f"id left out, the first at {scan.locate(int(first))} ({message})"
            )


def _leave_out_outside(
    work: Workspace, scan: Scan, scale: Scale | None, missing: Sequence[float]
) -> Iterator[str]:
    """Leave out the rows whose rating is outside the scale, and say how many."""
    condition = f"{_outside(scale, missing)} AND u IS NOT NULL AND i IS NOT NULL"
    count, first = work.one(f"SELECT count(*), min(rowid) FROM work.main.staged WHERE {condition}")
    if count:
        work.con.execute(f"UPDATE work.main.staged SET u = NULL WHERE {condition}")
        yield (
            f"{count:,} row{'s' * (count != 1)} outside the scale left out, the first at "
            f"{scan.locate(int(first))}"
        )


def _create(
    work: Workspace, scan: Scan, columns: Mapping[str, str], rows: ReadOptions, time: str
) -> list[bool]:
    """Make the table ``staged`` of everything in the source.

    Integers are read as integers if the first rows suggest it, which costs half as much as text.
    If a later row shows that they are none, all are read again as text.

    Returns:
        Of users and of items, whether every row has an id that is an integer.
    """
    sides = [scan.columns[columns[role]] for role in (USER, ITEM)]
    ids = [_id(*side) for side in sides]
    value = columns.get(RATING, columns.get(WEIGHT))
    rating = "1::FLOAT" if value is None else _rating(*scan.columns[value], rows.decimal)
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
            return [
                not gap and (integers or done)
                for gap, integers, done in zip(gaps, whole, typed, strict=True)
            ]
        whole = left


def plain_integer(sql: str) -> str:
    """Whether an id is an integer in canonical form, or missing."""
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
    if kind == "BLOB":
        return f"coalesce(TRY(decode({sql})), CAST({sql} AS VARCHAR))"
    return f"CAST({sql} AS VARCHAR)"


def _rating(sql: str, kind: str, decimal: str) -> str:
    if kind == "VARCHAR" and decimal != ".":
        sql = f"replace({sql}, {literal(decimal)}, '.')"
    real = f"TRY_CAST({sql} AS DOUBLE)"
    return f"CASE WHEN isfinite({real}) THEN TRY_CAST({real} AS FLOAT) END"


def _time_of(work: Workspace, scan: Scan, column: str | None) -> tuple[str, bool, tuple[str, ...]]:
    """The time of a row as SQL, whether it is in seconds whatever its size, and notes."""
    if column is None:
        return "NULL::BIGINT", False, ()
    sql, kind = scan.columns[column]
    if kind.startswith(_CLOCKS):
        if kind == "TIMESTAMPTZ_NS":  # It has no epoch.
            sql = f"CAST({sql} AS TIMESTAMPTZ)"
        return f"TRY_CAST(floor(epoch({sql})) AS BIGINT)", True, ()
    if kind == "VARCHAR" or kind.startswith("ENUM"):
        number = f"TRY_CAST(floor(TRY_CAST({sql} AS DOUBLE)) AS BIGINT)"
        iso = f"TRY_CAST({sql} AS TIMESTAMPTZ)"
        iso = f"CASE WHEN {iso} >= {_FIRST_ISO} THEN {iso} END"
        other = f"epoch(try_strptime({sql}, {_UNAMBIGUOUS}))"
        month, day = (f"try_strptime({sql}, {formats})" for formats in (_MONTH_FIRST, _DAY_FIRST))
        sample = f"FROM (SELECT * FROM {scan.relation} LIMIT {_SAMPLE})"
        row = run(work, scan, f"SELECT count({sql}), count({number}) {sample}").fetchone()
        mapped, numbers = row or (0, 0)
        if mapped == numbers:  # Trying formats of dates costs more than reading the rows.
            return f"coalesce({number}, TRY_CAST(floor(epoch({iso})) AS BIGINT))", False, ()
        row = run(work, scan, f"SELECT count({month}), count({day}) {sample}").fetchone()
        by_month, by_day = row or (0, 0)
        if by_month or by_day:
            other = f"epoch({day if by_day > by_month else month})"
        notes: tuple[str, ...] = ()
        if by_day == by_month > 0:
            first = _first_text(work, scan, sql, f"{month} <> {day}")
            if first is not None:
                notes = (
                    f"times such as {shorten(first)} are read with the month first, which the "
                    "column does not settle; where the day comes first, write them as 2020-01-31",
                )
        return (
            (
                f"coalesce({number}, TRY_CAST(floor(epoch({iso})) AS BIGINT), "
                f"TRY_CAST(floor({other}) AS BIGINT))"
            ),
            numbers == 0,
            notes,
        )
    if kind.startswith(_REALS):
        return f"TRY_CAST(floor({sql}) AS BIGINT)", False, ()
    return f"TRY_CAST({sql} AS BIGINT)", False, ()


def _first_text(work: Workspace, scan: Scan, sql: str, condition: str) -> str | None:
    """The first value of a text column that meets a condition, among the first rows."""
    sample = f"(SELECT * FROM {scan.relation} LIMIT {_SAMPLE})"
    row = run(work, scan, f"SELECT {sql} FROM {sample} WHERE {condition} LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def _raw(work: Workspace, scan: Scan, column: str, row: int) -> str | None:
    """A value as written in the source."""
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
    where = scan.locate(row)
    more = f" ({wrong - 1:,} more bad row{'s' * (wrong != 2)})" if wrong > 1 else ""
    role = RATING if RATING in columns else WEIGHT
    value = _raw(work, scan, columns[role], row)
    complaint = _complaint(value, columns[role], scan.header, scale, role)
    return DataError(f"{where}: {complaint}{more}")


def _decimal_hint(value: str) -> str:
    """What to do about a number with a decimal comma, or with separators of thousands."""
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", value.strip()):
        return "; write numbers without separators of thousands"
    try:
        float(value.replace(",", ".", 1))
    except ValueError:
        return ""
    return "; write decimals with a point, or state --decimal ,"


def _complaint(value: str | None, column: str, header: bool, scale: Scale | None, role: str) -> str:
    if value is None or not value.strip():
        return f"no {role}; remove the row: what is missing is known by its absence"
    message = f"{role} {shorten(value)}"
    try:
        number = float(value.encode("ascii"))
    except ValueError:
        hint = _decimal_hint(value)
        other = f"column {column!r}" if header else f"column {column}"
        return (
            f"{message} is not a number{hint}; mend or remove the row, or if {other} is not the "
            f"{role}, name the one that is with --{role} COL"
        )
    if not np.isfinite(number):
        return f"{message} is not finite; remove the row: what is missing is known by its absence"
    if scale is not None and not scale.low <= number <= scale.high:
        return (
            f"rating {number:g} is outside the stated scale {scale.low:g} to {scale.high:g}; "
            "mend the row or state another scale"
        )
    return f"{message} is too large to be a {role}"
