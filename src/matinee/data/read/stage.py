"""Read every row of a table into the workspace once, typed and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..ratings import Scale
from ..values.ids import MISSING, missing_sql
from ..values.numbers import number_hint, to_number
from .columns import CLOCK, ITEM, RATING, TIME, USER, WEIGHT, refuse_renamed
from .headers import refuse_repeated_header
from .options import ReadOptions
from .source import SAMPLE, Scan, Workspace, run, with_points
from .text import shorten
from .timestamps import REALS, is_text, number_sql, time_column, time_sql

_WHOLE_BITS = {"FLOAT": 24, "DOUBLE": 53}
"""Bits up to which each kind of real has every whole number."""
_MOMENTS = ("TIME", "INTERVAL")
"""How the names of types of moments and spans begin. Their texts differ by library, so that equal
ids would differ."""
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_INTEGER = (
    "CAST(TRY_CAST({0} AS BIGINT) AS VARCHAR) = CAST({0} AS VARCHAR)",
    "CAST(TRY_CAST({0} AS BIGINT) AS VARCHAR) = trim(CAST({0} AS VARCHAR))",
)
"""Whether an id is an integer in canonical form; the second allows blanks and costs more."""


@dataclass(frozen=True)
class Staged:
    """The checked rows, in the workspace's table ``staged`` (u, i, r, t), in the order read.

    If ratings have weights there is a fifth column, w.

    Attributes:
        rows: Rows of the table, those left out included.
        low: The lowest rating that is read.
        high: The highest.
        timed: Whether every row that is read has a time.
        notes: What was left out, one sentence each.
        clock: Whether the times are seconds already, as of a column of dates.
        weighted: Whether ratings have weights.
    """

    rows: int
    low: float
    high: float
    timed: bool
    notes: tuple[str, ...]
    clock: bool = False
    weighted: bool = False


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

    Ratings that are ``missing`` mean "not rated", and the scale does not concern them. A time
    column that the caller has not named, but that was recognised, is left out, with a note, if
    it has other content.

    Raises:
        DataError: Naming the first row that cannot be used and why.
    """
    rows = rows or ReadOptions()
    scan = with_points(scan, columns.values(), rows.decimal)
    checks, mapped, numbers = _sampled(work, scan, columns)
    names = columns.get(TIME), columns.get(CLOCK)
    time, clock, of_time = time_sql(work, scan, *names, mapped, numbers)
    complete = _create(work, scan, columns, rows, time, checks)
    _check_kinds(work, scan, columns)
    refuse_repeated_header(work, scan, columns)
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
        reason = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(f"{scan.label}: holds no ratings or interactions{reason}")
    if wrong:
        raise _bad_row(work, scan, columns, scale, int(first), int(wrong), int(read))
    weighted = RATING in columns and WEIGHT in columns
    if weighted:
        _check_weights(work, scan, columns[WEIGHT])
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
    return Staged(int(total), float(low), float(high), timed, tuple(notes), clock, weighted)


def _check_kinds(work: Workspace, scan: Scan, columns: Mapping[str, str]) -> None:
    """Refuse ids that are times, or reals too large to be exact whole numbers."""
    for role, name in ((USER, "u"), (ITEM, "i")):
        kind = scan.columns[columns[role]][1]
        if kind.startswith(_MOMENTS):
            raise DataError(
                f"{scan.label}: column {columns[role]!r} holds times ({kind.lower()}), no {role}s; "
                f"name another with --{role} COL, or pass it as text"
            )
        bits = _WHOLE_BITS.get(kind)
        if bits is None:
            continue
        real = f"TRY_CAST({name} AS DOUBLE)"
        (value,) = work.one(
            f"SELECT any_value({real}) FILTER (isfinite({real}) AND abs({real}) >= {2**bits}) "
            "FROM work.main.staged"
        )
        if value is not None:
            raise DataError(
                f"{scan.label}: the column {columns[role]!r} holds ids as {kind.lower()}, which "
                f"has one number for several ids from {2**bits:,}, such as {value:.0f}; write "
                "them as integers or text (pandas makes floats of integers with gaps: read them "
                'with dtype="Int64" or str)'
            )


