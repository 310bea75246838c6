"""Requests and responses of the API, as in its OpenAPI description."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from .feedback.schema import Id, IdText, Strict, WholeId

MAX_K = 500
MAX_LIST = 10_000
MAX_LOVE = 1000.0
"""Largest exponent of the probability of liking."""
MAX_WHY = 20
MAX_PEOPLE = 100
"""Largest number of people in one request."""
MAX_OTHERS = 7
"""Largest number of further people in a list for several."""
MAX_LIMIT = 100
MAX_TEXT = 300
MAX_YEAR = 9999

Text = Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT)]
ItemName = Annotated[Text | WholeId, Field(description="An item id, or its approximate title.")]
K = Annotated[int, Field(strict=True, ge=1, le=MAX_K, description="Items wanted.")]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Year = Annotated[StrictInt, Field(ge=-MAX_YEAR, le=MAX_YEAR)]
Years = tuple[Year | None, Year | None]


class Rating(Strict):
    """One rating: of an item by id, or by a title."""

    item: Id | None = None
    """The item's id."""
    title: Text | None = None
    """Instead of the id: its approximate title."""
    rating: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    """On the model's scale; null for an item that was chosen without a rating, which counts as
    liked."""
    liked: StrictBool | None = None
    """Instead of a rating: whether they liked it."""

    @model_validator(mode="after")
    def _one_name(self) -> Rating:
        if (self.item is None) == (self.title is None):
            raise ValueError("give either the item's id or its title")
        if self.rating is not None and self.liked is not None:
            raise ValueError("give either a rating or whether they liked it")
        return self


# Only the first error of a long list is reported: a megabyte may have 100,000.
Ratings = Annotated[list[Rating], Field(max_length=MAX_LIST, fail_fast=True)]
Given = Annotated[list[Rating], Field(min_length=1, max_length=MAX_LIST, fail_fast=True)]
"""A non-empty list of ratings."""


class _About(Strict):
    genres: list[Text] = Field(default=[], max_length=MAX_TEXT)
    """Only items with any of these genres."""
    exclude_genres: list[Text] = Field(default=[], max_length=MAX_TEXT)
    """Exclude items with any of these genres."""
    years: Years | None = None
    """The first and the last year; either may be null."""


class RecommendRequest(_About):
    """Ratings of a new user, and options of the list."""

    ratings: Given
    """The user's ratings."""
    k: K = 10
    """Number of items."""
    exclude: list[ItemName] = Field(default=[], max_length=MAX_LIST, fail_fast=True)
    """Items never to recommend."""
    only: list[ItemName] | None = Field(default=None, max_length=MAX_LIST, fail_fast=True)
    """The only items to recommend from."""
    diversity: Share = 0.0
    """0 for the best items, 1 for the most dissimilar items."""
    shrink: StrictBool = True
    """Whether to shrink predictions of items with few ratings, in models that rank by rating."""
    love: Annotated[float, Field(strict=True, ge=0, le=MAX_LOVE)] | None = None
    """Exponent of the probability of liking in the ranking score; 0 ranks by interest alone. By
    default the model's."""
    personal: Annotated[float, Field(strict=True, ge=-1, le=1)] = 0.0
    """From -1 (what suits everyone) to 1 (more of the user's own taste)."""
    why: Annotated[int, Field(strict=True, ge=0, le=MAX_WHY)] = 3
    """Number of reasons per item; not for a list for several people."""
    others: list[Given] = Field(default=[], max_length=MAX_OTHERS)
    """Ratings of others, for a list that is for all of them together."""
    together: Literal["least_misery", "mean"] = "least_misery"
    """How a list for several is ordered: by the lowest of their scores, or by the mean."""
    user: IdText | None = None
    """An id of the person, only used to decide which of two models answers."""


class OnePerson(RecommendRequest):
    """One person of many: a new one with ratings, or a known one by the id."""

    ratings: Ratings = Field(default=[])
    """The ratings of a new user; none for a known one."""
    why: Annotated[int, Field(strict=True, ge=0, le=MAX_WHY)] = 0
    """Reasons for each item."""

    @model_validator(mode="after")
    def _check_person(self) -> OnePerson:
        if not self.ratings and self.user is None:
            raise ValueError("give ratings, or the id of a known user")
        if not self.ratings and (self.exclude or self.only is not None or self.others):
            raise ValueError("exclude, only and others go with ratings")
        return self


class ManyRequest(Strict):
    """Many people, each with their own options; either all succeed or none."""

    people: list[OnePerson] = Field(min_length=1, max_length=MAX_PEOPLE, fail_fast=True)


class MatchRequest(Strict):
    """Titles to look up."""

    titles: list[Text] = Field(min_length=1, max_length=100, fail_fast=True)
    """May be approximate; a year in brackets distinguishes films with the same title."""


