"""Titles and genres of the items, from a table beside the ratings."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from ..base.arrays import Int32, Int64, Texts
from ..errors import DataError, UsageError
from .netflix.find import is_titles
from .netflix.text import read_titles
from .read.columns import GENRES, ITEM, ITEM_ROLES, TITLE, USUAL, assign, option_of, plain
from .read.movielens import GENRES_100K
from .read.options import ReadOptions
from .read.source import Scan, Workspace, reason, run, workspace
from .read.timestamps import is_text
from .read.unpack import Part
from .side.columns import SideColumns
from .side.items import ItemTable
from .side.read import as_texts, cell_text, columns_by, located_table, open_located
from .values.ids import MISSING
from .vocabulary import Vocabulary

# u.item: id, title, release date, video release date, address, then a flag for each genre.
_FLAGS_FROM = 5
_IDS = ("id", "isbn", "asin")
"""How the names of columns of ids end."""
_MOST_CANDIDATES = 8
_NO_GENRES = frozenset({"(no genres listed)", *MISSING})
_TITLES = ("title", "itemtitle", "itemname", "originaltitle", "name")
_YEARS = (
    *("year", "releaseyear", "yearreleased", "publicationyear", "yearofpublication"),
    *("yearpublished", "originalpublicationyear"),
)
_TITLES_OF_ONE = 0.9
"""Minimum share of items with one title, and of titles with one item, of a title column."""


def item_table(
    items: Any,
    beside: Part | None,
    work: Workspace,
    ids: Vocabulary,
    mapped: Mapping[str, str],
    rated: tuple[Scan, Mapping[str, str]] | None = None,
    options: ReadOptions | None = None,
) -> tuple[ItemTable | None, tuple[str, ...]]:
    """Titles and genres, and problems of a table that was read without being named.

    The table is the requested one, else the file beside the ratings that looks like one, else
    the ratings' own.

    Raises:
        DataError: A requested table cannot be read, or has none of the items.
        UsageError: Columns are given, but there is no table.
    """
    if items is None and beside is None:
        if (
            rated is not None
            and ITEM not in mapped
            and set(mapped.values()) <= set(rated[0].columns)
        ):
            return _of_ratings(*rated, work, ids, mapped)
        if mapped:
            raise UsageError(
                f"{option_of(next(iter(mapped)), ITEM_ROLES)} names a column of a table of titles; "
                "give the table with --items"
            )
        return None, ()
    rated_by = rated[1][ITEM] if rated is not None and rated[0].header else None
    try:
        located = located_table(items, beside, work, "items")
        if isinstance(located, Scan) or not is_titles(located[0]):
            scan = open_located(located, work, ITEM_ROLES, mapped, options)
            label = scan.label
            table, notes = _of_any_scan(scan, work, ids, mapped, rated_by)
        else:
            label, table, notes = located[0].label, read_titles(located[0], ids), ()
        if table is None:
            example = ids.ids[0] if ids.numeric else repr(ids.ids[0])
            raise DataError(
                f"{label}: none of its ids is an item of the ratings, such as {example}; if they "
                "are in another column, name it with --item-id COL"
            )
    except (DataError, duckdb.Error) as error:
        if items is not None:
            raise
        return None, (f"titles left out: {reason(error)}",)
    return table, notes


def load_items(source: Any) -> tuple[Vocabulary, ItemTable]:
    """Ids, titles and genres of a table of items, without ratings.

    Args:
        source: A path of movies.csv, u.item or any table with columns for the item, the title and
            perhaps the genres; or a table in memory.

    Raises:
        DataError: It cannot be read as such a table, or has no items.
    """
    label = str(source) if isinstance(source, (str, Path)) else "items"
    with workspace(label) as work:
        scan = open_located(located_table(source, None, work, label), work, ITEM_ROLES, {})
        stated = {} if scan.header else {ITEM: "1", TITLE: "2"}
        names = list(scan.columns)
        candidates = _candidates(names, None) if scan.header else []
        if len(candidates) == 1:  # as in a table of titles beside ratings
            stated[ITEM] = candidates[0]
        columns = assign(names, ITEM_ROLES, stated, header=scan.header, label=label)
        text = cell_text(scan, columns[ITEM])
        column = run(work, scan, f"SELECT DISTINCT {text} AS c0 FROM {scan.relation}").fetchnumpy()
        item_ids = as_texts(column["c0"])
        item_ids = item_ids[item_ids != ""]
        if not len(item_ids):
            raise DataError(f"{label}: no items")
        ids, _ = Vocabulary.of(item_ids)
        mapped = {ITEM: columns[ITEM]} if scan.header else {}
        table, _ = item_table(source, None, work, ids, mapped)
        assert table is not None
        return ids, table


def _of_any_scan(
    scan: Scan,
    work: Workspace,
    ids: Vocabulary,
    mapped: Mapping[str, str],
    rated_by: str | None,
) -> tuple[ItemTable | None, tuple[str, ...]]:
    """``_of_scan``, reading the table in another way if the first fails."""
    try:
        return _of_scan(scan, work, ids, mapped, rated_by)
    except (DataError, duckdb.Error):
        for other in scan.others():
            with suppress(DataError, duckdb.Error):
                return _of_scan(other, work, ids, mapped, rated_by)
        raise


def _of_scan(
    scan: Scan,
    work: Workspace,
    ids: Vocabulary,
    mapped: Mapping[str, str],
    rated_by: str | None,
) -> tuple[ItemTable | None, tuple[str, ...]]:
    """Titles and genres of a vocabulary; None if the table has none of its items.

    The genres are in one column, separated by ``|``, or as in u.item in one for each. The
    column of the items may have the name ``rated_by``, which it has in the ratings.
    """
    names = list(scan.columns)
    flagged = not scan.header and len(names) == _FLAGS_FROM + len(GENRES_100K)
    stated = dict(mapped) if scan.header else {ITEM: "1", TITLE: "2", **mapped}
    candidates = [] if ITEM in stated else _candidates(names, rated_by)
    if candidates:
        stated[ITEM] = candidates[0]
    columns = assign(names, ITEM_ROLES, stated, header=scan.header, label=scan.label)
    expressions = [cell_text(scan, columns[TITLE])]
    if flagged:
        expressions += [cell_text(scan, name) for name in names[_FLAGS_FROM:]]
    elif GENRES in columns:
        expressions.append(_genre_text(scan, columns[GENRES]))
    candidates = candidates or [columns[ITEM]]
    expressions += [cell_text(scan, name) for name in candidates]
    selection = ", ".join(f"{sql} AS c{at}" for at, sql in enumerate(expressions))
    arrays = run(work, scan, f"SELECT {selection} FROM {scan.relation}").fetchnumpy()
    given_titles, *rest = (as_texts(column) for column in arrays.values())
    known = [ids.encode(column) for column in rest[len(rest) - len(candidates) :]]
    best = int(np.argmax([len(np.unique(codes[codes >= 0])) for codes in known]))
    notes: tuple[str, ...] = ()
    if best:
        notes = (
            f"titles by the ids in {candidates[best]!r} of {scan.label}, which has more of the "
            f"items than {candidates[0]!r} (--item-id states another column)",
        )
    codes, rest = known[best], rest[: len(rest) - len(candidates)]
    rows = np.flatnonzero((codes >= 0) & (given_titles != ""))
    if not len(rows):
        return None, ()
    rows = rows[::-1]  # Of two rows of one item the first counts, so it is written last.
    listed = None if not rest else _from_flags(rest) if flagged else _from_text(rest[0])
    others = [n for n in names if scan.header and n not in (*columns.values(), *candidates)]
    side = columns_by(scan, work, ids, candidates[best], others) if others else None
    table = _aligned(ids, codes, rows, given_titles, listed)
    return replace(table, columns=side, stated_years=_years(side)), notes


def _years(side: SideColumns | None) -> Int32 | None:
    """Return the years in the first column with a usual name for them, 0 for other values."""
    by_name = {} if side is None else {plain(name): each for name, each in side.columns.items()}
    column = next((by_name[name] for name in _YEARS if name in by_name), None)
    if column is None:
        return None
    matches = (re.fullmatch(r"(-?\d{1,4})(\.0)?", str(value)) for value in column)
    return np.array([int(match[1]) if match else 0 for match in matches], dtype=np.int32)


def _of_ratings(
    scan: Scan,
    columns: Mapping[str, str],
    work: Workspace,
    ids: Vocabulary,
    mapped: Mapping[str, str],
) -> tuple[ItemTable | None, tuple[str, ...]]:
    """Titles and genres from columns of the ratings' own table.

    A column that is not given contains titles if it has a usual name for them, or the item's
    column without "id", and if nearly every item of several ratings has one title and nearly every
    title one item: a column such as "name" may as well hold the users' names.
    """
    free = {name: kind for name, (_, kind) in scan.columns.items() if name not in columns.values()}
    title = mapped.get(TITLE) or (_title_column(free, columns[ITEM]) if scan.header else None)
    if title is None:
        if mapped:
            raise UsageError(
                f"{scan.label}: --genres {mapped[GENRES]!r} needs a column of titles; state it "
                "with --title"
            )
        return None, ()
    stated = {ITEM: columns[ITEM], TITLE: title, **mapped}
    roles = assign(list(scan.columns), ITEM_ROLES, stated, header=scan.header, label=scan.label)
    genres = _genre_text(scan, roles[GENRES]) if roles.get(GENRES) in free else "''"
    arrays = run(
        work,
        scan,
        "SELECT item, min(title) AS title, max(title) AS other, count(*) AS n, "
        "any_value(genres) AS genres "
        f"FROM (SELECT {cell_text(scan, roles[ITEM])} AS item, {cell_text(scan, title)} AS title, "
        f"{genres} AS genres FROM {scan.relation}) WHERE title <> '' GROUP BY item",
    ).fetchnumpy()
    codes, names = ids.encode(as_texts(arrays["item"])), as_texts(arrays["title"])
    known = np.flatnonzero(codes >= 0)
    if not len(known):
        return None, ()
    if TITLE not in mapped:
        repeated = known[np.asarray(arrays["n"])[known] > 1]
        one_title = (names == as_texts(arrays["other"]))[repeated].sum() / max(len(repeated), 1)
        one_item = len(np.unique(names[known])) / len(known)
        if min(one_title, one_item) < _TITLES_OF_ONE:
            return None, ()
    note, listed = f"titles from the column {title!r}", None
    if roles.get(GENRES) in free:
        note += f", genres from {roles[GENRES]!r}"
        listed = _from_text(as_texts(arrays["genres"]))
    return _aligned(ids, codes, known, names, listed), (note,)


def _aligned(
    ids: Vocabulary,
    codes: Int32,
    rows: Int64,
    titles: Texts,
    genres: Sequence[tuple[str, ...]] | None,
) -> ItemTable:
    """Titles and genres of a vocabulary: an item without a row has its id as title, and no genres.

    Args:
        ids: The vocabulary.
        codes: int32 (rows of the table,), the code of each row's item.
        rows: Which rows count; of two rows of one item the later one does.
        titles: By row of the table.
        genres: Likewise, or None.
    """
    by_code = np.array([str(name) for name in ids.ids], dtype=object)
    by_code[codes[rows]] = titles[rows]
    if genres is None:
        return ItemTable(by_code)
    genres_by_code = np.empty(len(ids), dtype=object)
    genres_by_code.fill(())
    for row in rows:
        genres_by_code[codes[row]] = genres[row]
    return ItemTable(by_code, genres_by_code)


def _title_column(kinds: Mapping[str, str], item: str) -> str | None:
    """Return the text column that may contain titles, by its name."""
    texts = {plain(name): name for name, kind in list(kinds.items())[::-1] if is_text(kind)}
    stem = plain(item).removesuffix("id")
    names = [f"{stem}title", f"{stem}name", *_TITLES, *([stem] if stem in USUAL[ITEM] else ())]
    return next((texts[name] for name in names if name in texts), None)


def _candidates(names: Sequence[str], rated_by: str | None) -> list[str]:
    """List columns that may contain item ids: with the ratings' column name, then usual names."""
    by_name = {plain(name): name for name in reversed(names)}
    usual_names = USUAL[ITEM] if rated_by is None else (plain(rated_by), *USUAL[ITEM])
    usual = list(dict.fromkeys(by_name[name] for name in usual_names if name in by_name))
    others = [name for name in names if plain(name).endswith(_IDS) and name not in usual]
    titles = {by_name[name] for name in USUAL[TITLE][:1] if name in by_name}
    return [name for name in (*usual, *others) if name not in titles][:_MOST_CANDIDATES]


