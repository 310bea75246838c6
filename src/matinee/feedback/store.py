"""``FeedbackStore``: stores of feedback; ``STORES`` has the databases by URL scheme."""

from __future__ import annotations

import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from ..base.text import without_password
from ..errors import UsageError
from .event import Event

COLUMNS = ("key", "user_id", "kind", "time", "item_id", "value", "list", "rank", "items")
_PAGE = 10_000
_DAY = 86_400


class Cursor(Protocol):
    """What the cursors of all databases can do."""

    @property
    def rowcount(self) -> int:
        """Rows that the last statement changed."""

    def execute(self, sql: Any, parameters: Any = ..., /) -> Any:
        """Run a statement."""

    def fetchall(self) -> list[Any]:
        """Return the rows it gave."""


class FeedbackStore(ABC):
    """A durable store of events in an SQL database. Every method may be called from any thread.

    What ``add`` returned from is on the disk, and seen by every process that reads afterwards.
    Every method raises ``FeedbackError`` if the store cannot be reached. Databases differ in their
    connections and their insert.

    Attributes:
        mark: How the library writes a parameter.
        is_local: Whether a user's events are normally read from this machine's memory, so that
            an event loop may wait for them.
    """

    mark: ClassVar[str]
    is_local: ClassVar[bool] = False

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Cursor]:
        """Return a cursor for a write transaction, committed to disk at its end."""

    @abstractmethod
    def read(self, sql: str, parameters: list[Any]) -> list[Any]:
        """Return the rows of a query, which does not wait for writers."""

    @abstractmethod
    def insert(self, cursor: Cursor, rows: Sequence[tuple[Any, ...]]) -> list[bool]:
        """Insert rows of ``COLUMNS``; which of them were new."""

    @abstractmethod
    def close(self) -> None:
        """Close files and connections."""

    def add(self, events: Sequence[Event]) -> list[bool]:
        """Keep events, all or none.

        Returns:
            Which of them are new: of two with one key the first is kept.
        """
        if not events:
            return []
        with self.transaction() as cursor:
            return self.insert(cursor, [_row(event) for event in events])

    def of_user(
        self, user: str, kinds: Collection[str] | None = None, limit: int = _PAGE
    ) -> list[Event]:
        """Return the latest events of a user, in order of arrival.

        Args:
            user: Canonical id of the user.
            kinds: Kinds of events to return; by default all.
            limit: Largest number of events.
        """
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
        """Events with their numbers, in the order in which they came.

        Args:
            after: Only those with a greater number.
            limit: Largest number of events.
            user: Only events of this user.
        """
        mark = self.mark
        which, parameters = ("", []) if user is None else (f"AND user_id = {mark}", [user])
        rows = self.read(
            f"SELECT seq, {', '.join(COLUMNS)} FROM feedback WHERE seq > {mark} {which} "
            f"ORDER BY seq LIMIT {mark}",
            [after, *parameters, limit],
        )
        return [(int(row[0]), _event(row[1:])) for row in rows]

    def events(self) -> Iterator[Event]:
        """Yield all events in the order in which they came, a page at a time."""
        after = 0
        while page := self.page(after):
            after = page[-1][0]
            yield from (event for _, event in page)

    def erase(self, user: str) -> int:
        """Delete all events of a user, record the erasure, and return the number of events.

        Only a hash of the id is recorded: the user's training ratings in a model folder
        are not to be used again.
        """
        with self.transaction() as cursor:
            cursor.execute(f"DELETE FROM feedback WHERE user_id = {self.mark}", (user,))
            erased = cursor.rowcount
            cursor.execute(
                f"INSERT INTO erased VALUES ({self.mark}, {self.mark}) "
                "ON CONFLICT (hash) DO UPDATE SET time = excluded.time",
                (hash_of(user), int(time.time())),
            )
        return erased

    def is_erased(self, user: str) -> bool:
        """Return whether a user was ever erased."""
        return bool(self.read(f"SELECT 1 FROM erased WHERE hash = {self.mark}", [hash_of(user)]))

    def erased(self) -> dict[str, int]:
        """Return the ``hash_of`` of all erased users, and when each was last erased."""
        return {row[0]: int(row[1]) for row in self.read("SELECT hash, time FROM erased", [])}

    def prune(self, before: int) -> int:
        """Delete events before a time (seconds since 1970); return their number."""
        with self.transaction() as cursor:
            cursor.execute(f"DELETE FROM feedback WHERE time < {self.mark}", (before,))
            return cursor.rowcount

    def prune_days(self, days: float) -> int:
        """Delete events that are older than some days; return their number."""
        return self.prune(int(max(time.time() - days * _DAY, 0)))

    def count(self) -> int:
        """Return the number of events."""
        return int(self.read("SELECT count(*) FROM feedback", [])[0][0])


def hash_of(user: str) -> str:
    """Return the hash recorded for an erased user, in place of the id."""
    return hashlib.blake2b(user.encode(), digest_size=16).hexdigest()


STORES: MappingProxyType[str, str] = MappingProxyType(
    {"sqlite": "_sqlite:SqliteStore", "postgresql": "_postgres:PostgresStore"}
)
"""The module and class of each kind of store, by the name before the colon of its URL."""


def open_store(url: str) -> FeedbackStore:
    """Open a store, creating it if absent.

    Args:
        url: ``sqlite:PATH``, or ``postgresql://USER@HOST/DATABASE`` (needs
            ``matinee[databases]``).

    Raises:
        UsageError: Unknown kind of store, or its library is not installed.
        FeedbackError: It cannot be opened.
    """
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in STORES or rest in ("", ":memory:"):
        shown = without_password(url)
        raise UsageError(f"feedback {shown!r}: give sqlite:PATH or postgresql://HOST/DATABASE")
    module, _, name = STORES[scheme].partition(":")
    store = getattr(import_module(f".{module}", __package__), name)(url)
    assert isinstance(store, FeedbackStore)
    return store


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
