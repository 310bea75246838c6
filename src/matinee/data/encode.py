"""From checked rows to codes: number the ids, and order by user and item."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32, Int32, Int64
from ..base.memory import large_empty, large_take
from .read.source import MEMORY, Workspace
from .read.stage import Staged, plain_integer
from .values.ids import canonical_sql
from .values.times import TimeUnit, outlying, to_seconds
from .vocabulary import Vocabulary

# Rows that leave DuckDB at a time. Everything is 20 bytes a row in the end, and this part is held
# several times over.
_CHUNK = 1 << 20
_JOINED = (
    "work.main.staged AS s JOIN work.main.users AS users ON users.id = s.u "
    "JOIN work.main.items AS items ON items.id = s.i"
)


@dataclass(eq=False)
class Encoded:
    """Codes, ratings, times and weights ordered by user, item and row in the source.

    Repeats are kept.
    """

    users: Int32
    items: Int32
    values: Float32
    times: Int64 | None
    user_ids: Vocabulary
    item_ids: Vocabulary
    notes: tuple[str, ...] = ()
    weights: Float32 | None = None

    def drop(self, gone: Int64) -> None:
        """Drop rows by position, with a second copy of one column at a time."""
        kept = np.ones(len(self.values), dtype=bool)
        kept[gone] = False
        for name in ("users", "items", "values", "times", "weights"):
            column = getattr(self, name)
            if column is not None:
                setattr(self, name, large_take(column, kept))


def encode(work: Workspace, staged: Staged, unit: TimeUnit | None = None) -> Encoded:
    """Number the ids and bring the rows into order.

    Besides the result, this needs the memory of one chunk of rows and DuckDB's limit.
    """
    user_ids, item_ids = _number(work, "u", "users"), _number(work, "i", "items")
    types: dict[str, npt.DTypeLike] = {"u": np.int32, "i": np.int32, "r": np.float32}
    types |= {"t": np.int64} if staged.timed else {}
    types |= {"w": np.float32} if staged.weighted else {}
    others = ", ".join(name for name in types if name not in "ui")
    # A sort takes all the memory that it may; with half of it, it is hardly slower.
    with suppress(duckdb.OutOfMemoryException):
        work.con.execute("SET memory_limit = '500MB'")
    work.con.execute(
        f"CREATE TABLE work.main.coded AS SELECT users.code AS u, items.code AS i, {others} "
        f"FROM {_JOINED} ORDER BY users.code, items.code, s.rowid"
    )
    work.con.execute(f"SET memory_limit = '{MEMORY}'")
    (read,) = work.one("SELECT count(*) FROM work.main.coded")
    columns = {name: large_empty(read, kind) for name, kind in types.items()}
    for first in range(0, read, _CHUNK):
        chunk = work.con.execute(
            f"SELECT * FROM work.main.coded WHERE rowid >= {first} AND rowid < {first + _CHUNK}"
        ).fetchnumpy()
        for name, column in columns.items():
            column[first : first + _CHUNK] = chunk[name]
    times = columns.get("t")
    notes: tuple[str, ...] = ()
    if times is not None and staged.clock:
        notes = outlying(times, dates=True)
    elif times is not None:
        times, notes = to_seconds(times, unit)
    return Encoded(
        columns["u"], columns["i"], columns["r"], times, user_ids, item_ids, notes, columns.get("w")
    )


def rows_of_pair(work: Workspace, user: int, item: int) -> list[int]:
    """Return the rows, from 0, in which a user (by code) rates an item."""
    rows = work.con.execute(
        f"SELECT s.rowid FROM {_JOINED} "
        f"WHERE users.code = {int(user)} AND items.code = {int(item)} ORDER BY 1"
    ).fetchall()
    return [int(row[0]) for row in rows]


def _number(work: Workspace, column: str, table: str) -> Vocabulary:
    """Number one side's distinct ids in ascending order.

    Ids are compared by the rules of ``data.values.ids``, for every source. Those of
    which every one is a whole number are integers.
    """
    con = work.con
    con.execute(
        f"CREATE TEMP TABLE distinct_{column} AS SELECT DISTINCT {column} AS id "
        "FROM work.main.staged WHERE u IS NOT NULL AND i IS NOT NULL"
    )
    (kind,) = work.one(f"SELECT any_value(typeof(id)) FROM distinct_{column}")
    key = "id"
    if kind != "BIGINT":
        key = canonical_sql("id")
        (plain,) = work.one(f"SELECT bool_and({plain_integer(key)}) FROM distinct_{column}")
        key = f"CAST({key} AS BIGINT)" if plain else key
    con.execute(
        f"CREATE TABLE work.main.{table} AS SELECT id, {key} AS key, "
        f"CAST(dense_rank() OVER (ORDER BY {key}) - 1 AS INTEGER) AS code FROM distinct_{column}"
    )
    keys = con.execute(f"SELECT DISTINCT key FROM work.main.{table} ORDER BY key").fetchnumpy()
    ids = np.asarray(keys["key"])
    return Vocabulary(ids if ids.dtype == np.int64 else ids.astype(object))
