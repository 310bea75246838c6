"""Every kind of source gives the same Ratings."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import sqlite3
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from matinee.data import Ratings, Scale, load
from matinee.errors import DataError, UsageError

USERS = [3, 1, 2, 1, 10]
ITEMS = ["b", "a", "b", "c", "a"]
VALUES = [4.5, 0.0, 3.0, -1.0, 5.0]
TIMES = [1_000_000_000, 1_000_000_001, 1_000_000_002, 1_000_000_003, 1_000_000_004]
ROWS = list(zip(USERS, ITEMS, VALUES, TIMES, strict=True))


def rows_of(ratings: Ratings) -> list[tuple[Any, ...]]:
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    times = [None] * len(ratings) if ratings.times is None else ratings.times.tolist()
    return list(zip(users, items, ratings.values.tolist(), times, strict=True))


def check(ratings: Ratings) -> None:
    assert rows_of(ratings) == sorted(ROWS)
    assert ratings.users.dtype == ratings.items.dtype == np.int32
    assert ratings.values.dtype == np.float32
    assert ratings.times is not None
    assert ratings.times.dtype == np.int64
    assert (ratings.scale.low, ratings.scale.high) == (-1.0, 5.0)
    assert ratings.by_user.order is None  # Grouping by user is free.
    assert ratings.notes == ()


def text(between: str, header: str | None = "userId,movieId,rating,timestamp") -> str:
    lines = [] if header is None else [header.replace(",", between)]
    lines += [between.join(map(str, row)) for row in ROWS]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "between"),
    [("r.csv", ","), ("r.tsv", "\t"), ("r.csv", ";"), ("r.txt", "|"), ("r.dat", "::"), ("r", " ")],
)
@pytest.mark.parametrize("header", ["userId,movieId,rating,timestamp", None])
def test_text(tmp_path: Path, name: str, between: str, header: str | None) -> None:
    path = tmp_path / name
    path.write_text(text(between, header))
    check(load(path))
    check(load(str(path)))


@pytest.mark.parametrize(
    ("suffix", "opener"), [(".gz", gzip.open), (".bz2", bz2.open), (".xz", lzma.open)]
)
def test_compressed(tmp_path: Path, suffix: str, opener: Callable[..., Any]) -> None:
    path = tmp_path / f"mine.csv{suffix}"
    with opener(path, "wt") as file:
        file.write(text(","))
    ratings = load(path)
    check(ratings)
    assert ratings.name == "mine"


def test_a_gzip_called_something_else_is_still_one(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(gzip.compress(text(",").encode()))
    check(load(path))


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark(tmp_path: Path, ends: str, start: bytes) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(start + text(",").replace("\n", ends).encode())
    check(load(path))
    path.write_bytes(start + text(",", None).replace("\n", ends).strip().encode())
    check(load(path))


def test_spaces_after_the_commas(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user, item, rating\n1, 10, 4\n2, 20, 3\n")
    ratings = load(path)
    assert rows_of(ratings) == [(1, 10, 4.0, None), (2, 20, 3.0, None)]


@pytest.mark.parametrize("name", ["r.jsonl", "r.ndjson", "r.json", "r.jsonl.gz"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    lines = "".join(
        json.dumps({"user": u, "item": i, "rating": r, "time": t}) + "\n" for u, i, r, t in ROWS
    )
    path = tmp_path / name
    path.write_bytes(gzip.compress(lines.encode()) if name.endswith("gz") else lines.encode())
    check(load(path))


def test_json_array(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    objects = [{"user": u, "item": i, "rating": r, "time": t} for u, i, r, t in ROWS]
    path.write_text(json.dumps(objects, indent=1))
    check(load(path))


def frame() -> dict[str, Any]:
    return {
        "user_id": np.array(USERS),
        "item_id": np.array(ITEMS),
        "rating": np.array(VALUES),
        "timestamp": np.array(TIMES),
    }


def test_arrays() -> None:
    check(load(frame()))
    check(load({name: list(column) for name, column in frame().items()}))
    check(load({name: column.astype(object) for name, column in frame().items()}))
    big_endian = frame() | {"rating": np.array(VALUES, dtype=">f8")}
    check(load(big_endian))
    strided = {name: np.repeat(column, 2)[::2] for name, column in frame().items()}
    check(load(strided))


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(frame())
    ratings = load(table)
    check(ratings)
    assert ratings.name == "ratings"
    check(load(table.set_index(["user_id", "item_id"])))
    check(load(table.astype({"item_id": "category"})))
    check(load(table.assign(timestamp=pd.to_datetime(table["timestamp"], unit="s"))))
    check(load(table.assign(timestamp=pd.to_datetime(table["timestamp"], unit="s", utc=True))))
    check(load(table.assign(user_id=table["user_id"].astype("Int64"))))
    check(load(table.assign(user_id=table["user_id"].astype(float))))


def test_pandas_ids_of_mixed_types_are_text() -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"user": [1, "x", 1.0], "item": [1, 2, 3], "rating": [1, 2, 3]})
    assert load(table).user_ids.ids.tolist() == ["1", "x"]


def test_polars() -> None:
    pl = pytest.importorskip("polars")
    check(load(pl.DataFrame(frame())))
    check(load(pl.DataFrame(frame()).lazy()))
    check(load(pl.DataFrame(frame()).with_columns(pl.col("item_id").cast(pl.Categorical))))


def test_arrow() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(frame())
    check(load(table))
    check(load(table.to_reader()))
    check(load(table.to_batches()[0]))
    check(load(table.set_column(0, "user_id", table["user_id"].cast(pa.uint16()))))


def test_frames_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    check(load(pd.DataFrame(frame()).astype({"item_id": object})))
    check(load(pl.DataFrame(frame())))


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    con = duckdb.connect()
    con.register("t", frame() | {"item_id": np.array(ITEMS, dtype=object)})
    con.execute(f"COPY t TO '{path}'")
    ratings = load(path)
    check(ratings)
    assert ratings.name == "mine"
    path.rename(tmp_path / "mine.bin")
    check(load(tmp_path / "mine.bin"))


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE r (who INTEGER, what TEXT, stars REAL, moment INTEGER)")
        con.executemany("INSERT INTO r VALUES (?, ?, ?, ?)", ROWS)
    con.close()
    return path


QUERY = "SELECT who AS user, what AS item, stars, moment AS time FROM r ORDER BY rowid; -- all"


def test_sqlite(sqlite_file: Path) -> None:
    check(load(sql=QUERY, database=sqlite_file))
    check(
        load(
            sql="SELECT * FROM r", database=str(sqlite_file), user="who", item="what", time="moment"
        )
    )


def test_duckdb_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE r (who INTEGER, what TEXT, stars REAL, moment BIGINT)")
        con.executemany("INSERT INTO r VALUES (?, ?, ?, ?)", ROWS)
    before = path.read_bytes()
    check(load(sql=QUERY, database=path))
    assert path.read_bytes() == before


def test_sql_alone_reads_files(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(text(","))
    check(load(sql=f"SELECT * FROM '{tmp_path}/r.csv'"))


def test_glob_list_and_folder(tmp_path: Path) -> None:
    lines = text(",").splitlines(keepends=True)
    folder = tmp_path / "shop"
    folder.mkdir()
    one, two = folder / "part-0.csv", folder / "part-1.csv"
    one.write_text(lines[0] + "".join(lines[1:3]))
    two.write_text(lines[0] + "".join(lines[3:]))
    (folder / "_SUCCESS").touch()
    (folder / "README.md").write_text("# hello")
    for source in (str(folder / "part-*.csv"), [one, two], (str(one), str(two)), folder):
        check(load(source))
    assert load(folder).name == load(str(folder / "*.csv")).name == "shop"


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    path = tmp_path / "r[1]*.csv"
    path.write_text(text(","))
    (tmp_path / "r1.csv").write_text("nonsense")
    check(load(path))


def test_a_folder_called_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "rating=9"
    folder.mkdir()
    (folder / "r.csv").write_text(text(","))
    check(load(folder / "r.csv"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_text(text(",")))
    writer.start()
    check(load(path))
    writer.join()


def test_ratings_are_returned_as_they_are() -> None:
    ratings = load(frame())
    assert load(ratings) is ratings
    assert load(ratings, name="other").name == "other"
    with pytest.raises(UsageError, match="read already"):
        load(ratings, user="x")


def test_ids_are_equal_whatever_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "text.csv").write_text("user,item,rating\n7,10,1\n-8,9,2\n")
    (tmp_path / "text.jsonl").write_text(
        '{"user":"7","item":10,"rating":1}\n{"user":"-8","item":"9","rating":2}\n'
    )
    made = load({"user": [7, -8], "item": [10.0, 9.0], "rating": [1, 2]})
    for ratings in (load(tmp_path / "text.csv"), load(tmp_path / "text.jsonl")):
        assert ratings.user_ids == made.user_ids
        assert ratings.item_ids == made.item_ids
        assert ratings.user_ids.ids.tolist() == [-8, 7]


@pytest.mark.parametrize("odd", ["007", "1.5", "x", "0x10", "1e3", "1_000", "+5", "9" * 30])
def test_one_id_that_is_no_plain_integer_makes_them_text(tmp_path: Path, odd: str) -> None:
    (tmp_path / "r.csv").write_text(f"user,item,rating\n7,1,1\n{odd},2,2\n10,2,2\n")
    ratings = load(tmp_path / "r.csv")
    assert ratings.user_ids.ids.tolist() == sorted(["7", odd, "10"])
    assert all(type(one) is str for one in ratings.user_ids.ids)
    assert ratings.item_ids.ids.tolist() == [1, 2]


def test_an_id_that_is_no_integer_may_come_late(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating\n" + "".join(f"{k},{k % 9},1\n" for k in range(30_000)))
    ratings = load(path)
    assert ratings.user_ids.numeric
    with path.open("a") as file:
        file.write("007,3,1\n")
    ratings = load(path)
    assert not ratings.user_ids.numeric
    assert ratings.item_ids.numeric
    assert {"7", "007", "29999"} <= set(ratings.user_ids.ids)
    with path.open("a") as file:
        file.write(",3,1\n")
    assert any("line 30003 (it is empty)" in note for note in load(path).notes)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([1_000_000_000, 0], [1_000_000_000, 0]),
        ([1_000_000_000_999, 1_000_000_000_000], [1_000_000_000, 1_000_000_000]),
        ([1_000_000_000_999_999, 0], [1_000_000_000, 0]),
        ([1_000_000_000_999_999_999, 0], [1_000_000_000, 0]),
        ([1_000_000_000.9, -0.5], [1_000_000_000, -1]),
        (["2001-09-09", "2001-09-09T01:46:40Z"], [999_993_600, 1_000_000_000]),
        (["2001-09-09 01:46:40", "2001-09-09T03:46:40+02:00"], [1_000_000_000, 1_000_000_000]),
        (["1000000000.7", "5"], [1_000_000_000, 5]),
        (np.array(["2001-09-09T01:46:40", "1969-12-31T23:59:59"], "M8[ms]"), [10**9, -1]),
        (np.array(["2001-09-09", "1970-01-02"], "M8[ns]"), [999_993_600, 86_400]),
    ],
)
def test_times(times: Any, expected: list[int]) -> None:
    ratings = load({"user": [1, 2], "item": [1, 2], "rating": [1, 1], "time": times})
    assert ratings.times is not None
    assert ratings.times.tolist() == expected


def test_times_that_are_none_are_left_out_aloud(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating,date\n1,1,1,2001-09-09\n2,2,2,yesterday\n3,3,3,\n")
    ratings = load(path)
    assert ratings.times is None
    assert ratings.notes == (
        f"times left out: {path}, line 3: 'yesterday' is no time (and 1 more)",
    )
    with pytest.raises(DataError, match="line 3: 'yesterday' is no time"):
        load(path, time="date")


def test_a_large_file_keeps_its_order(tmp_path: Path) -> None:
    # More rows than leave the database at a time; the last rating of a pair is known by its row.
    n = 1_200_000
    users = np.arange(n) % 1000
    items = np.arange(n) % 7
    path = tmp_path / "r.csv"
    np.savetxt(
        path,
        np.stack([users, items, np.arange(n)], 1),
        "%d",
        ",",
        header="user,item,score",
        comments="",
    )
    ratings = load(path)
    last = {(u, i): k for k, (u, i) in enumerate(zip(users.tolist(), items.tolist(), strict=True))}
    assert {(u, i): v for u, i, v, _ in rows_of(ratings)} == last


REPEATS = "user,item,rating,time\n1,a,1,30\n2,a,2,5\n1,a,5,20\n1,b,3,1\n2,a,4,5\n1,a,3,10\n"


@pytest.mark.parametrize(
    ("repeats", "expected", "done"),
    [
        ("last", [(1, "a", 1, 30), (1, "b", 3, 1), (2, "a", 4, 5)], "kept the last by time"),
        ("mean", [(1, "a", 3, 30), (1, "b", 3, 1), (2, "a", 3, 5)], "took the mean of each"),
    ],
)
def test_repeats(tmp_path: Path, repeats: Any, expected: list[Any], done: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(REPEATS)
    ratings = load(path, repeats=repeats)
    assert rows_of(ratings) == expected
    assert ratings.notes[-1] == f"3 repeated ratings of the same item by the same user: {done}"


def test_repeats_without_times_go_by_row(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating\n1,a,1\n2,a,2\n1,a,5\n1,b,0\n")
    ratings = load(path)
    assert rows_of(ratings) == [(1, "a", 5, None), (1, "b", 0, None), (2, "a", 2, None)]
    assert ratings.notes == (
        "1 repeated rating of the same item by the same user: kept the last in row order",
    )


def test_repeats_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(REPEATS)
    with pytest.raises(
        DataError, match=r"line 4: user 1 rates item 'a' again, first at .*line 2 \(2 more repeats"
    ):
        load(path, repeats="error")
    with pytest.raises(UsageError, match=r"repeats 'lats'.*did you mean 'last'"):
        load(path, repeats="lats")  # type: ignore[arg-type]


def test_stated_scale(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating\n1,a,0.1\n2,b,0.7\n")
    ratings = load(path, scale=(0.1, 0.7))
    assert (ratings.scale.low, ratings.scale.high) == (0.1, 0.7)


def test_one_user_where_that_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "me.csv"
    path.write_text("user,item,rating\n1,a,5\n1,b,4\n")
    assert len(load(path, allow_single=True)) == 2


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_zip_with_one_table(tmp_path: Path) -> None:
    path = zipped(tmp_path / "shop.zip", {"a/b.csv": text(",").encode(), "__MACOSX/._b.csv": b"?"})
    ratings = load(path)
    check(ratings)
    assert ratings.name == "shop"
    check(load(zipped(tmp_path / "z.zip", {"r.csv.gz": gzip.compress(text(",").encode())})))


def test_sources_that_are_none() -> None:
    with pytest.raises(UsageError, match="no source"):
        load()
    with pytest.raises(UsageError, match="either a source or --sql"):
        load("x.csv", sql="select 1")
    with pytest.raises(UsageError, match="needs --sql"):
        load(database="x.db")
    with pytest.raises(UsageError, match="cannot read ratings from int"):
        load(7)


def test_parquet_parts_of_several_types(tmp_path: Path) -> None:
    columns = {"user": [1, 1], "item": [10, 11], "rating": [5, 3]}
    pd = pytest.importorskip("pandas")
    pd.DataFrame(columns).to_parquet(tmp_path / "part-0.parquet")
    columns = {"rating": [4.5, 2.5], "item": ["010", "11"], "user": [2, 300]}
    pd.DataFrame(columns).astype({"user": "int16"}).to_parquet(tmp_path / "part-1.parquet")
    ratings = load(tmp_path)
    assert ratings.values.tolist() == [5, 3, 4.5, 2.5]
    assert ratings.item_ids.ids.tolist() == ["010", "10", "11"]
    assert ratings.user_ids.ids.tolist() == [1, 2, 300]


def test_the_ends_of_a_scale_are_on_it() -> None:
    scale = Ratings.from_arrays([1, 2], [1, 2], [0.1, 0.9]).scale
    assert scale != Scale(0.1, 0.9)  # float32, as the ratings
    assert scale.holds([0.1, 0.9, 0.09, 0.91, np.nan, 1e300]).tolist() == [True] * 2 + [False] * 4
    assert scale.holds(0.9)
