"""Whatever is wrong with a table, the message names the place and the value and what to do."""

from __future__ import annotations

import gzip
import io
import re
import sqlite3
import time
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from matinee.data import load
from matinee.errors import DataError, MatineeError, UsageError

HEAD = "userId,movieId,rating,timestamp\n"
GOOD = "1,10,4,100\n2,20,3,200\n"


def refuse(source: Any, *parts: str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(source, **options)
    message = str(caught.value)
    for part in parts:
        assert part in message
    return message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3,30,five,1", "rating 'five' is not a number"),
        ('3,30,"4,5",1', "write decimals with a point"),
        ("3,30,nan,1", "rating 'nan' is not finite"),
        ("3,30,-inf,1", "rating '-inf' is not finite"),
        ("3,30,1e39,1", "too large"),
        ("3,30,1_0,1", "rating '1_0' is not a number"),
        ("3,30,1_000,1", "without separators of thousands"),
        ("3,30,,1", "no rating"),
        ("3,30,NULL,1", "no rating (NULL); remove the row"),
        ("3,30,#N/A,1", "no rating (#N/A); remove the row"),
        ("3,30", "2 columns where the first line has 4: '3,30'"),
        ("3,30,1,1,1", "5 columns where the first line has 4"),
        ('3,"30,1,1', "a quote is opened and never closed"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_bad_line(tmp_path: Path, line: str, message: str, compressed: bool) -> None:
    for header, before, number in ((True, GOOD, 4), (False, GOOD, 3), (True, "\n" + GOOD, 5)):
        text = (HEAD if header else "") + before + line + "\n4,40,1,1\n"
        path = tmp_path / ("r.csv.gz" if compressed else "r.csv")
        path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
        refuse(path, f"{path}, line {number}: ", message)


def test_a_quoted_line_end_counts_as_a_line(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(HEAD + '1,"a\nb",4,1\n2,x"y,4,1\n3,"say ""hi""",oops,1\n')
    refuse(path, "line 5: rating 'oops'")


def test_the_line_is_right_far_into_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    lines = [f"{k % 999},{k},3,1\n" for k in range(300_000)]
    lines[250_000] = "1,2,x,1\n"
    path.write_text(HEAD + "".join(lines))
    refuse(path, "line 250002: rating 'x'")
    lines[250_000] = "1,2,3\n"
    path.write_text(HEAD + "".join(lines))
    refuse(path, "line 250002: 3 columns")


def test_several_bad_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(HEAD + GOOD + "3,3,x,1\n4,4,y,1\n5,5,nan,1\n")
    refuse(path, "line 4: rating 'x'", "(2 more bad rows)")


def test_the_file_among_several_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + GOOD)
    (tmp_path / "b.csv").write_text(HEAD + "1,5,2,1\n1,6,x,1\n")
    message = refuse(str(tmp_path / "*.csv"), "b.csv, line 3: rating 'x'")
    assert "a.csv" not in message
    (tmp_path / "b.csv").write_text(HEAD + "1,5,2,1\n1,6\n")
    refuse(str(tmp_path / "*.csv"), "b.csv, line 3: 2 columns")
    (tmp_path / "b.csv").write_text("userId,movieId,rating\n1,5,2\n")
    refuse(str(tmp_path / "*.csv"), "a.csv", "b.csv", "differ")
    (tmp_path / "b.csv").write_text('{"user": 1}\n')
    refuse(str(tmp_path / "*.csv"), "a.csv is text", "b.csv is json")


def test_dat_and_tab(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_text("1::10::4::100\n2::20::x::200\n")
    refuse(tmp_path / "r.dat", "line 2: rating 'x'", "column 3")
    (tmp_path / "u.data").write_text("1\t10\t4\t100\n2\t20\n")
    refuse(tmp_path / "u.data", "line 2: 2 columns")


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    good = '{"user":1,"item":2,"rating":3}\n'
    path.write_text(good + '\n{"user":1,"item":3,"rating":"x"}\n')
    refuse(path, "line 3: rating 'x'")
    path.write_text(good + '{"user":1,"item":3,"rating":NaN}\n')
    refuse(path, "line 2: rating 'NaN' is not finite")
    path.write_text(good + '{"user":1,"item":3 "rating":3}\n')
    refuse(path, "line 2: not JSON")
    path.write_text(good + "[1, 2, 3]\n")
    refuse(path, "line 2: expected an object")
    path.write_text('[{"user":1,"item":2,"rating":3},\n{"user":1,"item":2,"rating":"x"}]')
    refuse(path, "object 2: rating 'x'")


def test_rows_of_tables_without_lines(tmp_path: Path) -> None:
    table = {"user": [1, 2, 3], "item": [1, 2, 3], "rating": [1.0, float("nan"), 2.0]}
    refuse(table, "row 2 (counted from 1): no rating")
    refuse(table | {"rating": [1, 2, float("inf")]}, "row 3", "rating 'inf' is not finite")
    refuse(table | {"rating": ["1", "x", "2"]}, "row 2", "rating 'x'")
    refuse(table | {"rating": [1, 2]}, "columns differ in length: user 3, item 3, rating 2")
    refuse(table | {"rating": np.ones((3, 2))}, "2 dimensions")
    refuse(table | {"rating": np.array([1j, 2, 3])}, "complex128")
    with duckdb.connect() as con:
        for name, rating in (("a", "3"), ("b", "'NaN'")):
            con.execute(
                f"COPY (SELECT 1 AS user, 2 AS item, {rating}::DOUBLE AS rating) "
                f"TO '{tmp_path}/{name}.parquet'"
            )
    refuse(str(tmp_path / "*.parquet"), "b.parquet, row 1: rating 'nan' is not finite")


@pytest.mark.parametrize("value", ["0.4", "6"])
def test_outside_the_stated_scale(tmp_path: Path, value: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(HEAD + GOOD + f"3,3,{value},1\n")
    refuse(path, f"line 4: rating {value} is outside the stated scale 1 to 5", scale=(1, 5))
    assert len(load(path)) == 3
    for scale in ((5, 1), (1,), "x", (float("nan"), 5)):
        with pytest.raises(UsageError, match="scale"):
            load(path, scale=scale)  # type: ignore[arg-type]


def test_missing_column(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("userId,thing,rating\n1,2,3\n")
    refuse(path, "no item column among: userId, thing, rating", "--item COL")
    with pytest.raises(UsageError, match="--item 'thin': no such column; did you mean 'thing'"):
        load(path, item="thin")
    with pytest.raises(UsageError, match="cannot be both the user and the item"):
        load(path, user="userId", item="userid")
    path.write_text("a,b,c\n1,2,3\n")
    refuse(path, "no user column among: a, b, c", "--user COL")
    path.write_text("1,2,3\n3,4,5\n")
    with pytest.raises(UsageError, match="by number, 1 to 3"):
        load(path, item="movie")
    path.write_text("user,item,rating,rating\n1,2,3,4\n")
    refuse(path, "two columns are called 'rating'")


def test_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("")
    refuse(tmp_path / "ratings.csv", "is empty")
    refuse(tmp_path / "rating.csv", "no such file", "did you mean 'ratings.csv'")
    refuse(tmp_path / "no" / "x.csv", "there is no folder")
    refuse(str(tmp_path / "x*.csv"), "no file matches")
    (tmp_path / "link.csv").symlink_to("gone.csv")
    refuse(tmp_path / "link.csv", "no such file (it is a link to gone.csv)")
    with pytest.raises(UsageError, match="the name of the data is empty"):
        load("")
    (tmp_path / "ratings.csv").write_text(HEAD)
    refuse(tmp_path / "ratings.csv", "holds no ratings")
    (tmp_path / "ratings.csv").write_text("\n\n")
    refuse(tmp_path / "ratings.csv", "is empty")
    (tmp_path / "ratings.csv").write_text("hello\nworld\n")
    refuse(tmp_path / "ratings.csv", "'hello': no columns in it")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "notes.md").write_text("x")
    refuse(tmp_path / "dir", "no ratings table in it; found notes.md")
    refuse({}, "no columns")
    with pytest.raises(UsageError, match="the list of rows or files is empty"):
        load([])
    with pytest.raises(MatineeError):
        load("a\0b")
    with pytest.raises(MatineeError):
        load("x" * 5000)


def test_one_user_or_one_item(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating\n1,2,3\n1,3,4\n")
    refuse(path, "all 2 ratings of one user (1)", "--user COL")
    path.write_text("user,item,rating\n1,a,3\n2,a,4\n")
    refuse(path, "all 2 ratings of one item ('a')", "--item COL")


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes((HEAD + GOOD + "3,Amélie,3,1\n").encode("latin-1"))
    refuse(path, "line 4: not UTF-8 (byte 0xe9 in '3,Amélie,3,1')", "--encoding latin-1")
    path.write_bytes((HEAD + GOOD).encode("utf-16"))
    assert len(load(path)) == 2  # UTF-16 is known by its first bytes.


def test_truncated(tmp_path: Path) -> None:
    text = (HEAD + "".join(f"{k},{k % 7},3,1\n" for k in range(5000))).encode()
    whole = gzip.compress(text)
    path = tmp_path / "r.csv.gz"
    for size in (len(whole) - 3, len(whole) // 2, 15):
        path.write_bytes(whole[:size])
        refuse(path, "r.csv.gz: not a whole gzip file", "truncated or damaged")
    flipped = bytearray(whole)
    flipped[-6] ^= 1
    path.write_bytes(flipped)
    refuse(path, "not a whole gzip file")
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.csv", text)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    refuse(path, "r.zip: not a whole zip", "truncated or damaged")
    directory = whole.rindex(b"r.csv")
    path.write_bytes(whole[:directory] + b"\0" + whole[directory + 1 :])  # A member without name.
    refuse(path, "r.zip: no ratings table in it")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    path.write_bytes(flipped)
    refuse(path, "not a whole zip")
    path = tmp_path / "r.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1 AS user, 2 AS item, 3 AS rating) TO '{path}'")
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    refuse(path, "not a whole parquet file")
    path.write_bytes(whole[:4] + b"\xff" * 16 + whole[20:])
    refuse(path, "r.parquet: cannot be read", "write or download it again")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"SQLite format 3\0" + b"\0" * 99, "--database"),
        (b"ARROW1\0\0abc", "Arrow file"),
        (b"\x28\xb5\x2f\xfdabc", "zstd"),
        (b"\x93NUMPY\x01\0", "dict of arrays"),
        (b"\0\0\0\0\n\0\0", "no text table"),
        (b"PAR1 and nothing more", "no columns|no user column"),
        (gzip.compress(gzip.compress(b"1,2,3\n")), "compressed twice"),
        (b"\x04\x22\x4d\x18\0", "lz4-compressed"),
        (b"$FL2@(#) SPSS\0", "SPSS"),
        (b"<stata_dta><header>\0", "Stata"),
        (b"FEA1\0\0\0\0", "Feather"),
        (gzip.compress(b"r.csv".ljust(257, b"\0") + b"ustar\0\x30\x30"), "is a tar archive"),
    ],
)
def test_other_kinds_of_file(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "r.bin"
    path.write_bytes(data)
    assert re.search(message, refuse(path, str(path)))


def test_mixed_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"user,item,rating\n1,2,3\r\n2,3,4\n")
    try:
        values = load(path).values.tolist()  # Some versions of DuckDB read it.
    except DataError:
        refuse(path, "mixes Windows and Unix line ends", "tr -d")
    else:
        assert values == [3, 4]


def test_sql(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    refuse(None, "no such file", sql="select 1", database=path)
    assert not path.exists()
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE r (user, item, rating)")
        con.executemany("INSERT INTO r VALUES (?,?,?)", [(1, 2, 3), (1, 3, "bad"), (2, 2, None)])
    con.close()
    refuse(None, "row 2: rating 'bad'", sql="select * from r order by rowid", database=path)
    refuse(None, "no such table: nope", sql="select * from nope", database=path)
    refuse(None, "must be a SELECT", sql="begin", database=path)
    refuse(None, "no item column", sql="select user, rating from r", database=path)
    refuse(None, "readonly", sql="delete from r", database=path)
    refuse(None, "nope", sql="select * from nope")
    refuse(None, "syntax error", sql="selec 1")
    path.write_bytes(path.read_bytes()[:3000])
    refuse(None, "malformed", sql="select * from r", database=path)
    (tmp_path / "y.db").write_text("hello, world, this is no database")
    refuse(None, "neither a DuckDB nor an SQLite", sql="select 1", database=tmp_path / "y.db")
    with pytest.raises(UsageError, match="empty"):
        load(sql=" ; ")


def zipped(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member, zipfile.ZIP_DEFLATED)
    return data.getvalue()


SEEDS = [
    zipped({"ml/ratings.dat": b"1::10::4::100\n2::20::3::200\n", "ml/movies.dat": b"10::A::b\n"}),
    (HEAD + GOOD + '3,"a ""b""",1.5,300\n').encode(),
    b"1::10::4::100\n2::20::3::200\n3::10::5::300\n",
    b'{"user":1,"item":2,"rating":3}\n{"user":2,"item":"x","rating":4.5}\n',
    gzip.compress(b"user\titem\trating\n1\t2\t3\n2\t3\t4\n", mtime=0),
]


@pytest.fixture(scope="session")
def parquet_seed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("seed") / "r.parquet"
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT range % 5 AS user, range AS item, range / 2 AS rating FROM range(9)) "
            f"TO '{path}'"
        )
    return path.read_bytes()


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, len(SEEDS)),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), max_size=4),
    cut=st.integers(0, 10_000),
    suffix=st.sampled_from([".csv", ".dat", ".jsonl", ".parquet", ".zip", ".gz", ""]),
)
@example(seed=1, edits=[(0, b'"')], cut=0, suffix=".csv")
@example(seed=1, edits=[(40, b"\xff")], cut=3, suffix=".csv")
@example(seed=3, edits=[(0, b"[")], cut=0, suffix=".jsonl")
def test_damaged_bytes_never_give_another_kind_of_error(
    tmp_path: Path,
    parquet_seed: bytes,
    seed: int,
    edits: list[tuple[int, bytes]],
    cut: int,
    suffix: str,
) -> None:
    data = bytearray([*SEEDS, parquet_seed][seed])
    for at, new in edits:
        position = at % (len(data) + 1)
        data[position : position + len(new)] = new
    path = tmp_path / f"r{suffix}"
    path.write_bytes(data[: len(data) - cut % (len(data) + 1) if cut % 3 == 0 else None])
    try:
        ratings = load(path)
    except MatineeError:
        return
    assert np.isfinite(ratings.values).all()
    assert len(ratings) > 0