class PredictRequest(Strict):
    """Ratings of a new user, and the items to predict."""

    ratings: Given
    """The user's ratings."""
    items: list[ItemName] = Field(min_length=1, max_length=MAX_K, fail_fast=True)
    """Ids or titles."""
    why: Annotated[int, Field(strict=True, ge=0, le=MAX_WHY)] = 0
    """Reasons for each item."""


class ProfileRequest(Strict):
    """Ratings of a new user."""

    ratings: Given
    """The user's ratings."""


class SurpriseRequest(_About):
    """Ratings of a new user, which may be empty."""

    ratings: Ratings = Field(default=[])
    """The user's ratings."""
    k: Annotated[int, Field(strict=True, ge=1, le=50)] = 5
    """Number of items."""
    exclude: list[ItemName] = Field(default=[], max_length=MAX_LIST, fail_fast=True)
    """Items to exclude."""


class Named(BaseModel):
    """An item by name."""

    item: str
    title: str


class Item(Named):
    """An item."""

    year: int | None
    genres: list[str]
    n_ratings: int | None
    mean: float | None


class Reason(Named):
    """A rating that influenced a prediction."""

    rating: float
    contribution: float


class Why(BaseModel):
    """``prediction = baseline + contributions + others + together``."""

    prediction: float
    baseline: float
    reasons: list[Reason]
    others: float
    together: float


class Predicted(Item):
    """An item with its prediction."""

    predicted: float | None
    """The predicted rating; null for a model of interactions."""
    std: float | None
    chance: float | None
    """For a model of interactions, the calibrated probability that the item is among the person's
    next 10 choices; else null."""
    why: Why | None


class Prediction(Predicted):
    """The prediction of one of several items."""

    index: int


class Recommendation(Predicted):
    """An entry of a list."""

    new: bool = False
    """Whether it is an item without ratings, listed for exploration."""

    rank: int
    score: float
    each: list[float] | None = None
    """In a list for several people, the predicted rating for each."""


class Used(Named):
    """A rating that was used."""

    index: int
    rating: float
    person: int = 0
    """Whose it is in a list for several: 0 for ``ratings``, then by position in ``others``."""


class Ignored(BaseModel):
    """An entry of the request that was ignored."""

    field: Literal["ratings", "items", "exclude", "only", "others"]
    index: int
    given: str
    reason: str
    near: list[Named]
    person: int = 0
    """Whose it is in a list for several, as in ``Used``."""


class _Answer(BaseModel):
    model: str


class _FromRatings(_Answer):
    used: list[Used]
    ignored: list[Ignored]


class Recommendations(_FromRatings):
    """A list for a user."""

    recommendations: list[Recommendation]
    list: str
    user: str | None = None


class ManyRecommendations(BaseModel):
    """A list for each person, in the order of the request."""

    people: list[Recommendations]


class Predictions(_FromRatings):
    """Predicted ratings."""

    predictions: list[Prediction]


class Lift(BaseModel):
    """A user's taste in one group of items."""

    name: str
    lift: float
    n_items: int
    n_rated: int


class Decade(Lift):
    """A user's taste in the items of a decade."""

    decade: int


class Profile(_FromRatings):
    """A user's taste."""

    predicted: float | None
    """Mean predicted rating; null for a model of interactions, whose lifts are differences in the
    probability that the next choice is in the group."""
    average: float | None
    genres: list[Lift]
    decades: list[Decade]


class Question(Item):
    """An item whose rating would change the predictions."""

    predicted: float | None
    std: float | None
    chance: float | None
    change: float
    known: float
    value: float


class Questions(_FromRatings):
    """Items whose rating would change the predictions most."""

    items: list[Question]


class Items(_Answer):
    """Items found."""

    items: list[Item]


class Match(BaseModel):
    """The item matching a title."""

    index: int
    item: Item


class Matches(_Answer):
    """Items by title. Titles that mean none, or could mean several, are not among them."""

    matches: list[Match]


class Position(BaseModel):
    """A point of the map."""

    x: float
    y: float


class OneItem(_Answer):
    """An item and its position on the map."""

    item: Item
    position: Position | None


class Similar(Item):
    """A neighbour of an item."""

    similarity: float


class SimilarItems(_Answer):
    """An item and its nearest items."""

    item: Item
    similar: list[Similar]


class Map(_Answer):
    """Items as points of a plane, by column."""

    item: list[str]
    title: list[str]
    year: list[int | None]
    n_ratings: list[int | None]
    mean: list[float | None]
    genres: list[list[int]]
    genre_names: list[str]
    x: list[float]
    y: list[float]
    explained: list[float]


class Card(_Answer):
    """The model card."""

    model_config = ConfigDict(extra="allow")

    kind: str
    scale: dict[str, float | None]
    data: dict[str, Any]
    has: dict[str, bool]
    scores: list[dict[str, Any]]
    limits: dict[str, int]
    caveats: list[str]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = None