def _from_flags(columns: list[Texts]) -> list[tuple[str, ...]]:
    flags = np.stack([column == "1" for column in columns], axis=1)
    return [tuple(name for name, on in zip(GENRES_100K, row, strict=True) if on) for row in flags]


def _from_text(texts: Texts) -> list[tuple[str, ...]]:
    lists = _from_literals(texts)
    if lists is not None:
        return lists
    between = next((mark for mark in "|;," if any(mark in text for text in texts)), "|")
    return [
        ()
        if text in _NO_GENRES
        else tuple(name for part in text.split(between) if (name := part.strip()))
        for text in texts
    ]


def _from_literals(texts: Texts) -> list[tuple[str, ...]] | None:
    """Genres written as lists in Python or JSON, of names or of objects with a name; else None."""
    if any(text and not (text[0] == "[" and text[-1] == "]") for text in texts):
        return None
    lists = []
    for text in texts:
        try:
            values = _literal(text) if text else []
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
        names = [value.get("name") if isinstance(value, dict) else value for value in values]
        lists.append(tuple(str(name).strip() for name in names if name))
    return lists


def _literal(text: str) -> Any:
    """Return a list written in JSON, in Python, or by numpy, which writes no commas."""
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(re.sub(r"(['\"])\s+(['\"])", r"\1, \2", text))


def _genre_text(scan: Scan, name: str) -> str:
    sql, kind = scan.columns[name]
    if kind.startswith("STRUCT") and kind.endswith("[]"):  # of JSON files and of Parquet
        return f"coalesce(CAST(CAST({sql} AS JSON) AS VARCHAR), '')"
    return cell_text(scan, name)
