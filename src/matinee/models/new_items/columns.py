"""Side information about items as numeric columns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float64
from ...base.text import split_year
from ...data import ItemTable, Vocabulary
from ...errors import UsageError
from ...recommend import words as title_words

_FEWEST = 2
"""Known items that a genre needs to become a column."""


@dataclass(frozen=True, eq=False)
class ItemColumns:
    """Columns of known and of new items.

    Attributes:
        names: Names of the columns.
        known: float64 (known items, columns), by item code.
        new: float64 (new items, columns).
    """

    names: tuple[str, ...]
    known: Float64
    new: Float64


def item_columns(
    known_ids: Vocabulary,
    known: ItemTable | None,
    new_ids: Vocabulary,
    new: ItemTable | None,
    *,
    words: int = 0,
    vectors: Mapping[Any, npt.ArrayLike] | None = None,
) -> ItemColumns:
    """Return columns of known and new items: genres, year, hashed title words, vectors.

    Args:
        known_ids: Ids of the known items.
        known: Their titles and genres.
        new_ids: Ids of the new items.
        new: Titles and genres of the new items.
        words: Buckets that the words of titles are hashed into (Weinberger et al., "Feature hashing
            for large scale multitask learning", ICML 2009); 0 leaves titles out.
        vectors: An embedding of each known and new item by id, all of one length.
            A missing one is replaced by the mean of the others.

    Raises:
        UsageError: There is no column, vectors differ in length, or one side has none.
    """
    names: list[str] = []
    parts: list[tuple[Float64, Float64]] = []
    if known is not None and new is not None:
        for columns, one, two in (_genres(known, new), _years(known, new)):
            names += columns
            parts.append((one, two))
        if words:
            names += [f"word {at}" for at in range(words)]
            parts.append((_words(known, words), _words(new, words)))
    if vectors is not None:
        one, two = _vectors(known_ids, new_ids, vectors)
        names += [f"vector {at}" for at in range(one.shape[1])]
        parts.append((one, two))
    if not names:
        raise UsageError(
            "nothing is known of the items but their ids: predictions for new items need titles "
            "with years, genres or vectors of both the known and the new items"
        )
    sides = (np.hstack([part[side] for part in parts]) for side in (0, 1))
    return ItemColumns(tuple(names), *sides)


def _genres(known: ItemTable, new: ItemTable) -> tuple[list[str], Float64, Float64]:
    counts: dict[str, int] = {}
    for genres in () if known.genres is None else known.genres:
        for genre in set(genres):
            counts[genre] = counts.get(genre, 0) + 1
    names = sorted(name for name, count in counts.items() if count >= _FEWEST)
    position_of = {name: position for position, name in enumerate(names)}
    sides = []
    for table in (known, new):
        columns = np.zeros((len(table.titles), len(names)))
        for row, genres in enumerate(() if table.genres is None else table.genres):
            columns[row, [position_of[genre] for genre in genres if genre in position_of]] = 1.0
        sides.append(columns)
    return names, sides[0], sides[1]


def _years(known: ItemTable, new: ItemTable) -> tuple[list[str], Float64, Float64]:
    """Return the standardised year, its square and cube; a missing year is the mean."""
    years = [table.years for table in (known, new)]
    stated = years[0][~np.isnan(years[0])]
    if len(stated) < _FEWEST or stated.std() == 0:
        return [], np.zeros((len(years[0]), 0)), np.zeros((len(years[1]), 0))
    sides = []
    for each in years:
        z = np.clip(np.nan_to_num((each - stated.mean()) / stated.std()), -4.0, 4.0)
        sides.append(np.stack([z, z**2, z**3], axis=1))
    return ["year", "year^2", "year^3"], sides[0], sides[1]


def _words(table: ItemTable, buckets: int) -> Float64:
    columns = np.zeros((len(table.titles), buckets))
    for row, title in enumerate(table.titles):
        for word in title_words(split_year(str(title))[0]):
            digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
            number = int.from_bytes(digest)
            columns[row, (number >> 1) % buckets] += 1.0 if number & 1 else -1.0
    return columns


def _vectors(
    known_ids: Vocabulary, new_ids: Vocabulary, vectors: Mapping[Any, npt.ArrayLike]
) -> tuple[Float64, Float64]:
    ids = np.fromiter(vectors, dtype=object)
    rows = [np.asarray(vector, dtype=np.float64).ravel() for vector in vectors.values()]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or not all(np.isfinite(row).all() for row in rows):
        raise UsageError("vectors: give one of the same length for each item, of finite numbers")
    values = np.stack(rows)
    mean = values.mean(axis=0)
    sides = []
    for side, vocabulary in (("known", known_ids), ("new", new_ids)):
        codes = vocabulary.encode(ids)
        if not (codes >= 0).any():
            raise UsageError(
                f"vectors: none is of a {side} item, such as {vocabulary.ids[0]!r}; give those of "
                "known and new items, by id"
            )
        columns = np.tile(mean, (len(vocabulary), 1))
        columns[codes[codes >= 0]] = values[codes >= 0]
        sides.append(columns)
    return sides[0], sides[1]
