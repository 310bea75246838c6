"""Text laid out in other ways: recognised, stated, or refused by name; no row lost in silence."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from matinee import DataError, Ratings, UsageError, load

ROWS = "u1,a,5\nu2,b,4\nu2,a,3\n"


def write(folder: Path, text: str, name: str = "r.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def triples(ratings: Ratings) -> list[tuple[Any, Any, float]]:
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    return list(zip(users, items, ratings.values.tolist(), strict=True))


EXPECTED = [("u1", "a", 5.0), ("u2", "a", 3.0), ("u2", "b", 4.0)]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (ROWS.replace(",", "^"), {"delimiter": "^"}),
        (ROWS.replace(",", "\t"), {"delimiter": "tab"}),
        ("made today\nby, us, 1\n" + ROWS, {"skip": 2}),
        ("# user,item,rating\n" + ROWS + "# end\n", {"comment": "#"}),
        ("who,what,much\n" + ROWS, {"columns": ["user", "item", "rating"]}),
        ("user,item,rating\n1,2,3\n" + ROWS, {"skip": 2, "header": False}),
        (ROWS.replace(",", ";").replace("5", "5,0"), {"decimal": ","}),
        (ROWS.replace("a", "'a'"), {"quote": "'"}),
        (ROWS + "u3,a,9\nu4,b,-1\n", {"scale": (1, 5), "drop_outside_scale": True}),
        (ROWS + "u3,a,99\n", {"missing": 99}),
    ],
)
def test_stated_layouts(tmp_path: Path, text: str, options: dict[str, Any]) -> None:
    assert triples(load(write(tmp_path, text), **options)) == EXPECTED


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes("user,item,rating\n1,caf\u00e9,5\n2,b,4\n".encode(encoding))
    assert load(path, encoding=encoding).item_ids.ids.tolist() == ["b", "caf\u00e9"]


def test_options_that_are_none(tmp_path: Path) -> None:
    path = write(tmp_path, ROWS)
    for options, message in (
        ({"delimeter": ","}, "did you mean 'delimiter'"),
        ({"delimiter": "ab"}, "one character"),
        ({"encoding": "klingon"}, "no such encoding"),
        ({"columns": ["a", "b"]}, "2 names"),
    ):
        with pytest.raises(UsageError, match=message):
            load(path, **options)


def test_a_line_keeps_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, "a\nb\n#\nuser,item,rating\n1,1,1\n#\n2,2,x\n")
    with pytest.raises(DataError, match="line 7: rating 'x'"):
        load(path, skip=2, comment="#")


def test_doubled_carriage_returns(tmp_path: Path) -> None:
    text = "user,item,rating\n" + ROWS
    assert triples(load(write(tmp_path, text.replace("\n", "\r\r\n")))) == EXPECTED


@pytest.mark.parametrize(
    ("name", "text", "items"),
    [
        ("min.tsv", 'u1\t"Groovy\t3\nu2\tBlur\t4\nu3\tCher"\t2\n', 3),
        ("weird.tsv", 'u1\tAbba\t5\nu2\t"Weird Al" Yank\t4\nu2\tAbba\t1\n', 2),
        ("backslash.csv", 'u1,"a \\"b\\" c",5\nu2,bar,4\nu2,"a, b",3\n', 3),
    ],
)
def test_quote_marks_swallow_no_rows(tmp_path: Path, name: str, text: str, items: int) -> None:
    ratings = load(write(tmp_path, "user\titem\trating\n".replace("\t", text[2]) + text, name))
    assert len(ratings) == 3
    assert len(ratings.item_ids) == items


def test_an_id_over_several_lines_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'user,item,rating\nu1,a,1\nu1,"b,3\nu2,c",4\nu3,d,2\n')
    with pytest.raises(DataError, match=r"line 3: .*--quote none"):
        load(path)
    assert len(load(path, quote="none")) == 4


def test_quoted_reviews_may_hold_lines(tmp_path: Path) -> None:
    rows = 'user,item,rating,review\n1,1,5,"good\n\nvery"\n2,2,3,"so ""so"""\n'
    ratings = load(write(tmp_path, rows))
    assert len(ratings) == 2
    assert ratings.notes == ()


def test_text_in_the_third_column(tmp_path: Path) -> None:
    steam = write(
        tmp_path, "1,Half-Life 2,purchase,1.0,0\n1,Dota 2,play,14.9,0\n2,Dota 2,play,3,0\n"
    )
    assert len(load(steam, rating="4")) == 3
    lastfm = write(
        tmp_path, "u1\tm1\tbetty, b\t21\nu1\tm2\tdie \u00e4rzte\t9\nu2\tm1\tb\t3\n", "l.tsv"
    )
    assert len(load(lastfm, item="2", rating="4")) == 3


