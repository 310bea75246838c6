"""From a scanned table to codes: check every row, number the ids, order by user and item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ._columns import ITEM, RATING, TIME, USER
from ._encode_kernels import drop_rows, place_rows, sort_rows
from ._ratings import Scale
from ._read import Scan, Workspace, run
from ._read_text import shorten
from ._vocabulary import Vocabulary

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]

# Rows that leave DuckDB at a time. Everything is 20 bytes a row in the end, and this part is held
# several times over.
_CHUNK = 1 << 20
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_REALS = ("FLOAT", "DOUBLE", "DECIMAL")
_CLOCKS = ("TIMESTAMP", "DATE")
# Whole seconds stay below 1e11 until the year 5138; a larger number counts something shorter.
_UNITS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))


@dataclass(frozen=True)
class Staged:
    """The checked rows, in the workspace's table ``staged`` (u, i, r, t), in the order read."""

    rows: int
    low: float
    high: float
    timed: bool
    notes: tuple[str, ...]


@dataclass(eq=False)
class Encoded:
    """Codes, ratings and times ordered by user, item and place in the source; repeats are left."""

    users: Int32
    items: Int32
    values: Float32
    times: Int64 | None
    user_ids: Vocabulary
    item_ids: Vocabulary

    def drop(self, gone: Int64) -> None:
        """Drop rows, by ascending position, without a second copy of the others."""
        none = np.empty(0, dtype=np.int64)
        times = none if self.times is None else self.times
        drop_rows(gone, self.users, self.items, self.values, times)
        left = len(self.values) - len(gone)
        self.users, self.items = self.users[:left], self.items[:left]
        self.values = self.values[:left]
        self.times = None if self.times is None else self.times[:left]


def stage(
    work: Workspace,
    scan: Scan,
    columns: Mapping[str, str],
    *,
    scale: Scale | None,
    time_mapped: bool,
) -> Staged:
    """Read every row of a table once, typed and checked.

    Args:
        work: Where to keep the rows.
        scan: The table.
        columns: Column name by role.
        scale: The range the ratings must lie in, if one is stated.
        time_mapped: Whether the caller named the time column; one that was only recognised is
            left out, with a note, where it holds something else.

    Raises:
        DataError: Naming the first row that cannot be used and why.
    """
    user, item, rating = (scan.columns[columns[role]] for role in (USER, ITEM, RATING))
    clock = scan.columns[columns[TIME]] if TIME in columns else None
    run(
        work,
        scan,
        f"CREATE TABLE work.main.staged AS SELECT {_id(*user)} AS u, {_id(*item)} AS i, "
        f"{_rating(rating[0])} AS r, {'NULL::BIGINT' if clock is None else _time(*clock)} AS t "
        f"FROM {scan.relation}",
    )
    bad = "u IS NULL OR i IS NULL OR r IS NULL"
    if scale is not None:
        bad += f" OR r < {scale.low!r}::DOUBLE::FLOAT OR r > {scale.high!r}::DOUBLE::FLOAT"
    rows, wrong, first, untimed, no_time, low, high = work.one(
        f"SELECT count(*), count(*) FILTER ({bad}), min(rowid) FILTER ({bad}), "
        "count(*) FILTER (t IS NULL), min(rowid) FILTER (t IS NULL), min(r), max(r) "
        "FROM work.main.staged"
    )
    if rows == 0:
        raise DataError(f"{scan.label}: holds no ratings")
    if wrong:
        raise _bad_row(work, scan, columns, scale, int(first), int(wrong))
    notes: tuple[str, ...] = ()
    timed = clock is not None and untimed == 0
    if clock is not None and not timed:
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


