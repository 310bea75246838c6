"""``FeedbackService``: the store as the server uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ...data import Scale
from ...data.values.ids import canonical
from ...errors import FeedbackError, UsageError
from ...feedback import BusyError, Event, Writer, make_event, open_store
from ..problems import ProblemError
from .history import KEPT, Feedback
from .schema import FeedbackEvent

_USED = 5000
"""Largest number of a user's events used for their list: the latest."""


class FeedbackService:
    """Stores feedback, for ``days`` if stated, and returns it. Workers share the store.

    Raises:
        FeedbackError: The store cannot be opened.
    """

    def __init__(self, url: str, days: float | None = None) -> None:
        self._store, self._days = open_store(url), days
        self._writer: Writer | None = None

    def start(self) -> None:
        """Begin to take feedback."""
        self._writer = Writer(self._store, self._days)

    def close(self) -> None:
        """Write pending events and close the store."""
        if self._writer is not None:
            self._writer.close()
        self._store.close()

    @property
    def is_local(self) -> bool:
        """See ``FeedbackStore``."""
        return self._store.is_local

    async def take(self, batch: Sequence[FeedbackEvent], scale: Scale) -> tuple[int, int]:
        """Keep events; on return they are on the disk.

        Returns:
            The numbers of new and of already stored events.

        Raises:
            ProblemError: 422: something does not go together; 429: too many wait; 503: the store
                cannot be written to.
        """
        assert self._writer is not None
        events = [_event(at, each, scale) for at, each in enumerate(batch)]
        with _reachable():
            new = await asyncio.wrap_future(self._writer.submit(events))
        return sum(new), len(new) - sum(new)

    def of_person(self, user: str) -> Feedback:
        """Return the feedback for a user's next list.

        Raises:
            ProblemError: 503: the store cannot be read.
        """
        name = canonical(user) or user
        with _reachable():
            return Feedback(self._store.of_user(name, KEPT, _USED), self._store.is_erased(name))

    def export(self, user: str, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
        """Return a user's events, and the number to continue after, if there are more.

        Raises:
            ProblemError: 503: the store cannot be read.
        """
        with _reachable():
            page = self._store.page(after, limit + 1, canonical(user) or user)
        more = page[limit - 1][0] if len(page) > limit else None
        return [_kept(event) for _, event in page[:limit]], more

    def erase(self, user: str) -> int:
        """Delete a user's events; return their number.

        Raises:
            ProblemError: 503: the store cannot be written to.
        """
        with _reachable():
            return self._store.erase(canonical(user) or user)


@contextmanager
def _reachable() -> Iterator[None]:
    """Errors of the store as problems."""
    later = {"retry-after": "1"}
    try:
        yield
    except BusyError as error:
        raise ProblemError(429, str(error), headers=later) from None
    except FeedbackError:
        text = "the store of feedback cannot be reached; try again"
        raise ProblemError(503, text, headers=later) from None


def _event(at: int, event: FeedbackEvent, scale: Scale) -> Event:
    value = event.rating
    if value is not None and not scale.holds(value):
        raise ProblemError(
            422,
            f"events[{at}]: the rating {value:g} is outside the scale of this model, "
            f"{scale.low:g} to {scale.high:g}",
            pointer=f"/events/{at}/rating",
        )
    fields = event.model_dump(exclude={"rating"})
    try:
        return make_event(value=value, **fields)
    except UsageError as error:
        field = str(error).partition(":")[0]
        raise ProblemError(422, f"events[{at}].{error}", pointer=f"/events/{at}/{field}") from None


def _kept(event: Event) -> dict[str, Any]:
    names = ("key", "kind", "time", "item", "list", "rank", "items")
    return {name: getattr(event, name) for name in names} | {"rating": event.value}
