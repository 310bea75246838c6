"""A user's training ratings and feedback, as one history for the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...base.arrays import Int64
from ...data import Histories, Scale, Vocabulary
from ...feedback import KINDS, Event
from ...models import Recommender
from ...recommend import implied_rating, is_constant
from ..problems import ProblemError

KEPT = tuple(name for name, kind in KINDS.items() if kind.of_item)
"""Kinds of feedback that a history or its list depends on."""


@dataclass(frozen=True, eq=False)
class Feedback:
    """The stored feedback of one user.

    Attributes:
        events: In the order in which they came.
        erased: Whether the user's training ratings must not be used.
    """

    events: Sequence[Event]
    erased: bool = False


@dataclass(frozen=True, eq=False)
class Person:
    """A user with an id, and the history for their list.

    Attributes:
        user: The id.
        history: What they gave by now, one row.
        refused: Codes of the items never to recommend to them, int64.
        named: Ids of the items that their feedback is about.
    """

    user: str
    history: Histories
    refused: Int64
    named: frozenset[str] = frozenset()


def of_user(model: Recommender, user: str, feedback: Feedback | None) -> Person:
    """Return the current history of a user.

    Raises:
        ProblemError: 404, an unknown user.
    """
    if model.histories is None and feedback is None:
        raise ProblemError(404, "there are no known users: the model was saved without histories")
    row = int(model.user_ids.encode([user])[0])
    trained = None
    if row >= 0 and model.histories is not None and not (feedback and feedback.erased):
        trained = model.histories.take([row])
    if feedback is not None and feedback.events:
        history, refused = with_feedback(
            trained, feedback, model.item_ids, model.scale_of_histories
        )
        named = frozenset(event.item for event in feedback.events if event.item is not None)
        return Person(user, history, refused, named)
    if trained is None:
        location = "the training data" if feedback is None else "the training data or of feedback"
        raise ProblemError(404, f"no user of {location} has the id {user!r}")
    return Person(user, trained, np.empty(0, dtype=np.int64))


def with_feedback(
    trained: Histories | None, feedback: Feedback, item_ids: Vocabulary, scale: Scale
) -> tuple[Histories, Int64]:
    """Merge feedback into a history; also return the items never to recommend to the user.

    For each item the latest opinion by time counts: a rating, like or dislike replaces the training
    rating, and "not interested" removes the item from the history. Feedback has weight 1. A click
    is a choice for a model of interactions and is ignored by a model of ratings. Unknown items and
    ratings outside the scale are left out.

    Returns:
        The user's history, one row, and int64 item codes.
    """
    values: dict[int, float] = {}
    weights: dict[int, float] = {}
    users = np.array([-1], dtype=np.int32)
    if trained is not None:
        values = dict(zip(trained.items.tolist(), trained.values.tolist(), strict=True))
        users = trained.users
        if trained.weights is not None:
            weights = dict(zip(trained.items.tolist(), trained.weights.tolist(), strict=True))
    refused: set[int] = set()
    interactions = is_constant(scale)
    events = [event for event in feedback.events if event.item is not None]
    events.sort(key=lambda event: event.time)  # a phone sends events late that were given offline
    codes = item_ids.encode([event.item for event in events]).tolist() if events else []
    for event, code in zip(events, codes, strict=True):
        if code < 0:
            continue
        if event.kind == "not_interested":
            refused.add(code)
            values.pop(code, None)
            continue
        value = _value(event, scale, interactions)
        if value is not None:
            values[code] = value
            weights.pop(code, None)
            refused.discard(code)
        elif interactions and KINDS[event.kind].liked is False:
            refused.add(code)  # it is indistinguishable from a choice there
            values.pop(code, None)
    history = Histories.build([(list(values), list(values.values()))], users)
    if weights:
        each = [weights.get(code, 1.0) for code in history.items.tolist()]
        history = replace(history, weights=np.array(each, dtype=np.float32))
    return history, np.array(sorted(refused), dtype=np.int64)


def _value(event: Event, scale: Scale, interactions: bool) -> float | None:
    """Return the rating of an event, or None."""
    kind = KINDS[event.kind]
    if interactions:
        return scale.high if kind.chosen else None
    if event.value is not None:
        return event.value if scale.holds(event.value) else None
    return None if kind.liked is None else implied_rating(scale, kind.liked)
