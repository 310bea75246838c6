"""The layouts in which public data sets come, as small made-up files: read, or what to state."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from matinee import DataError, MatineeError, Ratings, UsageError, load


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
    return folder


def triples(ratings: Ratings) -> list[tuple[str, str, float]]:
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    values = ratings.values.tolist()
    return list(zip(map(str, users), map(str, items), values, strict=True))


INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t9e8\n2\t2\t4\t9e8\n"
BOOKS = (
    '"ISBN";"Book-Title";"Year"\n"034545104X";"A \\"B\\"; C";"2002"\n"0155061224";"Decision";"1"\n'
)
HEAD = "id,book_id,isbn,title\n"

# The files, the source in them, what is read of it, the titles, and words of the notes.
READ: dict[str, tuple[dict[str, str], str, list[tuple[str, str, float]], list[str], str]] = {
    "recbole": (
        {"ml.inter": INTER, "ml.item": "item_id:token\tmovie_title:token_seq\n2\tToy Story\n"},
        "",
        [("1", "2", 3), ("2", "2", 4)],
        ["Toy Story"],
        "",
    ),
    "book-crossing": (
        {
            "BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\n"1";"034545104X";"0"\n'
            '"2";"0155061224";"0"\n"2";"034545104X";"7"\n',
            "BX-Books.csv": BOOKS,
            "BX-Users.csv": '"User-ID";"Location"\n"1";"nyc"\n',
        },
        "",
        [("1", "034545104X", 0), ("2", "0155061224", 0), ("2", "034545104X", 7)],
        ["Decision", 'A "B"; C'],
        "2 ratings are 0.*--missing 0",
    ),
    "goodbooks-10k": (
        {
            "ratings.csv": "user_id,book_id,rating\n1,1,5\n2,3,4\n2,1,2\n",
            "books.csv": HEAD
            + '1,2767052,043,"Games, 1"\n3,77,9,Third\n2,3,8,Other\n4,5,7,Fourth\n',
            "to_read.csv": "user_id,book_id\n9,112\n",
        },
        "",
        [("1", "1", 5), ("2", "1", 2), ("2", "3", 4)],
        ["Games, 1", "Third"],
        "titles by the ids in 'id'.*--item-id",
    ),
    "filmtrust": (
        {"ratings.txt": "1 1 2\n1 2 4\n2 1 3.5\n", "trust.txt": "1 2 1\n"},
        "",
        [("1", "1", 2), ("1", "2", 4), ("2", "1", 3.5)],
        [],
        "",
    ),
    "jester": (
        {"jester.csv": "2,1.5,-3,99,99\n3,99,1,2,5\n"},
        "jester.csv",
        [("1", "1", 1.5), ("1", "2", -3), ("2", "2", 1), ("2", "3", 2), ("2", "4", 5)],
        [],
        "matrix of users by 4 items",
    ),
    "kaggle anime": (
        {
            "rating.csv": "user_id,anime_id,rating\n1,20,-1\n1,24,8\n3,20,9\n",
            "anime.csv": 'anime_id,name,genre\n20,Naruto,"Action, Comedy"\n24,School,Drama\n',
        },
        "",
        [("1", "20", -1), ("1", "24", 8), ("3", "20", 9)],
        ["Naruto", "School"],
        "1 rating is -1.*--missing -1",
    ),
    "amazon, item first": (
        {
            "Music.csv": "0001393774,A3NHUQ33CFH3VM,5.0,1385510400\n"
            "B00139377X,A3SK6VNBQDNBJE,4.0,1383264000\n"
        },
        "Music.csv",
        [("A3NHUQ33CFH3VM", "0001393774", 5), ("A3SK6VNBQDNBJE", "B00139377X", 4)],
        [],
        "read as item, user, rating and time.*--user 1 --item 2",
    ),
    "amazon, with products": (
        {
            "Music.jsonl": '{"user_id": "A", "parent_asin": "B1", "rating": 5}\n'
            '{"user_id": "B", "parent_asin": "B2", "rating": 4}\n',
            "meta_Music.jsonl": '{"parent_asin": "B1", "average_rating": 4.5}\n',
        },
        "",
        [("A", "B1", 5), ("B", "B2", 4)],
        [],
        "",
    ),
    "amazon, user first": (
        {"B.csv": "A39HTATAQ9V7YF,0205616461,5.0,1369699200\nA3JM6GV9MNOF9X,055892527X,3,13e8\n"},
        "B.csv",
        [("A39HTATAQ9V7YF", "0205616461", 5), ("A3JM6GV9MNOF9X", "055892527X", 3)],
        [],
        "",
    ),
    "netflix": (
        {"combined_data_1.txt": "1:\n7,3,2005-09-06\n8,5,2005-05-13\n2:\n8,4,2005-09-05\n"},
        "",
        [("7", "1", 3), ("8", "1", 5), ("8", "2", 4)],
        [],
        "",
    ),
    "more columns": (
        {"movie-ratings.txt": "1,2,3,4,5,6\n2,3,3,4,5,6\n"},
        "movie-ratings.txt",
        [("1", "2", 3), ("2", "3", 3)],
        [],
        "6 columns without a header.*--rating",
    ),
    "dates in the third column": (
        {"i.csv": "1,7,2020-01-01\n2,7,2020-01-02T10:00:00Z\n"},
        "i.csv",
        [("1", "7", 1), ("2", "7", 1)],
        [],
        "user, item and time; --rating 3",
    ),
    "rows counted": (
        {"out.csv": "0,7,21,3\n1,8,21,4\n2,8,3,5\n"},
        "out.csv",
        [("7", "21", 3), ("8", "3", 5), ("8", "21", 4)],
        [],
        "first column counts the rows.*--user 1",
    ),
    "spark": (
        {"part-00000": "", "part-00001": "1,2,3\n2,2,4\n", "_SUCCESS": ""},
        "",
        [("1", "2", 3), ("2", "2", 4)],
        [],
        "",
    ),
    "partitions": (
        {
            "user=1/part-0.csv": "item,rating\n2,3\n",
            "user=a%20b/part-0.csv": "item,rating\n2,4\n3,5\n",
            "_temporary/x.csv": "item,rating\n9,9\n",
        },
        "",
        [("1", "2", 3), ("a b", "2", 4), ("a b", "3", 5)],
        [],
        "",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_known_layouts(tmp_path: Path, name: str) -> None:
    files, source, expected, titles, message = READ[name]
    ratings = load(write(tmp_path, files) / source, allow_single=True)
    assert triples(ratings) == expected
    table = ratings.item_table
    assert ([] if table is None else table.titles.tolist()) == titles
    assert pd.Series(" ".join(ratings.notes)).str.contains(message)[0]
    if not message:
        assert ratings.notes == ()


def test_steam_names_the_option(tmp_path: Path) -> None:
    text = (
        '151,"The V Skyrim",purchase,1.0,0\n151,"The V Skyrim",play,273.0,0\n'
        '152,"Fallout 4",play,2,0\n'
    )
    path = write(tmp_path, {"steam-200k.csv": text}) / "steam-200k.csv"
    with pytest.raises(DataError, match=r"'purchase' is not a number.*--rating COL"):
        load(path)
    ratings = load(path, rating="4")
    assert triples(ratings) == [("151", "The V Skyrim", 273), ("152", "Fallout 4", 2)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2014-04-07T10:51:09Z,214536502,0", "second column holds times.*--user 1 --item 3"),
        ("1,2268318,2520377,pv,1511544070", r"third \(2520377\) holds no ratings.*--time 5"),
    ],
)
def test_columns_in_another_order_without_a_header(line: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"clicks.csv": f"{line}\n{line.replace('1,', '2,', 1)}\n"})
    with pytest.raises(DataError, match=message):
        load(path)


def test_partitions_of_parquet(tmp_path: Path) -> None:
    for year in (2019, 2020):
        for month in (1, 2):
            folder = tmp_path / f"year={year}" / f"month={month}"
            folder.mkdir(parents=True)
            frame = pd.DataFrame({"item": [year, 1], "rating": [month, 5]})
            frame.to_parquet(folder / "part-0.parquet")
    ratings = load(tmp_path, user="month", rating="rating")
    assert triples(ratings) == [
        *(("1", "1", 5), ("1", "2019", 1), ("1", "2020", 1)),
        *(("2", "1", 5), ("2", "2019", 2), ("2", "2020", 2)),
    ]
    with pytest.raises(DataError, match="no user column among: item, rating, month, year"):
        load(tmp_path)


def test_partitions_of_compressed_text(tmp_path: Path) -> None:
    for user in (1, 2):
        folder = tmp_path / f"user={user}" / "day=1"
        folder.mkdir(parents=True)
        (folder / "part-0.csv.gz").write_bytes(
            gzip.compress(f"item,rating\n7,{user}\n8,5\n".encode())
        )
    expected = [("1", "7", 1), ("1", "8", 5), ("2", "7", 2), ("2", "8", 5)]
    assert triples(load(tmp_path)) == expected


def test_a_folder_of_folders_is_named_as_such(tmp_path: Path) -> None:
    for year in (2020, 2021):
        (tmp_path / str(year)).mkdir()
        (tmp_path / str(year) / "r.csv").write_text("user,item,rating\n1,2,3\n2,1,3\n")
    with pytest.raises(DataError, match=r"only folders \(2020, 2021\).*a quoted glob"):
        load(tmp_path)
    assert len(load(f"{tmp_path}/*/*.csv")) == 2


def test_partitions_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path / "none", {"user=1/part-0.csv": "1,2\n3,4\n"})
    with pytest.raises(DataError, match="needs a header"):
        load(tmp_path / "none")
    write(tmp_path / "mixed", {"user=1/a.csv": "item,rating\n1,2\n", "x=1/y=2/a.csv": "u,i\n1,2\n"})
    with pytest.raises(DataError, match="different partitions"):
        load(tmp_path / "mixed")
    write(tmp_path / "json", {"user=1/a.json": '{"item": 1}\n', "user=2/a.json": '{"item": 1}\n'})
    with pytest.raises(DataError, match="JSON below partitions"):
        load(tmp_path / "json")


def lines(*objects: Any) -> str:
    return "\n".join(map(json.dumps, objects))


@pytest.mark.parametrize(
    "make",
    [
        lambda u, i: {"user": {"id": u, "name": "x"}, "item": {"id": i, "tags": [1]}, "rating": 3},
        lambda u, i: {"user": {"$oid": u}, "item": i, "rating": {"$numberInt": "3"}},
        lambda u, i: {"user": u, "item": i, "rating": 3, **{f"{u}{k}": k for k in range(198)}},
        lambda u, i: {"user": u, "item": i, "rating": 3, "": 1},
        lambda u, i: {"user": u, "item": i, "rating": 3, "more": {"a": {"b": {"c/~d": [1]}}}},
    ],
)
def test_json_of_every_shape(tmp_path: Path, make: Any) -> None:
    text = lines(*(make(u, i) for u in ("1", "2") for i in ("7", "8")))
    ratings = load(write(tmp_path, {"r.jsonl": text}) / "r.jsonl")
    assert triples(ratings) == [(u, i, 3) for u in ("1", "2") for i in ("7", "8")]


def test_objects_are_no_ids(tmp_path: Path) -> None:
    row = {"user": {"key": 1, "nick": "x"}, "item": [7], "rating": 3}
    path = write(tmp_path, {"r.jsonl": lines(row, row)}) / "r.jsonl"
    with pytest.raises(
        DataError, match=r"no user column among: user.key, user.nick.*user, item: o"
    ):
        load(path)
    with pytest.raises(UsageError, match=r"objects or lists; name one of its fields \(user.key"):
        load(path, user="user")
    frame = pd.DataFrame({"user": [{"id": 1, "n": 2}, {"id": 2, "n": 2}], "item": 5, "rating": 3})
    assert load(frame, allow_single=True).user_ids.ids.tolist() == [1, 2]
    for orient in ("columns", "index", "split", "table"):
        pd.DataFrame({"user": [1, 2], "item": [1, 2], "rating": 3}).to_json(path, orient=orient)
        with pytest.raises(DataError, match=r"holds columns.*orient='records'"):
            load(path)


def test_names_that_differ_in_case_alone(tmp_path: Path) -> None:
    text = "userId,USERID,item,rating\n1,9,1,3\n2,8,1,4\n"
    path = write(tmp_path, {"r.csv": text}) / "r.csv"
    with pytest.raises(DataError, match="'userId' and 'USERID' differ only in case"):
        load(path)
    assert load(path, user="USERID", allow_single=True).user_ids.ids.tolist() == [8, 9]
    rows = lines({"userId": 1, "USERID": 2, "item": 3, "rating": 4})
    frame = pd.DataFrame({"userId": [1], "USERID": [2], "item": [3], "rating": [4]})
    for source in (write(tmp_path, {"r.jsonl": rows}) / "r.jsonl", frame):
        with pytest.raises(DataError, match="differ only in case"):
            load(source, allow_single=True)
    columns = {"rating": [1, 2], "rating_1": [3, 4], "user": [1, 2], "item": [1, 1]}
    assert load(columns, allow_single=True).values.tolist() == [1, 2]


def test_item_tables_by_stated_columns(tmp_path: Path) -> None:
    ratings = {"user": [1, 2], "item": [10, 20], "rating": [1, 2]}
    items = pd.DataFrame({"key": [10, 20], "itemId": [1, 2], "what": ["A", "B"], "kind": "x|y"})
    stated: dict[str, Any] = {"item_id": "key", "title": "what", "genres": "kind"}
    table = load(ratings, items=items, **stated).item_table
    assert table is not None
    assert table.genres is not None
    assert table.titles.tolist() == ["A", "B"]
    assert table.genres.tolist() == [("x", "y")] * 2
    with pytest.raises(DataError, match="--item-id COL"):
        load(ratings, items=items, title="what")
    with pytest.raises(DataError, match=r"no title column.*--title COL"):
        load(ratings, items=items)
    with pytest.raises(UsageError, match="--item-id 'no': no such column"):
        load(ratings, items=items, item_id="no")
    with pytest.raises(UsageError, match="--title names a column of a table of titles"):
        load(ratings, title="what")
    loaded = load(ratings, items=items.rename(columns={"key": "id", "what": "title"}))
    assert loaded.item_table is not None
    assert loaded.item_table.titles.tolist() == ["A", "B"]
    assert "--item-id states another column" in loaded.notes[0]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://example.org/r.csv", "is a URL.*download it first"),
        ("s3://bucket/r.parquet", "is a URL"),
        ("file:///data/r.csv", "give its path alone"),
        ("-", "/dev/stdin"),
    ],
)
def test_addresses(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(source)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("dump.sql", "--\n-- PostgreSQL database dump\n--\n", "is SQL.*--database"),
        ("dump.csv", "-- MySQL dump 10.13\nINSERT INTO `r` VALUES (1,2,3);\n", "is SQL"),
        ("items.json", "{'user_id': '1', 'items': []}\n", r"Python: json.dumps\(ast"),
    ],
)
def test_dumps_are_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, {name: text}) / name)


@pytest.mark.parametrize("text", ["<!DOCTYPE html>\n<html>a, b, c</html>", "<table>\n</table>\n"])
def test_web_pages(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="web page"):
        load(write(tmp_path, {"r.csv": text}) / "r.csv")


def test_times_in_nanoseconds_with_a_zone() -> None:
    pa = pytest.importorskip("pyarrow")
    for unit, factor in (("ns", 10**9), ("us", 10**6)):
        times = pa.array(np.array([10**9, 10**9 + 1]) * factor, pa.timestamp(unit, "Asia/Tokyo"))
        table = pa.table({"user": [1, 2], "item": [1, 2], "rating": [1, 2], "time": times})
        result = load(table).times
        assert result is not None
        assert result.tolist() == [10**9, 10**9 + 1]


def test_dates_that_could_be_day_or_month_first() -> None:
    columns = {"user": [1, 2], "item": [1, 2], "rating": [1, 2], "time": ["01/02/2020"] * 2}
    assert "month first" in load(columns).notes[0]
    assert load({**columns, "time": ["02/02/2020"] * 2}).notes == ()


def test_a_decimal_comma_names_its_option(tmp_path: Path) -> None:
    path = write(tmp_path, {"r.csv": "user;item;rating\n1;1;3,5\n2;1;4,5\n"}) / "r.csv"
    with pytest.raises(MatineeError, match="--decimal ,"):
        load(path)
    assert load(path, decimal=",", allow_single=True).values.tolist() == [3.5, 4.5]


def test_decimal_commas_of_every_column(tmp_path: Path) -> None:
    """As a table of floats is written with ``to_csv(decimal=",")``."""
    rows = "1,0;10;7,5;3,5;1577836800,5;0,5\n2,0;11;8;4,5;1577836801;1\n"
    text = f"user;item;title;rating;time;w\n{rows}"
    path = write(tmp_path, {"r.csv": text}) / "r.csv"
    ratings = load(path, decimal=",", weight="w", title="title")
    assert ratings.user_ids.ids.tolist() == [1, 2]
    assert ratings.times is not None
    assert ratings.times.tolist() == [1577836800, 1577836801]
    assert ratings.weights is not None
    assert ratings.weights.tolist() == [0.5, 1]
    assert ratings.item_table is not None
    assert ratings.item_table.titles.tolist() == ["7,5", "8"]
    write(tmp_path, {"movies.csv": "item;title;price\n10,0;7,5;1,5\n11,0;8;2\n"})
    beside = load(path, decimal=",").item_table
    assert beside is not None
    assert beside.titles.tolist() == ["7,5", "8"]
    assert beside.columns is not None
    assert beside.columns.columns["price"].tolist() == [1.5, 2]
    table = {"user": ["1,0", "2,0"], "item": [1, 2], "rating": ["3,5", "4"]}
    assert load(table, decimal=",").user_ids.ids.tolist() == [1, 2]


def test_a_matrix_of_jester_with_decimal_commas(tmp_path: Path) -> None:
    text = "2;1,5;-3;99,00;99\n3;99;1;2;5\n"
    ratings = load(write(tmp_path, {"jester.csv": text}) / "jester.csv", decimal=",")
    assert ratings.values.tolist() == [1.5, -3, 1, 2, 5]
    assert "99 means no rating" in ratings.notes[0]


@pytest.mark.parametrize("name", ["My Rating", "Your Rating"])
def test_ratings_go_by_the_names_of_exports(name: str, tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    path.write_text(f"Reader,Book Id,{name}\na,1,5\na,2,3\nb,1,4\n")
    ratings = load(path)
    assert not ratings.implicit
    assert ratings.values.tolist() == [5.0, 3.0, 4.0]


def test_titles_with_escaped_quote_marks(tmp_path: Path) -> None:
    books = '"ISBN";"Book-Title"\n"034545104X";"Tones: \\"M\\""\n"0155061224";"Decision"\n'
    files, *_ = READ["book-crossing"]
    ratings = load(write(tmp_path, files | {"BX-Books.csv": books}))
    assert ratings.item_table is not None
    assert set(ratings.item_table.titles) == {"Decision", 'Tones: "M"'}
