"""Feedback as ratings to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...data import ItemTable, Ratings, Scale, Vocabulary, union_table
from ...errors import UsageError, nearest
from ...feedback import KINDS, FeedbackStore
from ...recommend import implied_rating


def feedback_ratings(
    store: FeedbackStore,
    scale: Scale,
    weights: Mapping[str, float] | None = None,
    titles: tuple[Vocabulary, ItemTable] | None = None,
) -> Ratings | None:
    """Return each user's latest opinion on each item as ratings; None if there are none.

    A like counts as three quarters up the scale, a dislike as its low end; ratings off the scale,
    clicks and the rest are left out, and "not interested" takes an earlier opinion back.

    Args:
        store: The feedback.
        scale: The scale of the model.
        weights: Weight in training of each kind of opinion that is not 1.
        titles: Items and their titles and genres, as ``load_items`` returns them.

    Raises:
        UsageError: A weight of something that becomes no rating, or one that is not above 0.
    """
    weights = _checked(weights or {})
    latest: dict[tuple[str, str], tuple[float | None, int, float]] = {}
    for event in store.events():
        if event.item is None or not KINDS[event.kind].opinion:
            continue
        pair = (event.user, event.item)
        liked = KINDS[event.kind].liked
        value = event.value if liked is None else implied_rating(scale, liked)
        if pair in latest and event.time < latest[pair][1]:
            continue  # it came late
        if value is None or scale.holds(value):
            latest[pair] = (value, event.time, weights.get(event.kind, 1.0))
    rated = {pair: rating for pair, rating in latest.items() if rating[0] is not None}
    if not rated:
        return None
    users, items = (np.array(side, dtype=object) for side in zip(*rated, strict=True))
    values, times, each = zip(*rated.values(), strict=True)
    ratings = Ratings.from_arrays(users, items, values, times, scale=scale, name="feedback")
    if titles is not None:
        ids, table = titles
        rated_ones = np.flatnonzero(ratings.item_ids.encode(ids.ids) >= 0)
        tables = [(table.take(rated_ones), ids.take(rated_ones))]
        ratings = replace(ratings, item_table=union_table(tables, ratings.item_ids))
    return replace(ratings, weights=np.array(each, dtype=np.float32)) if weights else ratings


def _checked(weights: Mapping[str, float]) -> Mapping[str, float]:
    opinions = [name for name, kind in KINDS.items() if kind.liked is not None or name == "rating"]
    for name, weight in weights.items():
        if name not in opinions:
            raise UsageError(
                f"weights: {name!r} becomes no rating{nearest(name, opinions)}; use "
                f"{', '.join(opinions)}"
            )
        if not 0 < weight < float("inf"):
            raise UsageError(f"weights: {name} = {weight:g}: give a number above 0")
    return weights
