"""``FeedbackStore``: what keeps feedback; ``STORES`` has its implementations by name of the URL."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import ClassVar

from ..errors import UsageError
from .event import Event

_PAGE = 10_000


class FeedbackStore(ABC):
    """A durable store of events. Every method may be called from any thread.

    What ``add`` returned from is on the disk, and seen by every process that reads afterwards.
    Every method raises ``FeedbackError`` where the store cannot be reached.

    Attributes:
        at_hand: Whether one person's events are read from this machine's memory as a rule, so that
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
        """The latest events of a person, in the order in which they came.

        Args:
            user: Their canonical id.
            kinds: Of these kinds only.
            limit: How many, at most.
        """

    @abstractmethod
    def page(
        self, after: int = 0, limit: int = _PAGE, user: str | None = None
    ) -> list[tuple[int, Event]]:
        """Events with their numbers, in the order in which they came.

        Args:
            after: Only those with a greater number.
            limit: How many, at most.
            user: Of this person only.
        """

    @abstractmethod
    def erase(self, user: str) -> int:
        """Delete all of a person, and remember that they were erased; how many events it was.

        What is remembered is a hash of the id: the person's training ratings in a model folder
        are not to be used again.
        """

    @abstractmethod
    def is_erased(self, user: str) -> bool:
        """Whether a person was erased at some time."""

    @abstractmethod
    def erased(self) -> frozenset[str]:
        """The ``hash_of`` of all erased users."""

    @abstractmethod
    def prune(self, before: int) -> int:
        """Delete what is older than a second since 1970; how many events it was."""

    @abstractmethod
    def count(self) -> int:
        """How many events there are."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def events(self) -> Iterator[Event]:
        """All events in the order in which they came, a page at a time."""
        after = 0
        while page := self.page(after):
            after = page[-1][0]
            yield from (event for _, event in page)


def hash_of(user: str) -> str:
    """What is remembered of an erased person, in place of the id."""
    return hashlib.blake2b(user.encode(), digest_size=16).hexdigest()


STORES: MappingProxyType[str, str] = MappingProxyType(
    {"sqlite": "_sqlite:SqliteStore", "postgresql": "_postgres:PostgresStore"}
)
"""The module and class of each kind of store, by the name before the colon of its URL."""


def open_store(url: str) -> FeedbackStore:
    """Open a store, made where there is none.

    Args:
        url: ``sqlite:PATH``, or ``postgresql://USER@HOST/DATABASE`` (needs
            ``matinee[databases]``).

    Raises:
        UsageError: No such kind of store, or what it needs is not installed.
        FeedbackError: It cannot be opened.
    """
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in STORES or not rest:
        raise UsageError(
            f"feedback {_shown(url)!r}: give sqlite:PATH or postgresql://HOST/DATABASE"
        )
    module, _, name = STORES[scheme].partition(":")
    store = getattr(import_module(f".{module}", __package__), name)(url)
    assert isinstance(store, FeedbackStore)
    return store


def _shown(url: str) -> str:
    """A URL without what may be a password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('//')[0]}//...@{tail}" if at else url