def test_wide_matrices(tmp_path: Path) -> None:
    jester = write(tmp_path, "3,99,-9.7,1,99,8\n4,1,2,3,99,4\n3,99,99,5,6,0\n")
    ratings = load(jester)
    assert (ratings.n_users, ratings.n_items, len(ratings)) == (3, 5, 10)
    assert ratings.scale.high == 8
    assert "matrix" in ratings.notes[0]
    pivot = pd.DataFrame({"user": [1, 1, 2, 3], "item": list("abcd"), "rating": [1, 2, 3, 4]})
    pivot.pivot(index="user", columns="item", values="rating").to_csv(tmp_path / "p.csv")
    assert triples(load(tmp_path / "p.csv"))[:2] == [(1, "a", 1.0), (1, "b", 2.0)]
    numbers = write(tmp_path, "".join(f"{k},1,2,3,4,5,6,7,8\n" for k in range(4)), "n.csv")
    with pytest.raises(DataError, match="no list of ratings"):
        load(numbers)


def test_a_matrix_of_many_items_with_long_names(tmp_path: Path) -> None:
    """As of ``pivot_table(columns="title")``, whose header is longer than most samples."""
    titles = [f'The "Film", No. {at} (1995)' for at in range(15_000)]
    cells = np.full((3, len(titles)), "", dtype=object)
    cells[0, :3], cells[1, -1], cells[2, [0, 7000]] = (1, 2, 3), 4, ("-", "NA")
    path = tmp_path / "p.csv"
    pd.DataFrame(cells, ["ann, b", "bob", "cy"], titles).to_csv(path, index_label="user")
    assert path.stat().st_size > 400_000
    ratings = load(path)
    users, items = ratings.user_ids.ids[ratings.users], ratings.item_ids.ids[ratings.items]
    assert set(zip(users, items, ratings.values.tolist(), strict=True)) == {
        *(("ann, b", titles[at], at + 1.0) for at in range(3)),
        ("bob", titles[-1], 4.0),
    }
    path.write_text(path.read_text() + "dan,1\n")
    with pytest.raises(DataError, match="line 5: 2 columns where the first line has 15001"):
        load(path)


def test_matrices_with_blank_cells_and_numbers_alone(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [1, 1, 2, 3], "item": [2, 30, 4, 51], "rating": [1, 2, 3, 4]})
    pivot = frame.pivot(index="user", columns="item", values="rating").rename_axis(None)
    pivot.to_csv(tmp_path / "p.csv")  # the first line has a blank and numbers
    assert triples(load(tmp_path / "p.csv")) == [(1, 2, 1), (1, 30, 2), (2, 4, 3), (3, 51, 4)]
    wide = "".join(f"{k},{k + 1},{k % 3},4,,5,,{k},2,,1\n" for k in range(4))
    for text in (wide, wide.replace(",,", ",NA,")):
        with pytest.raises(DataError, match="no list of ratings"):
            load(write(tmp_path, text, "n.csv"))
    spare = write(
        tmp_path, "".join(f"{k},{k % 2},4,15{k}000000,,,,,,\n" for k in range(4)), "s.csv"
    )
    assert len(load(spare)) == 4
    listed = write(tmp_path, ",5,3,100,7\n1,5,3,100,7\n1,6,2,101,7\n2,5,4,102,7\n", "l.csv")
    assert len(load(listed)) == 3


def test_json_with_its_rows_inside_a_key(tmp_path: Path) -> None:
    rows = '[{"user": 1, "item": 1, "rating": 5}, {"user": 1, "item": 2, "rating": 3}]'
    for before in ("", '"count": 2, "next": null, ', '"meta": {"pages": 1}, '):
        text = f'{{{before}"ratings": {rows}}}'
        with pytest.raises(DataError, match=r"inside 'ratings'.*jq -c '\.ratings\[\]'"):
            load(write(tmp_path, text, "r.json"))
    with pytest.raises(DataError, match="no item column"):  # a row for each user
        load(write(tmp_path, f'{{"user": 1, "ratings": {rows}}}\n' * 2, "r.json"))
    (tmp_path / "large.json").write_text('{"user": {' + '"1000000": 1, ' * (1 << 21) + '"0": 1}}')
    with pytest.raises(DataError, match=r"more than 16 MiB is no row.*orient='records'"):
        load(tmp_path / "large.json")


