"""Feedback in PostgreSQL."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from ..data.table import library
from ..errors import FeedbackError
from .store import COLUMNS, Cursor, FeedbackStore

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS feedback (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE,
        user_id text NOT NULL, kind text NOT NULL, time bigint NOT NULL, item_id text,
        value double precision, list text, rank integer, items text)""",
    "CREATE INDEX IF NOT EXISTS feedback_user ON feedback (user_id, seq)",
    "CREATE INDEX IF NOT EXISTS feedback_time ON feedback (time)",
    "CREATE TABLE IF NOT EXISTS erased (hash text PRIMARY KEY, time bigint NOT NULL)",
)
_LOCK = 0x6D6174696E6565
"""Lock held while tables are made and events written: numbers are then assigned in
the order of commits, and a reader that has seen one number has seen all smaller ones."""
_TYPES = ("text", "text", "text", "bigint", "text", "double precision", "text", "integer", "text")


class PostgresStore(FeedbackStore):
    """Feedback in a database of PostgreSQL, for servers on several machines.

    Two connections, one to write and one to read, reconnected after a failure. Committed events are
    as safe as the database's ``synchronous_commit`` and ``fsync`` make it; both are on by default.

    Args:
        url: ``postgresql://USER@HOST/DATABASE``, as libpq reads it.

    Raises:
        UsageError: psycopg is not installed.
        FeedbackError: The database cannot be reached.
    """

    mark = "%s"

    def __init__(self, url: str) -> None:
        self._psycopg, self._url = library("psycopg", "databases"), url
        self._locks = {use: threading.Lock() for use in ("write", "read")}
        self._connections: dict[str, Any] = {}
        with self.transaction() as cursor:
            for statement in _SCHEMA:
                cursor.execute(statement)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """See ``FeedbackStore``."""
        with self._cursor("write") as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            yield cursor

    def read(self, sql: str, parameters: list[Any]) -> list[Any]:
        """See ``FeedbackStore``."""
        with self._cursor("read") as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def insert(self, cursor: Cursor, rows: Sequence[tuple[Any, ...]]) -> list[bool]:
        """See ``FeedbackStore``."""
        columns = ", ".join(COLUMNS)
        arrays = ", ".join(f"%s::{kind}[]" for kind in _TYPES)
        cursor.execute(
            f"INSERT INTO feedback ({columns}) SELECT {columns} FROM "
            f"unnest({arrays}) WITH ORDINALITY AS given ({columns}, place) ORDER BY place "
            "ON CONFLICT (key) DO NOTHING RETURNING key",
            [list(column) for column in zip(*rows, strict=True)],
        )
        new = {row[0] for row in cursor.fetchall()}
        inserted = []
        for row in rows:
            inserted.append(row[0] in new)
            new.discard(row[0])  # a repeated key in these rows is not new
        return inserted

    def close(self) -> None:
        """See ``FeedbackStore``."""
        for connection in self._connections.values():
            connection.close()

    @contextlib.contextmanager
    def _cursor(self, use: str) -> Iterator[Cursor]:
        """A cursor in a transaction, on the connection of a use."""
        with self._locks[use], self._named_errors():
            connection = self._connection(use)
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor

    def _connection(self, use: str) -> Any:
        """Return an open connection; one that the database has ended is replaced."""
        connection = self._connections.get(use)
        if connection is not None and not connection.closed:
            try:
                connection.execute("SELECT 1")
                return connection
            except self._psycopg.Error:
                connection.close()
        connection = self._psycopg.connect(self._url, autocommit=True, connect_timeout=10)
        self._connections[use] = connection
        return connection

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except self._psycopg.Error as error:
            # Its details may contain personal values.
            reason = (
                str(error).partition("\n")[0]
                if isinstance(error, self._psycopg.OperationalError)
                else type(error).__name__
            )
            raise FeedbackError(f"feedback in PostgreSQL: {reason}") from None
