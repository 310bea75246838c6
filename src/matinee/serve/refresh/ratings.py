"""Feedback as ratings to train on."""

from __future__ import annotations

import numpy as np

from ...data import Ratings, Scale
from ...feedback import KINDS, FeedbackStore
from ...recommend import implied_rating


def feedback_ratings(store: FeedbackStore, scale: Scale) -> Ratings | None:
    """The latest opinion of each person on each item, as ratings with times; None for none.

    A like counts as three quarters up the scale, a dislike as its low end; ratings off the scale,
    clicks and the rest are left out, and "not interested" takes an earlier opinion back.

    Args:
        store: The feedback.
        scale: The scale of the model.
    """
    latest: dict[tuple[str, str], tuple[float, int]] = {}
    for event in store.events():
        if event.item is None or not KINDS[event.kind].opinion:
            continue
        pair = (event.user, event.item)
        liked = KINDS[event.kind].liked
        value = event.value if liked is None else implied_rating(scale, liked)
        if value is None:
            latest.pop(pair, None)
        elif scale.low <= value <= scale.high:
            latest[pair] = (value, event.time)
    if not latest:
        return None
    users, items = (np.array(side, dtype=object) for side in zip(*latest, strict=True))
    values, times = zip(*latest.values(), strict=True)
    return Ratings.from_arrays(users, items, values, times, scale=scale, name="feedback")
