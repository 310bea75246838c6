"""Converts ratings and item names of a request to model codes, and limits the work.

Short responses are computed on the event loop. In a thread they take half a millisecond longer, as
the two wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data import Histories, Scale
from ..errors import UnknownIdError, UsageError
from ..recommend import implied_rating, is_constant
from ._catalogue import Catalogue
from ._schema import MAX_K, MAX_PEOPLE, PredictRequest, Rating, RecommendRequest
from .feedback.history import Person
from .problems import ProblemError

MAX_TITLES = 100
"""Largest number of titles in one request: a fuzzy search takes milliseconds."""
MAX_LISTED = MAX_PEOPLE * MAX_K
"""Largest number of items and reasons in one response for several users."""
_ANSWERS = 2000
"""Number of predictions that take a few milliseconds; a reason takes one for each rating."""
_QUICK = 64
"""Number of ratings up to which a response takes a few milliseconds."""
_SUMMED = 10_000_000
"""A known user's ratings times items up to which a list takes a few milliseconds."""
_NEAR = 3


def check_people(catalogue: Catalogue, people: Sequence[RecommendRequest]) -> None:
    """Check the limits of a request for several users before any work.

    Raises:
        ProblemError: 422: more items and reasons than ``MAX_LISTED``, or more titles to look up
            than ``MAX_TITLES``.
    """
    if sum(person.k * (1 + person.why) for person in people) > MAX_LISTED:
        raise ProblemError(
            422,
            f"people: more than {MAX_LISTED:,} items and reasons in one answer; ask for fewer",
            pointer="/people",
        )
    left = MAX_TITLES
    for at, person in enumerate(people):
        left -= len(catalogue.titles_of(all_ratings(person), lists_of(person)))
        if left < 0:
            raise _too_many_titles("people", at)


def _too_many_titles(field: str, at: int) -> ProblemError:
    return ProblemError(
        422,
        f"{field}[{at}]: more than {MAX_TITLES} titles to look up in one request; send ids instead",
        pointer=f"{_pointer(field)}/{at}",
    )


def _pointer(field: str) -> str:
    """Return the JSON pointer of a field such as ``ratings`` or ``others[2]``."""
    return f"/{field.replace('[', '/').removesuffix(']')}"


def is_quick(request: Any, catalogue: Catalogue) -> bool:
    """Return whether a request of a new user need not be queued."""
    if len(request.ratings) > _QUICK:
        return False
    n_items, lists = 1, lists_of(request)
    if isinstance(request, RecommendRequest | PredictRequest):
        n_items = request.k if isinstance(request, RecommendRequest) else len(request.items)
        n_items *= 1 + (len(request.ratings) if request.why else 0)
    if isinstance(request, RecommendRequest) and request.others:
        return False
    if isinstance(request, RecommendRequest) and request.diversity and request.k > _QUICK:
        return False
    if n_items > _ANSWERS or sum(map(len, lists.values())) > _QUICK:
        return False
    return not catalogue.titles_of(request.ratings, lists)


def is_quick_list(person: Person, catalogue: Catalogue, about: RecommendRequest) -> bool:
    """Return whether a list for a known user need not be queued."""
    n_ratings, k = len(person.history.items), about.k
    if k * (1 + (n_ratings if about.why else 0)) > _ANSWERS or (about.diversity and k > _QUICK):
        return False
    return n_ratings * catalogue.n_items <= _SUMMED


def all_ratings(request: RecommendRequest) -> list[Rating]:
    """Return the ratings of all users of a request."""
    return [*request.ratings, *(rating for other in request.others for rating in other)]


def lists_of(request: Any) -> dict[str, list[str | int]]:
    """Return the lists of ids and titles in a request, by field."""
    names = ("exclude", "only", "items")
    return {name: getattr(request, name) for name in names if getattr(request, name, None)}


