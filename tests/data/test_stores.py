"""Databases and lake tables: their present state, in their own dialect, or a refusal by name."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee import DataError, UsageError, load
from matinee.base.text import without_password
from matinee.data import load_items
from matinee.data.read.source import Workspace
from matinee.data.read.stores.sql import _extension

EXPECTED = [("1", "a", 5.0), ("2", "a", 3.5), ("2", "b", 4.0)]
TIMES = [1577836800, 1577836801, 1577836802]


def triples(ratings: Any) -> list[tuple[str, str, float]]:
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    return list(zip(map(str, users), items, ratings.values.tolist(), strict=True))


@pytest.fixture(scope="module")
def url(postgresql: Any) -> str:
    pytest.importorskip("sqlalchemy")
    made: str = postgresql.empty()
    postgresql.execute(
        made,
        "CREATE TABLE seen (person numeric, film text, stars numeric(3, 1), at timestamptz);"
        "INSERT INTO seen VALUES (1, 'a', 5.0, '2020-01-01 00:00:00Z'),"
        "(2, 'a', 3.5, '2020-01-01 01:00:01+01'), (2, 'b', 4, '2020-01-01 00:00:02Z'),"
        "(NULL, 'b', 4, '2020-01-01 00:00:02Z')",
    )
    return made


def test_postgresql(url: str) -> None:
    query = "SELECT person, film, stars AS rating, at FROM seen WHERE film LIKE '%' AND 5 % 2 = 1"
    ratings = load(sql=query, database=url, user="person", item="film", time="at")
    assert triples(ratings) == EXPECTED
    assert ratings.times is not None
    assert ratings.times.tolist() == TIMES
    assert "1 row without a user id left out" in ratings.notes[0]


def test_postgresql_in_chunks(url: str) -> None:
    query = "SELECT n % 7 AS user, n AS item, 1 + n % 5 AS rating FROM generate_series(1, 140000) n"
    ratings = load(sql=query, database=url)
    assert len(ratings) == 140_000
    assert ratings.item_ids.ids[-1] == 140_000


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nothing FROM seen", 'column "nothing" does not exist'),
        ("DELETE FROM seen", "DELETE"),
        ("SELECT 1 AS user; SELECT 2 AS user", "syntax error|multiple commands"),
    ],
)
def test_queries_that_postgresql_refuses(url: str, query: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(sql=query, database=url)
    assert "sqlalche" not in str(caught.value)


def test_nothing_is_written(url: str) -> None:
    with pytest.raises(DataError):
        load(sql="WITH gone AS (DELETE FROM seen RETURNING *) SELECT * FROM gone", database=url)
    assert len(
        load(sql="SELECT person u, film item, stars rating FROM seen", database=url, user="u")
    )


def test_databases_that_cannot_be_reached() -> None:
    pytest.importorskip("sqlalchemy")
    for scheme in ("postgresql", "mysql"):
        with pytest.raises(DataError, match=r"me:\*\*\*@") as caught:
            load(sql="SELECT 1", database=f"{scheme}://me:secret@127.0.0.1:1/db")
        assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match="driver is not installed"):
        load(sql="SELECT 1", database="nonesuch://host/db")
    with pytest.raises(UsageError, match="no database URL"):
        load(sql="SELECT 1", database="postgresql://host:port/db")


def test_a_query_does_not_change_sqlite_by_its_url(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    with sqlite3.connect(tmp_path / "s.db") as con:
        con.execute("CREATE TABLE seen AS SELECT 1 AS user, 2 AS item, 3 AS rating")
        with pytest.raises(DataError, match="readonly"):
            load(sql="DROP TABLE seen", database=f"sqlite:///{tmp_path}/s.db")
        assert con.execute("SELECT count(*) FROM seen").fetchone() == (1,)


def test_a_url_of_no_sqlite_file_makes_none(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    path = tmp_path / "none.db"
    with pytest.raises(DataError, match=r"no such file: .*none.db \(sqlite:/// begins a relative"):
        load(sql="SELECT * FROM seen", database=f"sqlite:///{path}")
    assert not path.exists()


def test_without_sqlalchemy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(UsageError, match=r"pip install .*\[databases\]'"):
        load(sql="SELECT 1", database="postgresql://me:secret@host/db")


def test_an_extension_that_cannot_be_fetched(tmp_path: Path) -> None:
    import duckdb

    def refuse(self: Any, query: str) -> None:
        raise duckdb.IOException(f"IO Error: no network for {query}")

    con = type("Con", (), {"execute": refuse})()
    with pytest.raises(DataError, match=r"ducklake extension.*INSTALL ducklake.*export the query"):
        _extension("ducklake", Workspace(con, tmp_path))
    assert without_password("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"


def table(n: int = 3) -> Any:
    pa = pytest.importorskip("pyarrow")
    columns = {
        "user": pa.array([1, 2, 2], pa.int64()),
        "item": ["a", "a", "b"],
        "rating": [5.0, 3.5, 4.0],
        "timestamp": pa.array(np.array(TIMES) * 10**6, pa.timestamp("us", "UTC")),
    }
    return pa.table(columns).slice(0, n)


def test_items_in_a_lake_without_ratings(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    pa = pytest.importorskip("pyarrow")
    deltalake.write_deltalake(str(tmp_path), pa.table({"item": [1, 2], "title": ["A", "B"]}))
    ids, items = load_items(tmp_path)
    assert (ids.ids.tolist(), items.titles.tolist()) == ([1, 2], ["A", "B"])


def test_delta(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    path = tmp_path / "ratings"
    deltalake.write_deltalake(str(path), table(2))
    deltalake.write_deltalake(str(path), table(), mode="overwrite")
    assert len(list(path.glob("*.parquet"))) == 2
    ratings = load(path)
    assert triples(ratings) == EXPECTED
    assert ratings.times is not None
    assert ratings.times.tolist() == TIMES
    assert "read as a Delta table, at version 1" in ratings.notes
    with pytest.raises(UsageError, match="Delta table; read it by itself"):
        load([path, path])
    part = next(path.glob("*.parquet"))
    for loose in (path / "*.parquet", part):
        with pytest.raises(DataError, match="is a file of a Delta table, which may not be part of"):
            load(str(loose))
    assert len(load(sql=f"select * from '{path}/*.parquet'")) == 3


def test_iceberg(tmp_path: Path) -> None:
    pytest.importorskip("pyiceberg")
    catalog = pytest.importorskip("pyiceberg.catalog.memory").InMemoryCatalog(
        "here", warehouse=tmp_path.as_uri()
    )
    catalog.create_namespace("films")
    made = catalog.create_table("films.ratings", schema=table().schema)
    made.append(table(2))
    made.overwrite(table())
    catalog.engine.dispose()  # Python 3.13 warns of the connection that would stay open
    folder = next(path.parent for path in tmp_path.rglob("metadata"))
    ratings = load(folder)
    assert triples(ratings) == EXPECTED
    assert ratings.notes[0].startswith("read as an Iceberg table, at 0000")
    with pytest.raises(DataError, match=f"is a file of an Iceberg table.* read {folder}, or"):
        load(folder / "data")


@pytest.mark.parametrize(
    ("inner", "library", "message"),
    [
        ("_delta_log", "deltalake", "is a Delta table.*\\[lakes\\]'"),
        ("metadata", "pyiceberg.table", "is an Iceberg table.*\\[lakes\\]'"),
        (".hoodie", "", "is a Hudi table"),
    ],
)
def test_lakes_are_never_read_as_loose_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: str, library: str, message: str
) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\n1,1,5\n2,2,4\n")
    (tmp_path / inner).mkdir()
    (tmp_path / inner / "v1.metadata.json").write_text("{}")
    if library:
        with pytest.raises(DataError, match=r"table cannot be read|pip install"):
            load(tmp_path)
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(DataError, match=message):
        load(tmp_path)