def _check_weights(work: Workspace, scan: Scan, column: str) -> None:
    """Refuse a rating whose weight is not a number above 0."""
    count, first = work.one(
        "SELECT count(*), min(rowid) FROM work.main.staged "
        "WHERE u IS NOT NULL AND i IS NOT NULL AND (w IS NULL OR w <= 0)"
    )
    if count:
        value = _raw(work, scan, column, int(first))
        raise DataError(
            f"{scan.locate(int(first))}: the weight {shorten(value or '')} is no number above 0 "
            f"({count:,} such); remove such rows, or leave --weight out"
        )


def _outside(scale: Scale | None, missing: Sequence[float]) -> str:
    """Return whether a rating is outside the scale, as SQL."""
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
            refuse_renamed(work, scan, columns, role)
            value = _raw(work, scan, columns[role], int(first))
            message = (
                f"{shorten(value)} means missing" if value and value.strip() else "it is empty"
            )
            yield (
                f"{count:,} row{'s' * (count != 1)} without {'a' if role == USER else 'an'} {role} "
                f"id left out, the first at {scan.locate(int(first))} ({message})"
            )


def _leave_out_outside(
    work: Workspace, scan: Scan, scale: Scale | None, missing: Sequence[float]
) -> Iterator[str]:
    """Leave out rows whose rating is outside the scale, and note how many."""
    condition = f"{_outside(scale, missing)} AND u IS NOT NULL AND i IS NOT NULL"
    count, first = work.one(f"SELECT count(*), min(rowid) FROM work.main.staged WHERE {condition}")
    if count:
        work.con.execute(f"UPDATE work.main.staged SET u = NULL WHERE {condition}")
        yield (
            f"{count:,} row{'s' * (count != 1)} outside the scale left out, the first at "
            f"{scan.locate(int(first))}"
        )


def _create(
    work: Workspace,
    scan: Scan,
    columns: Mapping[str, str],
    rows: ReadOptions,
    time: str,
    checks: Sequence[str],
) -> list[bool]:
    """Make the table ``staged`` of everything in the source.

    Integers are read as integers if the first rows suggest it, which costs half as much as text.
    If a later row contradicts this, all are read again as text.

    Returns:
        Of users and of items, whether every row has an id that is an integer.
    """
    sides = [scan.columns[columns[role]] for role in (USER, ITEM)]
    ids = [_id(*side) for side in sides]
    value = columns.get(RATING, columns.get(WEIGHT))
    rating = "1::FLOAT" if value is None else _rating(*scan.columns[value])
    weight = ""
    if RATING in columns and WEIGHT in columns:
        weight = f", {_rating(*scan.columns[columns[WEIGHT]])} AS w"
    typed = [kind in _INTEGERS for _, kind in sides]
    whole = [bool(check) and not done for check, done in zip(checks, typed, strict=True)]
    while True:
        user, item = (
            f"CASE WHEN {check.format(sql)} THEN TRY_CAST({sql} AS BIGINT) END" if integers else sql
            for sql, check, integers in zip(ids, checks, whole, strict=True)
        )
        run(
            work,
            scan,
            f"CREATE OR REPLACE TABLE work.main.staged AS SELECT {user} AS u, {item} AS i, "
            f"{rating} AS r, {time} AS t{weight} FROM {scan.relation}",
        )
        gaps = work.one("SELECT count(*) - count(u), count(*) - count(i) FROM work.main.staged")
        left = [integers and not gap for integers, gap in zip(whole, gaps, strict=True)]
        if left == whole:
            return [
                not gap and (integers or done)
                for gap, integers, done in zip(gaps, whole, typed, strict=True)
            ]
        whole = left


def _sampled(work: Workspace, scan: Scan, columns: Mapping[str, str]) -> tuple[list[str], int, int]:
    """Inspect the first rows in one query, since each query parses a whole buffer of text.

    Returns:
        Of users and of items, the check, with ``{0}`` for the id, that all of their ids are
        integers, or ``""``; the number of times that are text; and the number of these that are
        numeric.
    """
    ids = [_id(*scan.columns[columns[role]]) for role in (USER, ITEM)]
    time, kind = "", ""
    if TIME in columns:
        time, kind = time_column(scan, columns[TIME], columns.get(CLOCK))
    time = time if is_text(kind) else "NULL"
    passed = ", ".join(
        f"coalesce(bool_and(coalesce({check.format(side)}, {side} IS NULL)), true)"
        for side in "ui"
        for check in _INTEGER
    )
    row = run(
        work,
        scan,
        f"SELECT {passed}, count(t), count({number_sql('t')}) FROM (SELECT "
        f"{ids[0]} AS u, {ids[1]} AS i, {time} AS t FROM {scan.relation} LIMIT {SAMPLE})",
    ).fetchone()
    assert row is not None
    n = len(_INTEGER)
    checks = [
        next((check for check, all_pass in zip(_INTEGER, side, strict=True) if all_pass), "")
        for side in (row[:n], row[n : 2 * n])
    ]
    return checks, int(row[2 * n]), int(row[2 * n + 1])


