"""Inspection of a fitted model: evaluation of lists, error breakdown, and nearest items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..base.arrays import Array, Float32
from ..data import Histories, Ratings, RatingsLike
from ..evaluate import Breakdown, ListEvaluation, Score, scored_lists
from ..recommend import HistoriesLike, Unknown, most_alike, refuse_unknown, unit_rows
from .base import Recommender
from .support import analysis, item_counts, item_vectors


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of an item by the cosine of learned item vectors.

    Attributes:
        item_id: The item.
        title: Its title, or the id as text.
        n_ratings: Number of its training ratings.
        similar: (item id, title, cosine of their vectors), nearest first.
    """

    item_id: Any
    title: str
    n_ratings: int
    similar: tuple[tuple[Any, str, float], ...]


LOVES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
"""Exponents of the probability of liking that ``by_love`` tries besides the model's own."""


@dataclass(frozen=True)
class LovePoint:
    """List metrics at one exponent of the probability of liking.

    Attributes:
        love: The exponent.
        own: Whether it is the model's own.
        scores: By name of the list metric.
    """

    love: float
    own: bool
    scores: dict[str, Score]


def by_love(
    model: Recommender,
    test: Ratings,
    *,
    relevant: float,
    k: int = 10,
    loves: Sequence[float] = LOVES,
    histories: HistoriesLike | None = None,
    seed: int = 0,
) -> list[LovePoint]:
    """Score a model's lists for several values of ``love``; see ``Recommender.recommend``.

    Interest and predicted ratings are computed once; only the ranking is repeated for each value.

    Args:
        model: The model. The result is empty unless it ranks by both interest and rating.
        test: Held-out ratings. They are not checked for leaks.
        relevant: The lowest relevant test rating.
        k: Length of the lists.
        loves: The values, besides the model's own.
        histories: See ``Recommender.evaluate``.
        seed: Seeds the bootstrap of the intervals.

    Returns:
        Points by ascending love. Diversity is not computed.

    Raises:
        DataError: No test rating is relevant.
        UsageError: The model was saved without histories and none are passed.
    """
    if model.interest is None or model.preference is None:
        return []
    values = sorted({*loves, model.love})
    people, rows = model._people_and_rows(histories, test.user_ids.ids)
    turns: Iterator[Float32] = iter(())

    def scorer(at: int) -> Callable[[Histories], Float32]:
        def scores(batch: Histories) -> Float32:
            nonlocal turns
            if at == 0:
                turns = model.rank_scores_by_love(batch, values)
            return next(turns)

        return scores

    scores_by_love = scored_lists(
        [scorer(at) for at in range(len(values))],
        test,
        model.item_ids,
        people.histories,
        rows,
        k=k,
        relevant=relevant,
        seed=seed,
    )
    return [
        LovePoint(love, love == model.love, scores)
        for love, scores in zip(values, scores_by_love, strict=True)
    ]


def evaluate_lists(
    model: Recommender | Path | str, test: RatingsLike, **options: Any
) -> ListEvaluation:
    """Evaluate the lists of a model on held-out ratings, with baselines.

    Args:
        model: A fitted model, or the folder of a saved one.
        test: Ratings the model was not trained on, or what ``load`` takes.
        **options: Those of ``Recommender.evaluate_lists``: k, relevant, histories, baselines, ...

    Raises:
        MatineeError: As ``load_model`` and ``Recommender.evaluate_lists``.
    """
    from .folder.read import load_model

    fitted = model if isinstance(model, Recommender) else load_model(model)
    return fitted.evaluate_lists(test, **options)


def breakdown(
    model: Recommender,
    test: Ratings,
    *,
    histories: HistoriesLike | None = None,
    seed: int = 0,
) -> Breakdown:
    """Break down a model's errors on held-out ratings.

    Args:
        model: The model.
        test: Held-out ratings. They are not checked for leaks.
        histories: See ``Recommender.evaluate``.
        seed: Seeds the bootstrap of the intervals.

    Raises:
        DataError: No test ratings.
        UsageError: The model was saved without histories and none are passed.
    """
    people, rows = model._people_and_rows(histories, test.user_ids.ids)
    timed = model._timed_people(people) if model.follows(test) else None
    return analysis(model, test, people.histories, rows, seed, timed)()


def neighbours(
    model: Recommender,
    items: Sequence[Any] | None = None,
    *,
    k: int = 5,
    few: int = 20,
    unknown: Unknown = "error",
) -> list[Neighbours]:
    """Return the nearest neighbours of items by the cosine of learned vectors.

    Args:
        model: A fitted model. The result is empty if its items have no vectors.
        items: Ids of the items; by default the eight with the most training ratings.
        k: Number of neighbours per item.
        few: Items with fewer training ratings are not returned as neighbours, as their vectors
            are poorly determined.
        unknown: For unknown items: "error", or "skip" to ignore them.

    Raises:
        UnknownIdError: An unknown item, unless ``unknown="skip"``.
    """
    vectors = item_vectors(model)
    counts = item_counts(model)
    if vectors is None or counts is None:
        return []
    titles = None if model.item_table is None else model.item_table.titles
    codes: Array = np.argsort(-counts, kind="stable")[:8]
    if items is not None:
        codes = model.item_ids.encode(list(items))
        refuse_unknown("item", list(items), codes, unknown)
    candidates = np.flatnonzero(counts >= few)
    if len(candidates) < k + 1:
        candidates = np.flatnonzero(counts > 0)

    def named(code: int) -> tuple[Any, str]:
        item = model.item_ids.ids[code : code + 1].tolist()[0]
        return item, str(item if titles is None else titles[code])

    neighbours_of = []
    for code in codes[codes >= 0].tolist():
        rows = np.append(candidates[candidates != code], code)
        nearest, cosines = most_alike(unit_rows(vectors.vectors[rows]), len(rows) - 1, k)
        pairs = zip(rows[nearest].tolist(), cosines.tolist(), strict=True)
        similar = tuple((*named(other), float(cosine)) for other, cosine in pairs)
        neighbours_of.append(Neighbours(*named(code), int(counts[code]), similar))
    return neighbours_of
