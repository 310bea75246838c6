"""Requests and responses of feedback, as in the OpenAPI description."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from ...feedback.event import MAX_SHOWN, MAX_TEXT

MAX_EVENTS = 1000
MAX_PAGE = 10_000


def _whole(value: Any) -> Any:
    """Return a number such as 3.0, as pandas writes ids of a column with gaps, as an integer."""
    return int(value) if type(value) is float and value.is_integer() else value


def _text(value: Any) -> Any:
    """Return a whole number, such as 3 or 3.0, as text."""
    whole = _whole(value)
    return str(whole) if type(whole) is int else value


WholeId = Annotated[StrictInt, BeforeValidator(_whole)]
Id = Annotated[StrictStr, Field(max_length=MAX_TEXT)] | WholeId
IdText = Annotated[
    StrictStr,
    Field(min_length=1, max_length=MAX_TEXT),
    BeforeValidator(_text),
]


class Strict(BaseModel):
    """A request, without fields that are not known."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class FeedbackEvent(Strict):
    """One action of a person."""

    user: Id
    """Whose it is: any id, known to the model or not."""
    kind: Literal["rating", "like", "dislike", "click", "not_interested", "shown"]
    """What it is."""
    item: Id | None = None
    """The item it is about; of a list that was shown, none."""
    rating: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    """On the model's scale, if it is a rating."""
    key: Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT)] | None = None
    """Your name for it: sent again, it is kept once."""
    time: StrictInt | None = None
    """Seconds since 1970; now by default."""
    list: Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT)] | None = None
    """The ``list`` of the response that contained the item, or that was shown."""
    rank: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    """The item's place in it."""
    items: Annotated[tuple[Id, ...], Field(max_length=MAX_SHOWN)] | None = None
    """The items of a list that was shown, in order."""


class FeedbackRequest(Strict):
    """Actions of people, in chronological order."""

    events: list[FeedbackEvent] = Field(min_length=1, max_length=MAX_EVENTS, fail_fast=True)
    """All are kept, or none."""


class FeedbackAnswer(BaseModel):
    """What became of them; they are on the disk."""

    stored: int
    duplicates: int


class KeptEvent(BaseModel):
    """An event as stored."""

    key: str
    kind: str
    time: int
    item: str | None
    rating: float | None
    list: str | None
    rank: int | None
    items: tuple[str, ...] | None


class TrainedRating(BaseModel):
    """A rating that the model was trained on."""

    item: str
    title: str
    rating: float


class Person(BaseModel):
    """Everything stored about a person."""

    user: str
    events: list[KeptEvent]
    next: int | None
    trained: list[TrainedRating]
    erased: bool
    model: str


class Erased(BaseModel):
    """What was deleted."""

    user: str
    events: int
    trained: int


class PageOf(Strict):
    """The requested page of events."""

    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE
