"""What the stores in SQL have in common; they differ in their connections and their insert."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .event import Event
from .store import FeedbackStore, hash_of

COLUMNS = ("key", "user_id", "kind", "time", "item_id", "value", "list", "rank", "items")
_PAGE = 10_000


class Cursor(Protocol):
    """What both libraries' cursors can do."""

    @property
    def rowcount(self) -> int:
        """Rows that the last statement changed."""

    def execute(self, sql: Any, parameters: Any = ..., /) -> Any:
        """Run a statement."""

    def fetchall(self) -> list[Any]:
        """Return the rows it gave."""


class SqlStore(FeedbackStore):
    """A store in SQL.

    Attributes:
        mark: How the library writes a parameter.
    """

    mark: str

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Cursor]:
        """Return a cursor for a write transaction, committed to disk at its end."""

    @abstractmethod
    def read(self, sql: str, parameters: list[Any]) -> list[Any]:
        """Return the rows of a query, which does not wait for writers."""

    @abstractmethod
    def insert(self, cursor: Cursor, rows: Sequence[tuple[Any, ...]]) -> list[bool]:
        """Insert rows of ``COLUMNS``; which of them were new."""

    def add(self, events: Sequence[Event]) -> list[bool]:
        """See ``FeedbackStore``."""
        if not events:
            return []
        with self.transaction() as cursor:
            return self.insert(cursor, [_row(event) for event in events])

    def of_user(
        self, user: str, kinds: Collection[str] | None = None, limit: int = _PAGE
    ) -> list[Event]:
        """See ``FeedbackStore``."""
        which, parameters = "", [user]
        if kinds is not None:
            which = f"AND kind IN ({', '.join([self.mark] * len(kinds))})"
            parameters += kinds
        rows = self.read(
            f"SELECT {', '.join(COLUMNS)} FROM feedback WHERE user_id = {self.mark} {which} "
            f"ORDER BY seq DESC LIMIT {self.mark}",
            [*parameters, limit],
        )
        return [_event(row) for row in reversed(rows)]

    def page(
        self, after: int = 0, limit: int = _PAGE, user: str | None = None
    ) -> list[tuple[int, Event]]:
        """See ``FeedbackStore``."""
        mark = self.mark
        which, parameters = ("", []) if user is None else (f"AND user_id = {mark}", [user])
        rows = self.read(
            f"SELECT seq, {', '.join(COLUMNS)} FROM feedback WHERE seq > {mark} {which} "
            f"ORDER BY seq LIMIT {mark}",
            [after, *parameters, limit],
        )
        return [(int(row[0]), _event(row[1:])) for row in rows]

    def erase(self, user: str) -> int:
        """See ``FeedbackStore``."""
        with self.transaction() as cursor:
            cursor.execute(f"DELETE FROM feedback WHERE user_id = {self.mark}", (user,))
            erased = cursor.rowcount
            cursor.execute(
                f"INSERT INTO erased VALUES ({self.mark}, {self.mark}) ON CONFLICT DO NOTHING",
                (hash_of(user), int(time.time())),
            )
        return erased

    def is_erased(self, user: str) -> bool:
        """See ``FeedbackStore``."""
        return bool(self.read(f"SELECT 1 FROM erased WHERE hash = {self.mark}", [hash_of(user)]))

    def erased(self) -> frozenset[str]:
        """See ``FeedbackStore``."""
        return frozenset(row[0] for row in self.read("SELECT hash FROM erased", []))

    def prune(self, before: int) -> int:
        """See ``FeedbackStore``."""
        with self.transaction() as cursor:
            cursor.execute(f"DELETE FROM feedback WHERE time < {self.mark}", (before,))
            return cursor.rowcount

    def count(self) -> int:
        """See ``FeedbackStore``."""
        return int(self.read("SELECT count(*) FROM feedback", [])[0][0])


def _row(event: Event) -> tuple[Any, ...]:
    items = None if event.items is None else json.dumps(event.items, ensure_ascii=False)
    return (
        *(event.key, event.user, event.kind, event.time, event.item, event.value),
        *(event.list, event.rank, items),
    )


def _event(row: Sequence[Any]) -> Event:
    items = None if row[8] is None else tuple(json.loads(row[8]))
    key, user, kind, time_, item, value, list_, rank = row[:8]
    return Event(key, user, kind, time_, item, value, list_, rank, items)
