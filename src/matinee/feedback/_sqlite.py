"""Feedback in a file of SQLite."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import FeedbackError
from .store import COLUMNS, Cursor, FeedbackStore

_VERSION = 1
_PATIENCE = 10.0
"""Seconds to wait for another process that writes."""
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS feedback (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL,
        kind TEXT NOT NULL, time INTEGER NOT NULL, item_id TEXT, value REAL, list TEXT,
        rank INTEGER, items TEXT) STRICT""",
    "CREATE INDEX IF NOT EXISTS feedback_user ON feedback (user_id, seq)",
    "CREATE INDEX IF NOT EXISTS feedback_time ON feedback (time)",
    "CREATE TABLE IF NOT EXISTS erased (hash TEXT PRIMARY KEY, time INTEGER NOT NULL) STRICT",
    f"PRAGMA user_version = {_VERSION}",
)
_INSERT = (
    f"INSERT INTO feedback ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "
    "ON CONFLICT (key) DO NOTHING"
)


class SqliteStore(FeedbackStore):
    """Feedback in one file, for the processes of one machine.

    A write-ahead log synchronised at every commit: committed events survive the end of
    the process and of the machine. Readers never wait. Deleted data are overwritten.

    Args:
        url: ``sqlite:PATH``; a new file is readable only by its owner.

    Raises:
        FeedbackError: It cannot be opened, or is of a newer version.
    """

    mark = "?"
    is_local = True

    def __init__(self, url: str) -> None:
        self._path = Path(url.partition(":")[2]).expanduser()
        self._writing, self._reading = threading.Lock(), threading.Lock()
        with self._named_errors():
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            self._writer = self._connect()
            try:
                self._prepare_with_patience()
                self._reader = self._connect()
            except BaseException:
                self._writer.close()
                raise
            self._reader.execute("PRAGMA query_only = ON")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """See ``FeedbackStore``."""
        with (
            self._named_errors(),
            self._writing,
            contextlib.closing(self._writer.cursor()) as cursor,
        ):
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()

    def insert(self, cursor: Cursor, rows: Sequence[tuple[Any, ...]]) -> list[bool]:
        """See ``FeedbackStore``."""
        new = []
        for row in rows:
            cursor.execute(_INSERT, row)
            new.append(cursor.rowcount == 1)
        return new

    def read(self, sql: str, parameters: list[Any]) -> list[Any]:
        """See ``FeedbackStore``."""
        # A single statement is its own transaction.
        with self._named_errors(), self._reading:
            return self._reader.execute(sql, parameters).fetchall()

    def erase(self, user: str) -> int:
        """See ``FeedbackStore``."""
        erased = super().erase(user)
        with self._named_errors(), self._writing:
            # The log still has the old pages; readers may keep some for a moment.
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return erased

    def close(self) -> None:
        """See ``FeedbackStore``."""
        self._reader.close()
        self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare_with_patience(self) -> None:
        """Prepare a file that other processes may be opening for the first time too.

        SQLite's own waiting does not cover the change to a write-ahead log: of two connections that
        ask for it at once, one is refused immediately.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._prepare()
            except sqlite3.OperationalError as error:
                # The low byte is the primary code; the rest is about which lock it was.
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                self._writer.rollback()
            time.sleep(0.01)

    def _prepare(self) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise FeedbackError(f"{self._path}: feedback of a newer Matinee (version {version})")
        if version == _VERSION:
            return
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            self._writer.execute(statement)
        self._writer.commit()

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise FeedbackError(f"feedback in {self._path}: {error}") from None
