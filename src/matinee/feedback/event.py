"""``Event``: an action of a user, and its kinds."""

from __future__ import annotations

import math
import secrets
import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..data.values.ids import MISSING, canonical
from ..errors import UsageError, nearest

MAX_TEXT = 300
"""Largest number of characters of an id, a key or the name of a list."""
MAX_SHOWN = 500
"""Largest number of items of a shown list."""
_DAY = 86_400


@dataclass(frozen=True)
class Kind:
    """A kind of feedback.

    Attributes:
        name: Name of the kind.
        summary: One-line description.
        liked: For the history of a model of ratings: whether it counts as liked (True) or not
            liked (False); None if it has a rating, or says nothing about liking.
        chosen: Whether it counts as a choice for a model of interactions.
        of_item: Whether it is about one item.
        opinion: Whether the latest of these about an item replaces the earlier ones.
    """

    name: str
    summary: str
    liked: bool | None = None
    chosen: bool = False
    of_item: bool = True
    opinion: bool = True


KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("rating", "a rating on the scale of the model", chosen=True),
            Kind("like", "they liked it", liked=True, chosen=True),
            Kind("dislike", "they did not like it", liked=False),
            Kind("click", "they chose it without saying more", chosen=True, opinion=False),
            Kind("not_interested", "it must not be recommended to them again"),
            Kind("shown", "a list that they saw", of_item=False, opinion=False),
        )
    }
)
"""The kinds of feedback, by name."""


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of feedback.

    Attributes:
        key: The client's name for it: of two with the same key the first is kept.
        user: Whose it is; an id in its canonical form.
        kind: A name in ``KINDS``.
        time: Seconds since 1970-01-01 UTC.
        item: The item it is about, an id in its canonical form.
        value: The rating, if the event is one.
        list: Id of the list that the item stood in, or that was shown.
        rank: The item's place in that list, from 1.
        items: The items of a list that was shown, in order.
    """

    key: str
    user: str
    kind: str
    time: int
    item: str | None = None
    value: float | None = None
    list: str | None = None
    rank: int | None = None
    items: tuple[str, ...] | None = None


def make_event(
    *,
    user: Any,
    kind: str,
    key: str | None = None,
    time: int | None = None,
    item: Any = None,
    value: float | None = None,
    list: str | None = None,  # noqa: A002
    rank: int | None = None,
    items: Any = None,
) -> Event:
    """Make a checked event, by default with a new key and the current time.

    Raises:
        UsageError: Something that does not go together, or is too long.
    """
    if kind not in KINDS:
        raise UsageError(
            f"kind: there is no {kind!r}{nearest(kind, KINDS)}; use {', '.join(KINDS)}"
        )
    known = KINDS[kind]
    now = _now()
    if known.of_item == (item is None):
        raise UsageError(f"item: {kind} " + ("needs one" if known.of_item else "has none"))
    if (kind == "rating") == (value is None):
        raise UsageError("rating: " + ("give one" if kind == "rating" else f"{kind} has none"))
    if value is not None and not math.isfinite(value):
        raise UsageError(f"rating: {value} is no number")
    if kind == "shown" and list is None:
        raise UsageError("list: name the list that was shown")
    if items is not None and kind != "shown":
        raise UsageError(f"items: {kind} has none")
    if items is not None and len(items) > MAX_SHOWN:
        raise UsageError(f"items: {len(items):,} of them; at most {MAX_SHOWN} are taken")
    if rank is not None and rank < 1:
        raise UsageError(f"rank: {rank}; the first place is 1")
    if time is not None and not 0 <= time <= now + _DAY:
        raise UsageError(f"time: {time} is no second between 1970 and now")
    return Event(
        key=secrets.token_hex(12) if key is None else _text("key", key),
        user=_id("user", user),
        kind=kind,
        time=now if time is None else int(time),
        item=None if item is None else _id("item", item),
        value=None if value is None else float(value),
        list=None if list is None else _text("list", list),
        rank=rank,
        items=None if items is None else tuple(_id("items", each) for each in items),
    )


def _now() -> int:
    return int(time.time())


def _id(field: str, value: Any) -> str:
    text = canonical(value)
    if text is None or text in MISSING:
        raise UsageError(f"{field}: {value!r} is no id")
    return _text(field, text)


def _text(field: str, text: str) -> str:
    if not 0 < len(text) <= MAX_TEXT:
        raise UsageError(f"{field}: give 1 to {MAX_TEXT} characters")
    # Databases support neither; a lone surrogate is not a character.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise UsageError(f"{field}: holds a character that cannot be kept")
    return text
