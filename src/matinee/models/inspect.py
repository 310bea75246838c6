"""A model looked at: where it is wrong, and what it holds alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Ratings
from ..evaluate import Breakdown
from ..recommend import HistoriesLike, most_alike, unit_rows
from .base import Recommender
from .support import analysis, item_counts, item_vectors


@dataclass(frozen=True)
class Neighbours:
    """The items that a model holds most like one.

    Attributes:
        item_id: The item.
        title: Its title, or the id as text.
        n_ratings: Training ratings of it.
        similar: (item id, title, cosine of their vectors), nearest first.
    """

    item_id: Any
    title: str
    n_ratings: int
    similar: tuple[tuple[Any, str, float], ...]


def breakdown(
    model: Recommender,
    test: Ratings,
    *,
    histories: HistoriesLike | None = None,
    seed: int = 0,
) -> Breakdown:
    """Take a model's errors on held-out ratings apart.

    Args:
        model: The model.
        test: Ratings it was not trained on; ``evaluate`` is what checks that.
        histories: As for ``Recommender.evaluate``.
        seed: Seeds the bootstrap of the intervals.

    Raises:
        DataError: No test ratings.
        UsageError: The model carries no histories and none are given.
    """
    people = model._people(histories, "skip")
    rows = model._rows(people, histories is None, test.user_ids.ids)
    return analysis(model, test, people.histories, rows, seed)()


def neighbours(
    model: Recommender, items: Sequence[Any] | None = None, *, k: int = 5, few: int = 20
) -> list[Neighbours]:
    """The nearest items, by the cosine of learned vectors, to some of the items.

    Args:
        model: A model whose items have vectors; of others the list is empty.
        items: Ids of the items; by default the eight with the most training ratings.
        k: How many for each.
        few: Items with fewer training ratings are nobody's neighbours: their vectors have hardly
            been learned.
    """
    vectors = item_vectors(model)
    counts = item_counts(model)
    if vectors is None or counts is None:
        return []
    titles = None if model.item_table is None else model.item_table.titles
    most_rated = np.argsort(-counts, kind="stable")[:8].tolist()
    asked = most_rated if items is None else model.item_ids.encode(list(items)).tolist()
    kept = np.flatnonzero(counts >= few)
    if len(kept) < k + 1:
        kept = np.flatnonzero(counts > 0)

    def named(code: int) -> tuple[Any, str]:
        item = model.item_ids.ids[code : code + 1].tolist()[0]
        return item, str(item if titles is None else titles[code])

    found = []
    for code in (code for code in asked if code >= 0):
        rows = np.append(kept[kept != code], code)
        near, cosines = most_alike(unit_rows(vectors.vectors[rows]), len(rows) - 1, k)
        pairs = zip(rows[near].tolist(), cosines.tolist(), strict=True)
        similar = tuple((*named(other), float(cosine)) for other, cosine in pairs)
        found.append(Neighbours(*named(code), int(counts[code]), similar))
    return found
