"""Tables of recommendations, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data import Table
from ..recommend import People, Unknown, rank, refuse_unknown
from ._coded import Coded
from .support import as_column

Mask = npt.NDArray[np.bool_]


def allowed_items(
    model: Coded, exclude: Iterable[Any], only: Iterable[Any] | None, unknown: Unknown
) -> Mask:
    """Which items may be recommended, shape (n_items,); see ``Recommender.recommend``."""
    allowed = np.full(model.n_items, only is None)
    for ids, value in ((only, True), (exclude, False)):
        names = as_column(() if ids is None else ids)
        codes = model.item_ids.encode(names)
        if unknown == "error":
            refuse_unknown("item", names, codes)
        allowed[codes[codes >= 0]] = value
    return allowed


def tables(
    model: Coded, people: People, k: int, allowed: Mask, include_seen: bool, with_std: bool
) -> Iterator[Table]:
    """The tables of ``Recommender.recommend_all``."""
    ranked = rank(
        model.rank_scores_coded,
        people.histories,
        model.n_items,
        k=k,
        allowed=allowed,
        include_seen=include_seen,
    )
    for rows, items, scores, ranks in ranked:
        predicted = (
            model._clipped(scores.astype(np.float64))
            if model.ranks_by_rating
            else model.predict_coded(people.histories, rows, items)
        )
        columns = {
            "user_id": people.ids[rows],
            "item_id": model.item_ids.decode(items),
            "score": predicted,
            "rank": ranks,
        }
        if with_std:
            _, columns["std"] = model.predict_coded_std(people.histories, rows, items)
        if model.item_table is not None:
            columns["title"] = model.item_table.titles[items]
        yield Table(columns)