def encode(work: Workspace, staged: Staged) -> Encoded:
    """Number the ids and bring the rows into order.

    Beyond the result this needs one chunk of rows and what DuckDB is allowed.
    """
    user_ids, per_user = _number(work, "u", "users")
    item_ids, _ = _number(work, "i", "items")
    start = np.zeros(len(user_ids) + 1, dtype=np.int64)
    np.cumsum(per_user, out=start[1:])
    items = np.empty(staged.rows, dtype=np.int32)
    values = np.empty(staged.rows, dtype=np.float32)
    times = np.empty(staged.rows if staged.timed else 0, dtype=np.int64)
    free = start[:-1].copy()
    for first in range(0, staged.rows, _CHUNK):
        chunk = work.con.execute(
            f"SELECT s.rowid - {first} AS place, users.code AS u, items.code AS i, r"
            f"{', t' if staged.timed else ''} FROM work.main.staged AS s "
            "JOIN work.main.users AS users ON users.id = s.u "
            "JOIN work.main.items AS items ON items.id = s.i "
            f"WHERE s.rowid >= {first} AND s.rowid < {first + _CHUNK}"
        ).fetchnumpy()
        place_rows(
            np.asarray(chunk["place"]),
            np.asarray(chunk["u"]),
            np.asarray(chunk["i"]),
            np.asarray(chunk["r"]),
            np.asarray(chunk["t"]) if staged.timed else times,
            free,
            items,
            values,
            times,
        )
    sort_rows(start, items, values, times)
    users = np.repeat(np.arange(len(user_ids), dtype=np.int32), per_user)
    return Encoded(
        users, items, values, _seconds(times) if staged.timed else None, user_ids, item_ids
    )


def rows_of_pair(work: Workspace, user: int, item: int) -> list[int]:
    """The rows, from 0, in which a user (by code) rates an item."""
    found = work.con.execute(
        "SELECT s.rowid FROM work.main.staged AS s "
        "JOIN work.main.users AS users ON users.id = s.u "
        "JOIN work.main.items AS items ON items.id = s.i "
        f"WHERE users.code = {int(user)} AND items.code = {int(item)} ORDER BY 1"
    ).fetchall()
    return [int(row[0]) for row in found]


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


def _number(work: Workspace, column: str, table: str) -> tuple[Vocabulary, Int64]:
    """Number one side's distinct ids in ascending order; also how many rows each has.

    Text ids of which every one is an integer written the plain way are integers, whatever kind
    of source they come from, so that the same ids are equal in a csv and in a parquet file.
    """
    con = work.con
    con.execute(
        f"CREATE TEMP TABLE distinct_{column} AS "
        f"SELECT {column} AS id, count(*) AS n FROM work.main.staged GROUP BY {column}"
    )
    kind, plain = work.one(
        "SELECT any_value(typeof(id)), "
        "bool_and(coalesce(CAST(TRY_CAST(id AS BIGINT) AS VARCHAR) = trim(CAST(id AS VARCHAR)), "
        f"false)) FROM distinct_{column}"
    )
    key = "CAST(id AS BIGINT)" if kind == "BIGINT" or plain else "id"
    con.execute(
        f"CREATE TABLE work.main.{table} AS SELECT id, {key} AS key, n, "
        f"CAST(dense_rank() OVER (ORDER BY {key}) - 1 AS INTEGER) AS code FROM distinct_{column}"
    )
    found = con.execute(
        f"SELECT any_value(key) AS key, CAST(sum(n) AS BIGINT) AS n FROM work.main.{table} "
        "GROUP BY code ORDER BY code"
    ).fetchnumpy()
    ids = np.asarray(found["key"])
    if ids.dtype != np.int64:
        ids = ids.astype(object)
    return Vocabulary(ids), np.asarray(found["n"], dtype=np.int64)


def _seconds(times: Int64) -> Int64:
    most = max(abs(int(times.min())), abs(int(times.max())))
    for above, unit in _UNITS:
        if most > above:
            times //= unit
            break
    return times


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
    value = _raw(work, scan, columns[RATING], row)
    return DataError(f"{where}: {_complaint(value, columns[RATING], scan.header, scale)}{more}")


def _complaint(value: str | None, column: str, header: bool, scale: Scale | None) -> str:
    if value is None or not value.strip():
        return "no rating; remove the row: what is missing is known by its absence"
    said = f"rating {shorten(value)}"
    try:
        number = float(value)
    except ValueError:
        hint = "; write decimals with a point" if value.replace(",", ".", 1) != value else ""
        other = f"column {column!r}" if header else f"column {column}"
        return (
            f"{said} is not a number{hint}; mend or remove the row, or if {other} is not the "
            "rating, name the one that is with --rating COL"
        )
    if not np.isfinite(number):
        return f"{said} is not finite; remove the row: what is missing is known by its absence"
    if scale is not None and not scale.low <= number <= scale.high:
        return (
            f"rating {number:g} is outside the stated scale {scale.low:g} to {scale.high:g}; "
            "mend the row or state another scale"
        )
    return f"{said} is too large to be a rating"
