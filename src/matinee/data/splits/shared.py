"""Joins parts that were read separately: one vocabulary, or one set of ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..ratings import Ratings, Scale
from ..side.columns import SideColumns
from ..side.items import ItemTable
from ..vocabulary import Vocabulary


def share_vocabularies(*parts: Ratings) -> tuple[Ratings, ...]:
    """Recode ratings that were read separately by the union of their ids.

    Ids are text for all parts if they are text for one. A title is taken from the first part that
    has one for the item, as are genres and values of columns. The scale covers all parts, or those
    whose scale was stated.
    """
    users = Vocabulary.union([part.user_ids for part in parts])
    items = Vocabulary.union([part.item_ids for part in parts])
    tables = [(part.item_table, part.item_ids) for part in parts if part.item_table is not None]
    table = union_table(tables, items)
    columns = [(part.user_columns, users.encode(part.user_ids.ids)) for part in parts]
    user_columns = SideColumns.union(columns, len(users))
    stated = [part for part in parts if part.scale_stated]
    by = stated or parts
    scale = Scale(min(p.scale.low for p in by), max(p.scale.high for p in by))
    return tuple(
        replace(
            part,
            users=users.encode(part.user_ids.ids)[part.users],
            items=items.encode(part.item_ids.ids)[part.items],
            user_ids=users,
            item_ids=items,
            item_table=table,
            user_columns=user_columns,
            scale=scale,
            scale_stated=bool(stated),
        )
        for part in parts
    )


def join(*parts: Ratings, name: str) -> Ratings:
    """Put the parts of a split together again; they must share their vocabularies."""
    times = [part.times for part in parts if part.times is not None]
    weights = None
    if any(part.weights is not None for part in parts):
        weights = np.concatenate(
            [np.ones(len(p), np.float32) if p.weights is None else p.weights for p in parts]
        )
    return replace(
        parts[0],
        users=np.concatenate([part.users for part in parts]),
        items=np.concatenate([part.items for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        times=np.concatenate(times) if len(times) == len(parts) else None,
        weights=weights,
        name=name,
        notes=tuple(note for part in parts for note in part.notes),
    )


def union_table(
    tables: Sequence[tuple[ItemTable, Vocabulary]], items: Vocabulary
) -> ItemTable | None:
    """Return titles, genres and columns of items from several tables; None if there is no table.

    Args:
        tables: Each with the ids of its rows, all of them among ``items``. What the first one has
            of an item counts.
        items: The items wanted.
    """
    if not tables:
        return None
    untitled = np.array([str(name) for name in items.ids], dtype=object)
    titles = untitled.copy()
    genres = np.empty(len(items), dtype=object)
    genres.fill(())
    years = np.zeros(len(items), dtype=np.int32)
    for table, ids in reversed(tables):
        codes = items.encode(ids.ids)
        titled = table.titles != untitled[codes]
        titles[codes[titled]] = table.titles[titled]
        if table.genres is not None:
            known = table.genres.astype(np.bool_)
            genres[codes[known]] = table.genres[known]
        if table.stated_years is not None:
            years[codes] = np.where(table.stated_years, table.stated_years, years[codes])
    columns = SideColumns.union(
        [(table.columns, items.encode(ids.ids)) for table, ids in tables], len(items)
    )
    with_genres = any(t.genres is not None for t, _ in tables)
    return ItemTable(
        titles, genres if with_genres else None, columns, years if years.any() else None
    )
