"""``Engine``: one loaded model and its responses, independent of HTTP."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Collection
from functools import partial
from typing import Any

import numpy as np

from ..base.arrays import Int64, Mask
from ..base.top import top_k
from ..data import Histories
from ..models import load_identified
from ..models.new_items import AllKnownError
from ..recommend import Predict, diversify, expected_change, lifts
from ._card import card, held_out_rmse
from ._catalogue import Catalogue
from ._ratings import Reader
from ._rows import Entries, choice_lifts, for_several, number, numbers, scores_of
from ._schema import (
    MAX_LOVE,
    MatchRequest,
    PredictRequest,
    ProfileRequest,
    RecommendRequest,
    SurpriseRequest,
)
from ._settings import ServeSettings
from .exploration.explorer import Explorer
from .feedback.history import Feedback, Person, of_user
from .problems import ProblemError

_log = logging.getLogger("matinee.serve")

Answer = dict[str, Any]

_ASKED = 100
"""Number of most rated items that are candidates for ``surprise``."""
_MEASURED = 2000
"""Number of most rated items over which the change of predictions is measured."""


class Engine:
    """A loaded model folder.

    Attributes:
        name: Identifier of the model, in every response.
        card: The response of ``GET /v1/model``.
        catalogue: The items.
        scale: The range of its ratings.

    Raises:
        ModelFileError: No model folder, or a damaged one.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._model, manifest, self.name = load_identified(settings.model)
        self._settings = settings
        self.scale = self._model.scale_of_histories
        self.catalogue = Catalogue(self._model)
        self.card = {"model": self.name, **card(self._model, manifest, self.catalogue, settings)}
        rmse = held_out_rmse(manifest)
        self._error = (self.scale.high - self.scale.low) / 4.0 if rmse is None else rmse
        nobody = Histories.build([([], [])])
        self._usual = self._model.scores_coded(nobody)[0].astype(np.float64)
        counts = self.catalogue.counts
        self._weights = np.ones(self._model.n_items) if counts is None else counts.astype(float)
        self._groups = self.catalogue.groups()
        self._predict: Predict = partial(self._model.predict_coded, clip=False)
        self._entries = Entries(self._model, self.catalogue, self._usual)
        self._explorer: Explorer | None = None
        if settings.new_items is not None and settings.explore:
            try:
                self._explorer = Explorer(self._model, settings.new_items, settings.explore)
            except AllKnownError as error:  # as after a refresh, once all of them were rated
                _log.warning("nothing to explore in %s: %s", settings.new_items, error)
        if not settings.users:
            self._model.histories = None

    def recommend(self, request: RecommendRequest) -> Answer:
        """Answers ``POST /v1/recommend``."""
        reader, history, used = self._history(request)
        allowed = self._allowed(reader, request, request.exclude)
        if request.only is not None:
            only = np.zeros(len(allowed), dtype=np.bool_)
            only[reader.codes("only", request.only)] = True
            allowed &= only
        people = [history]
        for at, other in enumerate(request.others):
            extra, other_ratings = reader.ratings(other, self._settings.max_ratings, other=at)
            people.append(extra)
            used += [{**entry, "person": at + 1} for entry in other_ratings]
        entries = self._list(people, allowed, request)
        if len(people) == 1 and request.only is None:
            without = {str(name) for name in request.exclude}
            without |= {str(rating.item) for rating in request.ratings}
            return self._explored(entries, used, reader, history, request, without)
        return self._listed(entries, used, reader, secrets.token_hex(8))

    def person(self, user: str, feedback: Feedback | None = None) -> Person:
        """Return the current ratings of a user.

        Raises:
            ProblemError: 404, an unknown user.
        """
        if not self._settings.users:
            raise ProblemError(404, "this server was started without users to ask about")
        return of_user(self._model, user, feedback)

    def recommend_user(self, person: Person, about: RecommendRequest) -> Answer:
        """Answer ``GET /v1/users/{user}/recommendations``; no ratings or items are in ``about``."""
        history, reader = person.history, Reader(self.catalogue, self.scale)
        allowed = self.catalogue.allowed(about.exclude_genres, about.years, about.genres)
        allowed[person.refused] = False
        entries = self._list([history], allowed, about)
        answer = self._explored(entries, [], reader, history, about, person.named)
        return {**answer, "user": person.user}

    def trained(self, user: str) -> list[Answer]:
        """Describe a user's training ratings; empty for other users."""
        row = int(self._model.user_ids.encode([user])[0])
        if row < 0 or self._model.histories is None:
            return []
        history = self._model.histories.take([row])
        return [
            {**self.catalogue.named(code), "rating": rating}
            for code, rating in zip(history.items.tolist(), numbers(history.values), strict=True)
        ]

    def predict(self, request: PredictRequest) -> Answer:
        """Answers ``POST /v1/predict``."""
        reader, history, used = self._history(request)
        positions = reader.items("items", request.items)
        codes = np.array([code for _, code in positions], dtype=np.int32)
        described = self._entries.described(history, codes, request.why)
        entries = [
            {"index": at, **entry} for (at, _), entry in zip(positions, described, strict=True)
        ]
        return self._answer({"predictions": entries}, used, reader)

    def profile(self, request: ProfileRequest) -> Answer:
        """Answers ``POST /v1/profile``."""
        reader, history, used = self._history(request)
        genres, decades = self._groups
        shares = self._weights / (self._weights + 10.0)
        groups = [codes for _, codes in genres + decades]
        predicted = average = None
        if self._model.knows_ratings:
            scores = self._model.scores_coded(history)[0].astype(np.float64)
            group_lifts = lifts(scores, self._usual, shares, groups)
            predicted = number(np.average(scores, weights=shares))
            average = number(np.average(self._usual, weights=shares))
        else:
            group_lifts = choice_lifts(self._model, history, groups)
        rated = np.zeros(self._model.n_items, dtype=np.bool_)
        rated[history.items] = True

        def group(name: str, codes: Int64, lift: float) -> Answer:
            return {
                "name": name,
                "lift": number(lift),
                "n_items": len(codes),
                "n_rated": int(rated[codes].sum()),
            }

        by_genre = [
            group(name, codes, lift)
            for (name, codes), lift in zip(genres, group_lifts[: len(genres)], strict=True)
        ]
        by_decade = [
            {"decade": decade, **group(f"{decade}s", codes, lift)}
            for (decade, codes), lift in zip(decades, group_lifts[len(genres) :], strict=True)
        ]
        answer = {
            "predicted": predicted,
            "average": average,
            "genres": sorted(by_genre, key=lambda entry: -entry["lift"]),
            "decades": by_decade,
        }
        return self._answer(answer, used, reader)

    def surprise(self, request: SurpriseRequest) -> Answer:
        """Answers ``POST /v1/surprise``."""
        reader, history, used = self._history(request, empty=True)
        allowed = self._allowed(reader, request, request.exclude)
        allowed[history.items] = False
        order = self.catalogue.order
        candidates = order[allowed[order]][:_ASKED].astype(np.int32)
        popularity = self._weights[candidates] / max(float(self._weights.max()), 1.0)
        if self._model.knows_ratings:
            change = expected_change(
                self._predict,
                history,
                candidates,
                order[:_MEASURED],
                error=self._error,
                scale=self.scale,
            )
            value = change * popularity
        else:  # no prediction to change: the most popular items
            change, value = np.zeros(len(candidates)), popularity
        best = np.argsort(-value, kind="stable")[: request.k]
        described = self._entries.described(history, candidates[best], 0)
        entries = []
        for at, entry in zip(best.tolist(), described, strict=True):
            del entry["why"]
            entries.append(
                {
                    **entry,
                    "change": number(change[at]),
                    "known": number(popularity[at]),
                    "value": number(value[at]),
                }
            )
        return self._answer({"items": entries}, used, reader)

    def match(self, request: MatchRequest) -> Answer:
        """Answers ``POST /v1/items/match``."""
        matched = Reader(self.catalogue, self.scale).titled(request.titles)
        matches = [{"index": at, "item": self.catalogue.item(code)} for at, code in matched]
        return {"matches": matches, "model": self.name}

    def _list(
        self, people: list[Histories], allowed: Mask, about: RecommendRequest
    ) -> list[Answer]:
        """Describe the best items for one user, or for several together."""
        catalogue, history = self.catalogue, people[0]
        k, diversity = about.k, float(about.diversity)
        love = math.inf if about.love == MAX_LOVE else about.love
        counts = catalogue.counts if about.shrink else None
        scores, predicted = scores_of(
            self._model, people, love, about.personal, counts, about.together
        )
        scores[:, ~allowed] = -np.inf
        for person in people:
            scores[:, person.items] = -np.inf
        pool = k if diversity == 0 else max(100, 5 * k)
        items, best = top_k(scores.astype(np.float32, copy=False), pool)
        is_candidate = best[0] > -np.inf
        codes, ranked = items[0][is_candidate], best[0][is_candidate]
        if diversity > 0:
            if catalogue.unit is None:
                raise ProblemError(
                    422,
                    "diversity: this kind of model has no item vectors to tell items apart by; "
                    "send 0",
                    pointer="/diversity",
                )
            order = diversify(ranked, catalogue.unit[codes], k, diversity)
            codes, ranked = codes[order], ranked[order]
        if len(people) > 1:
            each = [
                self._entries.described(person, codes, 0, known)
                for person, known in zip(people, predicted, strict=True)
            ]
            return for_several(each, ranked, about.together)
        why = about.why if len(history.items) else 0
        described = self._entries.described(history, codes, why, predicted[0])
        return [
            {"rank": at, **entry, "score": score}
            for at, (entry, score) in enumerate(zip(described, numbers(ranked), strict=True), 1)
        ]

    def _allowed(
        self,
        reader: Reader,
        about: RecommendRequest | SurpriseRequest,
        exclude: list[str | int],
    ) -> Mask:
        """Mask of the items that may be listed."""
        allowed = self.catalogue.allowed(about.exclude_genres, about.years, about.genres)
        allowed[reader.codes("exclude", exclude)] = False
        return allowed

    def _history(
        self, request: Any, *, empty: bool = False
    ) -> tuple[Reader, Histories, list[Answer]]:
        """Return the reader of a request, its user's history, and the ratings in that."""
        reader = Reader(self.catalogue, self.scale)
        reader.check(request)
        return reader, *reader.ratings(request.ratings, self._settings.max_ratings, empty=empty)

    def _explored(
        self,
        entries: list[Answer],
        used: list[Answer],
        reader: Reader,
        history: Histories,
        about: RecommendRequest,
        without: Collection[str],
    ) -> Answer:
        """A list of one person, with new items in it where some are to be explored."""
        digits = secrets.token_hex(8)
        if self._explorer is not None and entries:
            entries = self._explorer.explored(
                entries,
                history,
                digits,
                genres=about.exclude_genres,
                among=about.genres,
                years=about.years,
                without=without,
            )
        return self._listed(entries, used, reader, digits)

    def _listed(
        self, entries: list[Answer], used: list[Answer], reader: Reader, digits: str
    ) -> Answer:
        """Return a list with a unique name that includes the model."""
        content = {"recommendations": entries, "list": f"{self.name}.{digits}"}
        return self._answer(content, used, reader)

    def _answer(self, content: Answer, used: list[Answer], reader: Reader) -> Answer:
        return {**content, "used": used, "ignored": reader.ignored, "model": self.name}