def test_row_numbers_without_a_name(tmp_path: Path) -> None:
    """As R's write.table writes them."""
    rows = [(k % 7, f"m{k % 5}", k % 4 + 1) for k in range(30)]
    for first, between in ((1, " "), (0, ",")):
        lines = [
            "user item rating",
            *(f'"{k}" {u} "{i}" {r}' for k, (u, i, r) in enumerate(rows, first)),
        ]
        file = write(tmp_path, "\n".join(lines).replace(" ", between), "r.txt")
        assert triples(load(file)) == sorted((u, i, float(r)) for u, i, r in rows)
    for broken in ("\n1 m1 4", "\n31 1 m1 x"):
        with pytest.raises(DataError, match="line"):
            load(
                write(
                    tmp_path, "\n".join(lines).replace(" ", ",") + broken.replace(" ", ","), "r.txt"
                )
            )
    few = write(tmp_path, "user,item,rating\n1,10,5,100\n2,11,4,101\n3,10,3,102\n", "few.csv")
    with pytest.raises(DataError, match="4 columns where the first line has 3"):
        load(few)


def test_a_delimiter_by_its_code(tmp_path: Path) -> None:
    file = write(tmp_path, ("user,item,rating\n" + ROWS).replace(",", "\x01"))
    with pytest.raises(DataError, match="--delimiter"):
        load(file)
    for mark in ("\x01", r"\x01"):
        assert triples(load(file, delimiter=mark)) == EXPECTED
    with pytest.raises(UsageError, match=r"such as \\x01"):
        load(file, delimiter=r"\x1")


def test_ratings_txt_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "1 1 4\n1 2 3.5\n2 1 1\n", "ratings.txt")
    write(tmp_path, "1 2 1\n", "trust.txt")
    assert len(load(tmp_path)) == 3


def test_parts_of_no_bytes_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "user,item,rating\n" + ROWS, "part-0.csv")
    write(tmp_path, "", "part-1.csv")
    assert triples(load(tmp_path)) == EXPECTED


def test_json_of_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [1, 1, 2], "item": [1, 2, 1], "rating": [5, 4, 3]})
    frame.to_json(tmp_path / "r.json")
    with pytest.raises(DataError, match=r"holds columns .* orient='records'"):
        load(tmp_path / "r.json")


def test_book_titles(tmp_path: Path) -> None:
    ratings = write(tmp_path, "user_id,isbn,rating\n1,A,5\n1,B,4\n2,A,3\n")
    books = write(tmp_path, "ISBN;Book-Title;Book-Author\nA;One;Ann\nB;Two;Bob\n", "books.csv")
    table = load(ratings, items=books).item_table
    assert table is not None
    assert table.titles.tolist() == ["One", "Two"]


def test_frames_of_every_index_and_type() -> None:
    frame = pd.DataFrame({"user": [1, 1, 2], "item": [1, 2, 1], "rating": [1, 2, 3]})
    plain = triples(load(frame))
    assert triples(load(frame.set_index("user"))) == plain
    assert triples(load(frame.set_index("user", drop=False))) == plain
    assert triples(load(frame.set_index(["user", "item"]))) == plain
    assert triples(load(frame.astype({"rating": np.float16, "user": "category"}))) == plain
    days = pd.PeriodIndex(["2020-01-01", "2020-01-02", "2021-01-01"], freq="D")
    times = load(frame.assign(timestamp=days)).times
    assert times is not None
    assert times[0] == pd.Timestamp("2020-01-01").timestamp()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("[{'id': 18, 'name': 'Drama'}, {'id': 1, 'name': 'War'}]", "[]", [("Drama", "War"), ()]),
        ('[{"id": 18, "name": "Drama"}]', "", [("Drama",), ()]),
        ("['Sci-Fi', 'A, b']", "['War']", [("Sci-Fi", "A, b"), ("War",)]),
        ("['Sci-Fi' 'War']", "['War']", [("Sci-Fi", "War"), ("War",)]),
        ("[x]|War", "['War']", [("[x]", "War"), ("['War']",)]),
        ("[War", "[War]", [("[War",), ("[War]",)]),
    ],
)
def test_genres_as_programs_write_lists(
    tmp_path: Path, first: str, second: str, expected: list[tuple[str, ...]]
) -> None:
    file = write(tmp_path, "user,item,rating\n1,1,5\n1,2,3\n2,1,4\n")
    titles = write(tmp_path, f"item\ttitle\tgenres\n1\tHeat\t{first}\n2\tUp\t{second}\n", "i.tsv")
    table = load(file, items=titles).item_table
    assert table is not None
    assert table.genres is not None
    assert list(table.genres) == expected


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_genres_as_lists_of_objects(tmp_path: Path, kind: str) -> None:
    genres = [[{"id": 18, "name": "Drama"}, {"id": 1, "name": 'War, "cold"'}], []]
    rows = [{"item": at + 1, "title": "ab"[at], "genres": genres[at]} for at in range(2)]
    titles = write(tmp_path, "\n".join(json.dumps(row) for row in rows), "i.jsonl")
    if kind == "json":
        titles = write(tmp_path, json.dumps(rows), "i.json")
    elif kind == "parquet":
        source, titles = titles, tmp_path / "i.parquet"
        duckdb.sql(f"COPY (FROM read_json('{source}')) TO '{titles}'")
    file = write(tmp_path, "user,item,rating\n1,1,5\n1,2,3\n2,1,4\n")
    table = load(file, items=titles).item_table
    assert table is not None
    assert table.genres is not None
    assert table.genres.tolist() == [("Drama", 'War, "cold"'), ()]


