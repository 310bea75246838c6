"""Columns of people and items: read, coded as levels, divided and put together."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from matinee import DataError, UsageError, load
from matinee.data import (
    CodedColumn,
    Ratings,
    SideColumns,
    coded_columns,
    named_split,
    share_vocabularies,
    split_files,
    stacked,
)

RATINGS = "1::10::5::978300760\n2::10::3::978300761\n2::20::1::978300762\n3::20::4::978300763\n"
USERS = "1::F::1::10::48067\n2::M::56::16::70072\n9::M::25::15::55117\n"
NAMES = ["gender", "age", "occupation", "zip"]


def side(**columns: list[Any]) -> SideColumns:
    made = {}
    for name, values in columns.items():
        if isinstance(values[0], float):
            made[name] = np.array(values)
        else:
            made[name] = np.empty(len(values), dtype=object)
            made[name][:] = values
    return SideColumns(made)


def shown(columns: SideColumns | None) -> dict[str, list[Any]]:
    assert columns is not None
    return {
        name: [None if value != value else value for value in values.tolist()]
        for name, values in columns.columns.items()
    }


def movielens(folder: Path) -> Path:
    (folder / "ratings.dat").write_text(RATINGS)
    (folder / "users.dat").write_text(USERS)
    return folder


def test_people_stand_beside_the_ratings_of_movielens_1m(tmp_path: Path) -> None:
    ratings = load(movielens(tmp_path))
    assert shown(ratings.user_columns) == {
        "gender": ["F", "M", ""],
        "age": [1.0, 56.0, None],
        "occupation": [10.0, 16.0, None],
        "zip": [48067.0, 70072.0, None],
    }
    assert ratings.notes == ()
    file = load(tmp_path / "ratings.dat")
    assert shown(file.user_columns) == shown(ratings.user_columns)
    archive = tmp_path / "ml.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for name in ("ratings.dat", "users.dat"):
            made.write(tmp_path / name, f"ml-1m/{name}")
    assert shown(load(archive).user_columns) == shown(ratings.user_columns)


def test_people_stand_beside_the_ratings_of_movielens_100k(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("1\t10\t5\t8\n2\t10\t3\t9\n2\t20\t1\t9\n")
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|T8H1N\n")
    columns = shown(load(tmp_path).user_columns)
    assert list(columns) == ["age", "gender", "occupation", "zip"]
    assert columns["occupation"] == ["technician", "other"]
    assert columns["zip"] == ["85711", "T8H1N"]


def test_real_tables_of_people(real_data: Callable[[str], Path]) -> None:
    for name, occupations in (("ml-1m", 21), ("ml-100k", 21)):
        users = load(real_data(name)).user_columns
        assert users is not None
        assert sorted(users.columns) == sorted(NAMES)
        assert len(CodedColumn.of("occupation", users.columns["occupation"]).levels) == occupations
        assert CodedColumn.of("gender", users.columns["gender"]).levels == ("F", "M")
        assert 7 <= len(CodedColumn.of("age", users.columns["age"]).levels) <= 10


def test_tables_of_people_by_name_and_in_memory(tmp_path: Path) -> None:
    ratings = pd.DataFrame({"user": ["a", "b"], "item": [1, 2], "rating": [3, 4]})
    people = pd.DataFrame(
        {"id": ["b", "a", "b"], "likes": [["x", "y"], [], ["z"]], "town": ["Ry", None, "Aa"]}
    )
    expected = {"likes": ["", ("x", "y")], "town": ["", "Ry"]}  # of two rows the first counts
    assert shown(load(ratings, people=people).user_columns) == expected
    file = tmp_path / "folk.csv"
    file.write_text("key;likes;income;at\nb;x|y;2.5;\na;;;\n")
    read = shown(load(ratings, people=file, person_id="key").user_columns)
    assert read == {"likes": ["", ("x", "y")], "income": [None, 2.5]}
    with pytest.raises(DataError, match=r"none of its ids is a user .*'a'.*--person-id COL"):
        load(ratings, people=file, person_id="income")
    with pytest.raises(UsageError, match=r"--person-id 'kei': no such column.*mean 'key'"):
        load(ratings, people=file, person_id="kei")
    with pytest.raises(UsageError, match=r"--person-id 'twon': no such column.*mean 'town'"):
        load(ratings, people=people, person_id="twon")
    with pytest.raises(UsageError, match="give the table with --people"):
        load(ratings, person_id="key")
    with pytest.raises(DataError, match=r"no person column among: folk, town.*--person-id COL"):
        load(ratings, people=people.rename(columns={"id": "folk"})[["folk", "town"]])
    with pytest.raises(DataError, match="has no column but that of the ids, 'id'"):
        load(ratings, people=people[["id"]])


def test_a_table_that_was_not_named_is_left_out_with_a_note(tmp_path: Path) -> None:
    movielens(tmp_path)
    (tmp_path / "users.dat").write_text("")
    ratings = load(tmp_path)
    assert ratings.user_columns is None
    assert "columns of people left out: " in ratings.notes[0]
    (tmp_path / "users.dat").write_text("77::F::1::10::48067\n")
    assert load(tmp_path).user_columns is None


def test_titles_go_by_the_column_that_the_ratings_go_by(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,spiel,rating\n1,1,5\n2,1,4\n2,2,3\n")
    (tmp_path / "t.csv").write_text("id,spiel,title\n1,2,Go\n2,1,Chess\n3,3,Dame\n")
    table = load(tmp_path / "r.csv", item="spiel", items=tmp_path / "t.csv").item_table
    assert table is not None
    assert table.titles.tolist() == ["Chess", "Go"]


def test_further_columns_of_items(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,1,5\n2,1,4\n2,2,3\n")
    (tmp_path / "items.csv").write_text(
        "item,title,genres,author,pages\n1,Heat (1995),a|b,Ann,12\n2,Up (2009),,Bo,\n"
    )
    table = load(tmp_path / "ratings.csv").item_table
    assert table is not None
    assert shown(table.side) == {
        "genres": [("a", "b"), ()],
        "year": [1995.0, 2009.0],
        "author": ["Ann", "Bo"],
        "pages": [12.0, None],
    }
    assert table.take(np.array([1])).side.columns["author"].tolist() == ["Bo"]


def test_years_of_a_column_date_the_titles_that_have_none(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,1,5\n2,1,4\n2,2,3\n3,3,3\n3,4,2\n")
    titles = ("Go,-1750", "Chess (1851),1999", "Dame,0", "Ludo,1896.0")
    rows = "".join(f"{at},{title}\n" for at, title in enumerate(titles, 1))
    (tmp_path / "items.csv").write_text("item,title,Year-Of-Publication\n" + rows)
    ratings = load(tmp_path / "ratings.csv")
    parts = (ratings.take([0, 1, 2]).compact(), ratings.take([3, 4]).compact())
    for whole in (ratings, share_vocabularies(*parts)[1]):
        assert whole.item_table is not None
        years = whole.item_table.years.tolist()
        assert [None if year != year else year for year in years] == [-1750, 1851, None, 1896]


def test_a_written_split_keeps_columns(tmp_path: Path) -> None:
    ratings = load(movielens(tmp_path))
    likes = np.empty(3, dtype=object)
    likes[:] = [("x", "y"), (), ("x",)]
    assert ratings.user_columns is not None
    columns = {**ratings.user_columns.columns, "likes": likes}
    ratings = replace(ratings, user_columns=SideColumns(columns))
    split_files(ratings, tmp_path / "split", holdout=0.25, seed=1)
    train, test = named_split(str(tmp_path / "split"))[:2]
    for part in (train, test):
        assert part.user_columns is not None
        assert len(part.user_columns.columns["gender"]) == part.n_users == 3
        read = shown(part.user_columns)
        assert read["gender"] == ["F", "M", ""]
        assert read["likes"] == [("x", "y"), "", ("x",)]
        assert read["age"] == [1.0, 56.0, None]


def test_parts_of_ratings_keep_their_rows() -> None:
    ratings = Ratings.from_arrays([1, 2, 3], [1, 1, 2], [3.0, 4.0, 5.0])
    ratings = replace(ratings, user_columns=side(a=["x", "y", "z"], n=[1.0, 2.0, np.nan]))
    assert shown(ratings.take(np.array([1, 2])).compact().user_columns) == {
        "a": ["y", "z"],
        "n": [2.0, None],
    }
    other = Ratings.from_arrays([2, 9], [1, 2], [3.0, 4.0])
    other = replace(other, user_columns=side(a=["w", "v"], b=["", "k"]))
    one, two = share_vocabularies(ratings, other)
    assert one.user_columns is two.user_columns
    assert shown(one.user_columns) == {
        "a": ["x", "y", "z", "v"],
        "b": ["", "", "", "k"],
        "n": [1.0, 2.0, None, None],
    }
    assert SideColumns.union([(None, np.arange(2, dtype=np.int32))], 2) is None


LABELS = st.sampled_from(["", "a", "b", "c", "d"])
SEVERAL = st.lists(st.sampled_from("abcd"), max_size=4).map(tuple)
NUMBERS = st.one_of(st.just(np.nan), st.integers(-50, 50).map(float))


@given(
    st.one_of(
        st.lists(LABELS, min_size=1), st.lists(SEVERAL, min_size=1), st.lists(NUMBERS, min_size=1)
    )
)
def test_levels_are_those_of_the_values(values: list[Any]) -> None:
    column = side(c=values).columns["c"]
    coded = CodedColumn.of("c", column)
    coded.check()
    assert list(coded.levels) == sorted(coded.levels)
    indptr, rows = coded.transposed()
    assert (np.diff(indptr) >= 2).all()  # a level that one row has is none
    assert np.allclose(np.square(coded.scale) * np.maximum(coded.counts, 1), 1.0)
    of_row: list[set[int]] = [set() for _ in values]
    for level in range(len(coded.levels)):
        for row in rows[indptr[level] : indptr[level + 1]]:
            of_row[row].add(level)
    for row, levels in enumerate(of_row):
        assert sorted(levels) == coded.codes[coded.indptr[row] : coded.indptr[row + 1]].tolist()
    again = CodedColumn.of("c", coded.values())
    assert again.levels == coded.levels
    assert again.codes.tolist() == coded.codes.tolist()
    assert again.indptr.tolist() == coded.indptr.tolist()
    if column.dtype == object:
        for value, levels in zip(values, of_row, strict=True):
            labels = {coded.levels[level] for level in levels}
            assert labels <= set(value)


def test_numbers_of_many_values_are_divided_by_rank() -> None:
    values = np.random.default_rng(0).permutation(np.arange(1000.0))
    coded = CodedColumn.of("n", values)
    assert len(coded.levels) == 10
    assert coded.counts.tolist() == [1] * 1000
    assert np.abs(np.array(coded.levels)[coded.codes] - values).max() <= 50


def test_several_columns_are_numbered_one_after_the_other() -> None:
    columns = side(a=["x", "y", "x", "y"], b=[("q", "p"), ("p",), (), ("q",)])
    (coded,) = coded_columns(["b", "a"], [columns], "data")
    assert [each.name for each in coded] == ["b", "a"]
    indptr, levels, scale, n = stacked(coded)
    assert n == 4
    taken = stacked(coded).take(np.array([3, 0]))
    assert taken.indptr.tolist() == [0, 2, 5]
    assert taken.levels.tolist() == [1, 3, 0, 1, 2]
    assert indptr.tolist() == [0, 3, 5, 6, 8]
    assert levels.tolist() == [0, 1, 2, 0, 3, 2, 1, 3]
    assert np.allclose(scale, [0.5**0.5, 0.5**0.5, 1, 1, 1, 1, 1, 1])


def test_all_columns_are_those_that_do_not_tell_who_somebody_is() -> None:
    people = side(
        town=[f"town {at // 2}" for at in range(40)],
        sex=["f", "m"] * 20,
        same=["x"] * 40,
    )
    users, items = coded_columns(True, (people, None), "data")
    assert [each.name for each in users] == ["sex"]
    assert items == ()
    assert coded_columns(False, (people, None), "data") == ((), ())
    assert [each.name for each in coded_columns(["town"], (people, None), "data")[0]] == ["town"]
    with pytest.raises(UsageError, match=r"data: no column 'sexx'.*did you mean 'sex'"):
        coded_columns(["sexx"], (people, None), "data")


def test_a_column_of_numbers_in_one_part_and_of_texts_in_another_keeps_both() -> None:
    codes = np.arange(2, dtype=np.int32)
    numbers = SideColumns({"code": np.array([10.0, np.nan])})
    texts = SideColumns({"code": np.array(["A7", "10"], dtype=object)})
    for parts in ([(numbers, codes), (texts, codes + 2)], [(texts, codes + 2), (numbers, codes)]):
        joined = SideColumns.union(parts, 4)
        assert joined is not None
        assert joined.columns["code"].tolist() == ["10", "", "A7", "10"]


@pytest.mark.parametrize("side_table", ["items", "people"])
def test_an_error_of_a_side_table_names_it_and_the_line(tmp_path: Path, side_table: str) -> None:
    ratings, beside = tmp_path / "r.csv", tmp_path / "beside.csv"
    ratings.write_text("user,item,rating\n1,1,5\n1,2,3\n2,1,4\n")
    beside.write_text('id,title\n2,B\n1,"A "q" x"\n')
    with pytest.raises(DataError, match=r"beside\.csv, line 3: cannot be parsed \(Value with unt"):
        load(ratings, **{side_table: beside})


def test_missing_values_leave_a_column_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\n1,1,5\n1,2,3\n2,1,4\n3,1,1\n")
    people = tmp_path / "people.csv"
    people.write_text("user,age,sex\n1,NA,f\n2,30,None\n3,NULL,m\n")
    read = load(tmp_path / "r.csv", people=people)
    assert shown(read.user_columns) == {"age": [None, 30, None], "sex": ["f", "", "m"]}


def test_a_name_above_numbers_is_no_row_of_a_side_table(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\n1,1,5\n1,2,3\n2,1,4\n")
    people = tmp_path / "people.csv"
    people.write_text("Kunde,age\n1,20\n2,\n")
    with pytest.raises(DataError, match=r"no person column among: Kunde, age.*--person-id COL"):
        load(tmp_path / "r.csv", people=people)
    people.write_text("1,x\n2,y\n")
    assert shown(load(tmp_path / "r.csv", people=people).user_columns) == {"2": ["x", "y"]}
