"""Tables of recommendations, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ..base.arrays import Mask
from ..data import Table
from ..recommend import People, Unknown, rank, refuse_unknown
from ._coded import Coded
from .arguments import as_column


def allowed_items(
    model: Coded, exclude: Iterable[Any], only: Iterable[Any] | None, unknown: Unknown
) -> Mask:
    """Return the mask of candidate items, shape (n_items,); see ``Recommender.recommend``."""
    allowed = np.full(model.n_items, only is None)
    for ids, value in ((only, True), (exclude, False)):
        names = as_column(() if ids is None else ids)
        codes = model.item_ids.encode(names)
        refuse_unknown("item", names, codes, unknown)
        allowed[codes[codes >= 0]] = value
    return allowed


def tables(
    model: Coded,
    people: People,
    k: int,
    allowed: Mask,
    include_seen: bool,
    with_std: bool,
    love: float | None,
    personal: float,
) -> Iterator[Table]:
    """Yield the tables of ``Recommender.recommend_all``."""
    ranked = rank(
        partial(model.ranking_coded, love=love, personal=personal),
        people.histories,
        model.n_items,
        k=k,
        allowed=allowed,
        include_seen=include_seen,
    )
    for rows, items, scores, ranks, predictions in ranked:
        columns = {
            "user_id": people.ids[rows],
            "item_id": model.item_ids.decode(items),
            "score": scores.astype(np.float64),
            "rank": ranks,
        }
        if with_std:
            predicted, std = model.predict_coded_std(people.histories, rows, items)
        elif predictions is not None:
            predicted = model._clipped(predictions.astype(np.float64))
        elif not model.ranks_by_rating and model.preference is not None:
            predicted = model.predict_coded(people.histories, rows, items)
        if model.ranks_by_rating and not personal:
            columns["score"] = model._clipped(columns["score"])
        elif model.knows_ratings:
            columns["predicted"] = predicted
        if with_std:
            columns["std"] = std
        if model.item_table is not None:
            columns["title"] = model.item_table.titles[items]
        yield Table(columns)