RATED = [(user, item) for user in range(20) for item in range(user % 3, 12, 2)]


def titled(folder: Path, head: str, row: str) -> Path:
    lines = [row.format(user=user, item=item) for user, item in RATED]
    return write(folder, "\n".join([head, *lines]) + "\n")


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ("user_id,movie_id,title,rating", "title"),
        ("user_id,Book Id,Book,rating", "Book"),
        ("user_id,track_id,track_name,rating", "track_name"),
    ],
)
def test_titles_in_the_ratings_own_table(tmp_path: Path, head: str, column: str) -> None:
    ratings = load(titled(tmp_path, head, '{user},{item},"Title, {item}",4'))
    assert ratings.item_table is not None
    assert ratings.item_table.titles.tolist() == [f"Title, {item}" for item in range(12)]
    assert ratings.item_table.genres is None
    assert f"titles from the column {column!r}" in ratings.notes


def test_titles_and_genres_in_the_ratings_own_table(tmp_path: Path) -> None:
    path = titled(
        tmp_path, "user,item,rating,label,title,genres", "{user},{item},4,L{item},T{item},a|b"
    )
    ratings = load(path)
    assert ratings.item_table is not None
    assert ratings.item_table.genres is not None
    assert ratings.item_table.titles[0] == "T0"
    assert ratings.item_table.genres.tolist() == [("a", "b")] * 12
    stated = load(path, title="label").item_table
    assert stated is not None
    assert stated.titles[0] == "L0"
    with pytest.raises(UsageError, match="--title names a column of a table of titles"):
        load(path, title="lable")


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("user_id,name,item_id,rating", "{user},Name {user},{item},4"),  # the users' names
        ("user_id,item_id,name,rating", "{user},{item},Name,4"),  # one for all
        ("user_id,track_id,artist,rating", "{user},{item},Artist {item},4"),  # of something else
        ("user_id,item_id,title,rating", "{user},{item},{item}{user},4"),  # many of each item
    ],
)
def test_columns_that_hold_no_titles(tmp_path: Path, head: str, row: str) -> None:
    assert load(titled(tmp_path, head, row)).item_table is None


def test_an_item_without_a_title_has_its_id(tmp_path: Path) -> None:
    path = titled(tmp_path, "user,item,title,rating", "{user},{item},T{item},4")
    path.write_text(path.read_text().replace(",T3,", ",,"))
    table = load(path).item_table
    assert table is not None
    assert table.titles[2:5].tolist() == ["T2", "3", "T4"]


def test_a_text_of_each_row_is_no_title(tmp_path: Path) -> None:
    """As in reviews, where nearly every item has one."""
    rows = [f"{at % 7},i{at},Review {at},5" for at in range(60)] + ["0,i1,Another,4", "1,i2,More,3"]
    path = write(tmp_path, "\n".join(["user_id,item_id,title,rating", *rows]))
    assert load(path).item_table is None
    single = write(tmp_path, "\n".join(["user_id,item_id,title,rating", *rows[:60]]), "s.csv")
    assert load(single).item_table is None  # one row of each item shows nothing
    stated = load(single, title="title").item_table
    assert stated is not None
    assert stated.titles[0] == "Review 0"


def test_stated_columns_of_titles_are_never_dropped(tmp_path: Path) -> None:
    path = titled(tmp_path, "user,item,kind,rating", "{user},{item},K{item},4")
    with pytest.raises(UsageError, match="--genres 'kind' needs a column of titles"):
        load(path, genres="kind")
    bare = write(tmp_path, "\n".join(f"{u},{i},4,0,Film {i}" for u, i in RATED), "bare.csv")
    table = load(bare, title="5").item_table
    assert table is not None
    assert table.titles[:2].tolist() == ["Film 0", "Film 1"]


def test_a_column_of_a_matrix_that_is_no_item_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "survey.csv"
    file.write_text("user;age;a;b;c\n1;31;4,5;;1\n2;64;2;3;\n3;;5;1;2\n")
    assert load(file, decimal=",").notes[1:] == (
        "column 'age' holds 31 to 64, where the others hold 1 to 5; if it is no item, remove it "
        "from the table",
    )
    file.write_text("user;d;a;b;c\n1;6;4,5;;1\n2;7;2;3;\n3;;5;1;2\n")
    assert load(file, decimal=",").notes[1:] == ()