def plain_integer(sql: str) -> str:
    """Return whether an id is an integer in canonical form, or missing."""
    return f"coalesce({_INTEGER[1].format(sql)}, {sql} IS NULL)"


def _id(sql: str, kind: str) -> str:
    if kind in _INTEGERS:
        return f"CAST({sql} AS BIGINT)"
    if kind.startswith(REALS):
        # Integers become reals if a table once had gaps; as text they would differ.
        real = f"TRY_CAST({sql} AS DOUBLE)"
        whole = f"isfinite({real}) AND {real} = trunc({real}) AND abs({real}) < 9e15"
        text = f"CAST({sql} AS VARCHAR)"
        if kind.startswith("DECIMAL"):
            text = f"CASE WHEN contains({text}, '.') THEN rtrim({text}, '0') ELSE {text} END"
        return (
            f"CASE WHEN isnan({real}) THEN NULL WHEN {whole} "
            f"THEN CAST(TRY_CAST({real} AS BIGINT) AS VARCHAR) ELSE rtrim({text}, '.') END"
        )
    if kind == "BOOLEAN":
        return f"CASE WHEN {sql} THEN 'True' WHEN NOT {sql} THEN 'False' END"
    if kind == "BLOB":
        return f"coalesce(TRY(decode({sql})), CAST({sql} AS VARCHAR))"
    return f"CAST({sql} AS VARCHAR)"


def _rating(sql: str, kind: str) -> str:
    real = f"TRY_CAST({sql} AS DOUBLE)"
    if kind == "VARCHAR":  # Booleans as pandas writes them to text; DuckDB reads 1_0 as 10.
        real = f"CASE WHEN NOT contains({sql}, '_') THEN {real} END"
        real = (
            f"coalesce({real}, CASE lower(trim({sql})) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)"
        )
    return f"CASE WHEN isfinite({real}) THEN TRY_CAST({real} AS FLOAT) END"


def _raw(work: Workspace, scan: Scan, column: str, row: int) -> str | None:
    """Return a value as written in the source."""
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
    read: int,
) -> DataError:
    where = scan.locate(row)
    more = f" ({wrong - 1:,} more bad row{'s' * (wrong != 2)})" if wrong > 1 else ""
    role = RATING if RATING in columns else WEIGHT
    value = _raw(work, scan, columns[role], row)
    if value is None:
        refuse_renamed(work, scan, columns, role)
    complaint = _complaint(value, columns[role], scan.header, scale, role, every=wrong == read)
    return DataError(f"{where}: {complaint}{more}")


def _complaint(
    value: str | None, column: str, header: bool, scale: Scale | None, role: str, *, every: bool
) -> str:
    if value is None or not value.strip():
        return f"no {role}; remove the row: what is missing is known by its absence"
    message = f"{role} {shorten(value)}"
    if value.strip() == column:
        return f"the header is repeated here ({column}); remove the line"
    number = to_number(value)
    if number is None and value.strip() in MISSING:
        return (
            f"no {role} ({value.strip()}); remove the row: what is missing is known by its absence"
        )
    if number is None:
        hint = number_hint(value)
        other = f"column {column!r}" if header else f"column {column}"
        mend = "mend or remove the row"
        if every and not hint:
            mend = f"write each {role} as a number, such as 1 for a like and 0 for a dislike"
        return (
            f"{message} is not a number{hint}; {mend}, or if {other} is not the {role}, name the "
            f"one that is with --{role} COL"
        )
    if not np.isfinite(number):
        return f"{message} is not finite; remove the row: what is missing is known by its absence"
    if scale is not None and not scale.low <= number <= scale.high:
        return (
            f"rating {number:g} is outside the stated scale {scale.low:g} to {scale.high:g}; "
            "mend the row or state another scale"
        )
    return f"{message} is too large to be a {role}"
