"""From checked rows to codes: number the ids, and order by user and item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.arrays import Float32, Int32, Int64, row_bounds
from ..base.memory import large_empty
from ._encode_kernels import drop_rows, place_rows, sort_rows
from .read.source import Workspace
from .read.stage import Staged, plain_integer
from .values.ids import canonical_sql
from .values.times import TimeUnit, to_seconds
from .vocabulary import Vocabulary

# Rows that leave DuckDB at a time. Everything is 20 bytes a row in the end, and this part is held
# several times over.
_CHUNK = 1 << 20
_USERS = 4096
"""Users whose codes are written at a time."""


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
        """Drop rows, by ascending position, without a second copy of the others."""
        if self.weights is not None:
            self.weights = np.delete(self.weights, gone)
        none = np.empty(0, dtype=np.int64)
        times = none if self.times is None else self.times
        drop_rows(gone, self.users, self.items, self.values, times)
        left = len(self.values) - len(gone)
        self.users, self.items = self.users[:left], self.items[:left]
        self.values = self.values[:left]
        self.times = None if self.times is None else self.times[:left]


def encode(work: Workspace, staged: Staged, unit: TimeUnit | None = None) -> Encoded:
    """Number the ids and bring the rows into order.

    Besides the result, this needs the memory of one chunk of rows and DuckDB's limit.
    """
    user_ids, per_user = _number(work, "u", "users")
    item_ids, _ = _number(work, "i", "items")
    read = int(per_user.sum())
    start = row_bounds(per_user)
    items = large_empty(read, np.int32)
    values = large_empty(read, np.float32)
    times = large_empty(read if staged.timed else 0, np.int64)
    weights = large_empty(read if staged.weighted else 0, np.float32)
    free = start[:-1].copy()
    for first in range(0, staged.rows, _CHUNK):
        chunk = work.con.execute(
            f"SELECT s.rowid - {first} AS place, users.code AS u, items.code AS i, r"
            f"{', t' if staged.timed else ''}{', w' if staged.weighted else ''} "
            "FROM work.main.staged AS s "
            "JOIN work.main.users AS users ON users.id = s.u "
            "JOIN work.main.items AS items ON items.id = s.i "
            f"WHERE s.rowid >= {first} AND s.rowid < {first + _CHUNK}"
        ).fetchnumpy()
        position = np.asarray(chunk["place"])
        if len(position) < min(_CHUNK, staged.rows - first):  # Rows were left out.
            position = np.argsort(np.argsort(position))
        place_rows(
            position,
            np.asarray(chunk["u"]),
            np.asarray(chunk["i"]),
            np.asarray(chunk["r"]),
            np.asarray(chunk["t"]) if staged.timed else times,
            np.asarray(chunk["w"], dtype=np.float32) if staged.weighted else weights,
            free,
            items,
            values,
            times,
            weights,
        )
    sort_rows(start, items, values, times, weights)
    users = large_empty(read, np.int32)
    for first in range(0, len(user_ids), _USERS):
        some = per_user[first : first + _USERS]
        users[start[first] : start[first + len(some)]] = np.repeat(
            np.arange(first, first + len(some), dtype=np.int32), some
        )
    notes: tuple[str, ...] = ()
    if staged.timed and not staged.clock:
        times, notes = to_seconds(times, unit)
    timed = times if staged.timed else None
    weighted = weights if staged.weighted else None
    return Encoded(users, items, values, timed, user_ids, item_ids, notes, weighted)


def rows_of_pair(work: Workspace, user: int, item: int) -> list[int]:
    """Return the rows, from 0, in which a user (by code) rates an item."""
    rows = work.con.execute(
        "SELECT s.rowid FROM work.main.staged AS s "
        "JOIN work.main.users AS users ON users.id = s.u "
        "JOIN work.main.items AS items ON items.id = s.i "
        f"WHERE users.code = {int(user)} AND items.code = {int(item)} ORDER BY 1"
    ).fetchall()
    return [int(row[0]) for row in rows]


def _number(work: Workspace, column: str, table: str) -> tuple[Vocabulary, Int64]:
    """Number one side's distinct ids in ascending order, and count their rows.

    Ids are compared by the rules of ``data.values.ids``, for every source. Those of
    which every one is a whole number are integers.
    """
    con = work.con
    con.execute(
        f"CREATE TEMP TABLE distinct_{column} AS "
        f"SELECT {column} AS id, count(*) AS n FROM work.main.staged "
        f"WHERE u IS NOT NULL AND i IS NOT NULL GROUP BY {column}"
    )
    (kind,) = work.one(f"SELECT any_value(typeof(id)) FROM distinct_{column}")
    key = "id"
    if kind != "BIGINT":
        key = canonical_sql("id")
        (plain,) = work.one(f"SELECT bool_and({plain_integer(key)}) FROM distinct_{column}")
        key = f"CAST({key} AS BIGINT)" if plain else key
    con.execute(
        f"CREATE TABLE work.main.{table} AS SELECT id, {key} AS key, n, "
        f"CAST(dense_rank() OVER (ORDER BY {key}) - 1 AS INTEGER) AS code FROM distinct_{column}"
    )
    rows = con.execute(
        f"SELECT any_value(key) AS key, CAST(sum(n) AS BIGINT) AS n FROM work.main.{table} "
        "GROUP BY code ORDER BY code"
    ).fetchnumpy()
    ids = np.asarray(rows["key"])
    if ids.dtype != np.int64:
        ids = ids.astype(object)
    return Vocabulary(ids), np.asarray(rows["n"], dtype=np.int64)