@dataclass(eq=False)
class Reader:
    """Resolves the names of one request, and collects those that cannot be used."""

    catalogue: Catalogue
    scale: Scale
    ignored: list[dict[str, Any]] = field(default_factory=list)

    def check(self, request: Any) -> None:
        """Limit the number of titles in a request, before any is looked up.

        Raises:
            ProblemError: 422: more titles to look up than ``MAX_TITLES``.
        """
        names = self.catalogue.titles_of(request.ratings, lists_of(request))
        for other, ratings in enumerate(getattr(request, "others", ())):
            names += [(f"others[{other}]", at) for _, at in self.catalogue.titles_of(ratings, {})]
        for what, at in names[MAX_TITLES:]:
            raise _too_many_titles(what, at)

    def ratings(
        self,
        entries: Sequence[Rating],
        limit: int,
        *,
        empty: bool = False,
        other: int | None = None,
    ) -> tuple[Histories, list[dict[str, Any]]]:
        """Return a user's history and, for the response, the ratings in it.

        ``other`` is the position of the user in ``others``; None for the user of
        ``ratings``.

        Raises:
            ProblemError: 422: too many, outside the scale, a repeated item, or none left.
        """
        field = "ratings" if other is None else "others"
        name = field if other is None else f"{field}[{other}]"
        if len(entries) > limit:
            raise ProblemError(
                422,
                f"{name}: {len(entries):,} of them; at most {limit:,} are taken",
                pointer=_pointer(name),
            )
        self._check_scale(entries, name)
        earlier = len(self.ignored)
        codes = self.catalogue.item_ids.encode(
            ["" if r.item is None else r.item for r in entries]
        ).tolist()
        used: list[dict[str, Any]] = []
        taken: dict[int, int] = {}
        for at, rating in enumerate(entries):
            code = self._rated(field, at, rating, codes[at])
            if code < 0:
                continue
            named = self.catalogue.named(code)
            if code in taken:
                raise ProblemError(
                    422,
                    f"{name}[{at}]: {named['title']!r} (id {named['item']}) is rated twice, "
                    f"in {name}[{taken[code]}] already",
                    pointer=f"{_pointer(name)}/{at}",
                )
            taken[code] = at
            used.append({"index": at, **named, "rating": self._value(rating)})
        if other is not None:
            for ignored in self.ignored[earlier:]:
                ignored["person"] = other + 1
        if not used and not (empty and not entries):
            reason = self.ignored[earlier]["reason"]
            raise ProblemError(
                422, f"none of the {name} can be used; {name}[0]: {reason}", pointer=_pointer(name)
            )
        values = [entry["rating"] for entry in used]
        return Histories.build([(list(taken), values)]), used

    def items(self, what: str, names: Sequence[str | int]) -> list[tuple[int, int]]:
        """(position, code) of the known ids and titles."""
        codes = self.catalogue.item_ids.encode(list(names)).tolist()
        positions = []
        for at, (name, code) in enumerate(zip(names, codes, strict=True)):
            if code < 0:
                is_title = self.catalogue.may_be_title(name)
                code = self._by_title(what, at, str(name)) if is_title else -1
                if code == -1:
                    self._ignore(what, at, name, f"no item has the id {name}")
            if code >= 0:
                positions.append((at, code))
        return positions

    def titled(self, names: Sequence[str]) -> list[tuple[int, int]]:
        """(position, code) of the titles that match one item."""
        codes = [self._by_title("titles", at, name) for at, name in enumerate(names)]
        return [(at, code) for at, code in enumerate(codes) if code >= 0]

    def codes(self, what: str, names: Sequence[str | int]) -> npt.NDArray[np.int64]:
        """Return codes of the known ids and titles, int64."""
        return np.array([code for _, code in self.items(what, names)], dtype=np.int64)

    def _value(self, rating: Rating) -> float:
        """Return the rating, or the implied rating of an item without one."""
        if is_constant(self.scale):
            return self.scale.high
        return (
            implied_rating(self.scale, rating.liked)
            if rating.rating is None
            else float(rating.rating)
        )

    def _check_scale(self, ratings: Sequence[Rating], field: str) -> None:
        low, high = self.scale.low, self.scale.high
        outside = np.flatnonzero(~self.scale.holds([self._value(rating) for rating in ratings]))
        if len(outside):
            at = int(outside[0])
            rating = ratings[at]
            name = rating.title if rating.item is None else rating.item
            raise ProblemError(
                422,
                f"{field}[{at}]: the rating {self._value(rating):g} of {name!r} is outside the "
                f"scale of this model, {low:g} to {high:g}",
                pointer=f"{_pointer(field)}/{at}/rating",
            )

    def _rated(self, field: str, at: int, rating: Rating, code: int) -> int:
        """Code of the rated item from its id; negative if unknown or without an id."""
        if rating.title is not None:
            return self._by_title(field, at, rating.title)
        if code < 0:
            self._ignore(field, at, rating.item, f"no item has the id {rating.item}")
        return code

    def _by_title(self, what: str, at: int, title: str) -> int:
        """Code of the item with this title; if ambiguous -2, with an entry in ``ignored``."""
        titles = self.catalogue.titles
        try:
            return int(self.catalogue.item_ids.encode([titles.find(title, ids=False)])[0])
        except (UnknownIdError, UsageError) as error:
            suggestions = [
                self.catalogue.named(int(self.catalogue.item_ids.encode([titled.id])[0]))
                for titled in titles.search(title, _NEAR)
            ]
            vague = isinstance(error, UsageError)
            reason = f"{title!r} could be several items" if vague else f"no title like {title!r}"
            self._ignore(what, at, title, reason, suggestions)
            return -2

    def _ignore(
        self, what: str, at: int, value: Any, reason: str, near: list[dict[str, Any]] | None = None
    ) -> None:
        self.ignored.append(
            {"field": what, "index": at, "given": str(value), "reason": reason, "near": near or []}
        )
