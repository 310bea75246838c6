"""``FeedbackStore``: stores of feedback; ``STORES`` has the implementations by URL scheme."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import ClassVar

from ..errors import UsageError
from .event import Event

_PAGE = 10_000
_DAY = 86_400


class FeedbackStore(ABC):
    """A durable store of events. Every method may be called from any thread.

    What ``add`` returned from is on the disk, and seen by every process that reads afterwards.
    Every method raises ``FeedbackError`` if the store cannot be reached.

    Attributes:
        at_hand: Whether a user's events are normally read from this machine's memory, so that
            an event loop may wait for them.
    """

    at_hand: ClassVar[bool] = False

    @abstractmethod
    def add(self, events: Sequence[Event]) -> list[bool]:
        """Keep events, all or none.

        Returns:
            Which of them are new: of two with one key the first is kept.
        """

    @abstractmethod
    def of_user(
        self, user: str, kinds: Collection[str] | None = None, limit: int = _PAGE
    ) -> list[Event]:
        """Return the latest events of a user, in order of arrival.

        Args:
            user: Canonical id of the user.
            kinds: Kinds of events to return; by default all.
            limit: Largest number of events.
        """

    @abstractmethod
    def page(
        self, after: int = 0, limit: int = _PAGE, user: str | None = None
    ) -> list[tuple[int, Event]]:
        """Events with their numbers, in the order in which they came.

        Args:
            after: Only those with a greater number.
            limit: Largest number of events.
            user: Only events of this user.
        """

    @abstractmethod
    def erase(self, user: str) -> int:
        """Delete all events of a user, record the erasure, and return the number of events.

        Only a hash of the id is recorded: the user's training ratings in a model folder
        are not to be used again.
        """

    @abstractmethod
    def is_erased(self, user: str) -> bool:
        """Return whether a user was ever erased."""

    @abstractmethod
    def erased(self) -> frozenset[str]:
        """Return the ``hash_of`` of all erased users."""

    @abstractmethod
    def prune(self, before: int) -> int:
        """Delete events before a time (seconds since 1970); return their number."""

    def prune_days(self, days: float) -> int:
        """Delete events that are older than some days; return their number."""
        return self.prune(int(max(time.time() - days * _DAY, 0)))

    @abstractmethod
    def count(self) -> int:
        """Return the number of events."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def events(self) -> Iterator[Event]:
        """Yield all events in the order in which they came, a page at a time."""
        after = 0
        while page := self.page(after):
            after = page[-1][0]
            yield from (event for _, event in page)


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
        raise UsageError(
            f"feedback {_shown(url)!r}: give sqlite:PATH or postgresql://HOST/DATABASE"
        )
    module, _, name = STORES[scheme].partition(":")
    store = getattr(import_module(f".{module}", __package__), name)(url)
    assert isinstance(store, FeedbackStore)
    return store


def _shown(url: str) -> str:
    """Return a URL without a possible password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('//')[0]}//...@{tail}" if at else url
