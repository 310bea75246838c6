"""Titles and genres of the items, from the table that stands beside the ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from .ratings import ItemTable
from .read.columns import GENRES, ITEM, ITEM_ROLES, TITLE, assign, plain
from .read.files import open_files
from .read.frames import open_frame
from .read.movielens import GENRES_100K
from .read.source import Scan, Workspace, run
from .read.unpack import Part
from .vocabulary import Vocabulary

Texts = npt.NDArray[np.object_]

# u.item: id, title, release date, video release date, address, then a flag for each genre.
_FLAGS_FROM = 5
_NO_GENRES = "(no genres listed)"


def read_items(parts: list[Part], work: Workspace, ids: Vocabulary) -> ItemTable | None:
    """Titles and genres from item files, in the order of a vocabulary.

    Args:
        parts: movies.dat, u.item, movies.csv, or any table with columns for the item, the title
            and perhaps the genres (several in one text, separated by ``|``).
        work: Where to read.
        ids: The items wanted.

    Returns:
        The table, or None if it knows none of the items. An item it does not know has its id as
        title.

    Raises:
        DataError: A file cannot be read as such a table.
    """
    plain_parts = [_as_utf8(part, work) for part in parts]
    given: dict[str, str] = {}
    return items_of_scan(open_files(plain_parts, work, ITEM_ROLES, given), work, ids)


def items_of_frame(source: Any, work: Workspace, ids: Vocabulary) -> ItemTable | None:
    """The same from a table in memory."""
    return items_of_scan(open_frame(source, work, "items"), work, ids)


def items_of_scan(scan: Scan, work: Workspace, ids: Vocabulary) -> ItemTable | None:
    """The same from an opened table."""
    names = list(scan.columns)
    flagged = not scan.header and len(names) == _FLAGS_FROM + len(GENRES_100K)
    given = {} if scan.header else {ITEM: "1", TITLE: "2"}
    called_id = [name for name in names if plain(name) == "id"]
    try:
        columns = assign(names, ITEM_ROLES, given, header=scan.header, label=scan.label)
    except DataError:
        if not called_id:
            raise
        given = {ITEM: called_id[0]}
        columns = assign(names, ITEM_ROLES, given, header=scan.header, label=scan.label)
    wanted = [_text(scan, columns[ITEM]), _text(scan, columns[TITLE])]
    if flagged:
        wanted += [_text(scan, name) for name in names[_FLAGS_FROM:]]
    elif GENRES in columns:
        wanted.append(_genre_text(scan, columns[GENRES]))
    selected = ", ".join(f"{sql} AS c{at}" for at, sql in enumerate(wanted))
    found = run(work, scan, f"SELECT {selected} FROM {scan.relation}").fetchnumpy()
    given_ids, given_titles, *rest = (_texts(column) for column in found.values())
    codes = ids.encode(given_ids)
    rows = np.flatnonzero((codes >= 0) & (given_titles != ""))
    if not len(rows):
        return None
    rows = rows[::-1]  # Of two rows of one item the first counts, so it is written last.
    titles = np.array([str(name) for name in ids.ids], dtype=object)
    titles[codes[rows]] = given_titles[rows]
    if not rest:
        return ItemTable(titles)
    genres = np.empty(len(ids), dtype=object)
    genres.fill(())
    listed = _from_flags(rest) if flagged else _from_text(rest[0])
    for row in rows:
        genres[codes[row]] = listed[row]
    return ItemTable(titles, genres)


def _from_flags(columns: list[Texts]) -> list[tuple[str, ...]]:
    flags = np.stack([column == "1" for column in columns], axis=1)
    return [tuple(name for name, on in zip(GENRES_100K, row, strict=True) if on) for row in flags]


def _from_text(texts: Texts) -> list[tuple[str, ...]]:
    between = next((mark for mark in "|;," if any(mark in text for text in texts)), "|")
    return [
        ()
        if text == _NO_GENRES
        else tuple(name for part in text.split(between) if (name := part.strip()))
        for text in texts
    ]


def _text(scan: Scan, name: str) -> str:
    return f"trim(coalesce(CAST({scan.columns[name][0]} AS VARCHAR), ''))"


def _genre_text(scan: Scan, name: str) -> str:
    sql, kind = scan.columns[name]
    return (
        f"coalesce(array_to_string({sql}, '|'), '')" if kind.endswith("[]") else _text(scan, name)
    )


def _texts(column: Any) -> Texts:
    return np.asarray(np.ma.getdata(column)).astype(object)


def _as_utf8(part: Part, work: Workspace) -> Part:
    """The part itself, or a copy in UTF-8 of a text file in Latin-1, as MovieLens ships them."""
    with part.path.open("rb") as file:
        if file.read(4) == b"PAR1":
            return part
    data = part.path.read_bytes()
    try:
        data.decode("utf-8")
        return part
    except UnicodeDecodeError:
        copy = Path(work.folder / f"utf8-{part.path.name}")
        copy.write_text(data.decode("latin-1"), encoding="utf-8", newline="")
        return Part(copy, part.label)