def test_an_open_quote_is_found_in_one_pass(tmp_path: Path) -> None:
    """Each further line was once compared with all before it: 47 s for these."""
    path = tmp_path / "r.csv"
    path.write_text('1,"2,3\n' + "1,2,3\n" * 20_000)
    began = time.process_time()
    with pytest.raises(DataError, match="line 1: a quote is opened and never closed"):
        load(path)
    assert time.process_time() - began < 10


def test_a_first_line_longer_than_tables_have(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("1,2,3," * 200_000)
    with pytest.raises(DataError, match="the first line has more than 1,048,576 bytes"):
        load(path)
    path.write_text("1,2,3," * 20_000)
    with pytest.raises(DataError, match="60001 columns"):
        load(path)


def test_utf_16_is_advised_for_text_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes((HEAD + GOOD).encode("utf-16-le"))
    refuse(path, "--encoding utf-16-le")
    path.write_bytes(b"x\0" + bytes(range(32, 96)) * 9)
    assert "utf-16" not in refuse(path, "is no text table")
    path.write_bytes((HEAD + GOOD).encode("utf-32"))
    assert len(load(path)) == 2


def test_comment_marks_of_a_first_line_are_named(tmp_path: Path) -> None:
    path = tmp_path / "out.network"
    path.write_text("% bip weighted\n1 1 5\n1 2 4\n2 1 3\n")
    refuse(path, "--comment '%' leaves out lines that start with %")
    assert len(load(path, comment="%")) == 3
