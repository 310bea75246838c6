"""The Parquet files of a model folder."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from ...base.arrays import Array, row_bounds
from ...data import Histories, ItemTable, Vocabulary
from ...data.values.ids import literal
from ...errors import ModelFileError
from ._checks import check_rows

USERS = "users.parquet"
ITEMS = "items.parquet"
HISTORIES = "histories.parquet"

_MARK = "\x1f"  # joins the genres of an item while reading and writing; no title contains it


def write_parquets(
    folder: Path,
    users: Vocabulary,
    items: Vocabulary,
    table: ItemTable | None,
    histories: Histories | None,
) -> None:
    """Write the ids, the titles and, if any, the histories."""
    with duckdb.connect() as db:
        db.register("users", {"user_id": users.ids})
        _copy(db, "SELECT user_id FROM users", folder / USERS)
        columns: dict[str, Array] = {"item_id": items.ids}
        selected = "item_id"
        if table is not None:
            columns["title"] = table.titles
            selected += ", title"
            if table.genres is not None:
                columns["genres"] = np.fromiter(map(_MARK.join, table.genres), dtype=object)
                selected += (
                    f", CASE genres WHEN '' THEN [] ELSE string_split(genres, '{_MARK}') END"
                )
                selected += " AS genres"
            if table.stated_years is not None:
                columns["year"] = table.stated_years
                selected += ", year"
        db.register("items", columns)
        _copy(db, f"SELECT {selected} FROM items", folder / ITEMS)
        if histories is not None:
            rows = np.arange(len(histories), dtype=np.int32)
            entries = {
                "user": np.repeat(rows, histories.counts),
                "item": histories.items,
                "rating": histories.values,
            }
            db.register("histories", entries)
            _copy(db, 'SELECT "user", item, rating FROM histories', folder / HISTORIES)


def read_users(db: duckdb.DuckDBPyConnection, folder: Path) -> Vocabulary:
    """Read the user vocabulary."""
    columns = _fetch(db, f"SELECT user_id FROM {_source(folder / USERS)}", folder / USERS)
    return Vocabulary(_ids(columns["user_id"]))


def read_items(db: duckdb.DuckDBPyConnection, folder: Path) -> tuple[Vocabulary, ItemTable | None]:
    """Read the item vocabulary, with titles and genres if known."""
    source = _source(folder / ITEMS)
    described = _fetch(
        db, f"SELECT name FROM parquet_schema({literal(str(folder / ITEMS))})", folder / ITEMS
    )
    names = set(described["name"].tolist())
    selected = "item_id"
    selected += ", title" if "title" in names else ""
    if "genres" in names:  # older versions of DuckDB join an empty list to NULL, like a NULL
        joined = f"coalesce(array_to_string(genres, '{_MARK}'), '')"
        selected += f", CASE WHEN genres IS NOT NULL THEN {joined} END AS genres"
    selected += ', CAST("year" AS INTEGER) AS "year"' if "year" in names else ""
    columns = _fetch(db, f"SELECT {selected} FROM {source}", folder / ITEMS)
    vocabulary = Vocabulary(_ids(columns["item_id"]))
    if "title" not in columns:
        return vocabulary, None
    genres = None
    if "genres" in columns:
        split = (tuple(text.split(_MARK)) if text else () for text in columns["genres"])
        genres = np.fromiter(split, dtype=object)
    titles = columns["title"].astype(object)
    return vocabulary, ItemTable(titles, genres, stated_years=columns.get("year"))


def read_histories(db: duckdb.DuckDBPyConnection, folder: Path, n_users: int) -> Histories:
    """Read the histories of all users."""
    file = folder / HISTORIES
    columns = _fetch(db, f'SELECT "user", item, rating FROM {_source(file)}', file)
    check_rows(file, columns["user"], columns["item"], n_users)
    indptr = row_bounds(np.bincount(columns["user"], minlength=n_users))
    return Histories(
        indptr,
        columns["item"].astype(np.int32, copy=False),
        columns["rating"].astype(np.float32, copy=False),
        np.arange(n_users, dtype=np.int32),
    )


def _copy(db: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    db.execute(f"COPY ({query}) TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd)")


def _fetch(db: duckdb.DuckDBPyConnection, query: str, file: Path) -> dict[str, Array]:
    try:
        fetched = db.execute(query).fetchnumpy()
    except duckdb.Error as error:
        raise ModelFileError(f"{file}: cannot be read: {error}") from None
    for name, column in fetched.items():
        if np.ma.getmaskarray(column).any():
            raise ModelFileError(f"{file}: {name} has empty cells")
    return {name: np.ma.getdata(column) for name, column in fetched.items()}


def _source(file: Path) -> str:
    return f"read_parquet({literal(str(file))})"


def _ids(column: Array) -> Array:
    return column.astype(np.int64 if column.dtype.kind == "i" else object, copy=False)
