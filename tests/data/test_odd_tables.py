"""Tables as spreadsheets and scripts write them: read aright, or refused in a sentence."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array

from matinee.data import Ratings, describe, fingerprint, load
from matinee.errors import DataError, UsageError
from matinee.models import Bias

ROWS = "1,10,4\n1,11,3\n2,10,2\n"


def text(folder: Path, content: str | bytes, name: str = "r.csv", **options: Any) -> Ratings:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(file, **options)


def days(*times: str) -> list[str]:
    columns = {"user": [1, 1, 2, 2], "item": [1, 2, 1, 2], "rating": [1, 2, 3, 4]}
    ratings = load({**columns, "time": list(times)})
    assert ratings.times is not None, ratings.notes
    return [str(day) for day in ratings.times.astype("datetime64[s]").astype("datetime64[m]")]


@pytest.mark.parametrize(
    ("times", "first", "last"),
    [
        (("12/31/20", "01/02/21", "03/15/21", "01/01/99"), "2020-12-31T00:00", "1999-01-01T00:00"),
        (("31.12.20", "01.02.21", "15.03.21", "01.01.22"), "2020-12-31T00:00", "2022-01-01T00:00"),
        (("2020-01", "2020-02", "2021-05", "2022-07"), "2020-01-01T00:00", "2022-07-01T00:00"),
        (
            ("6-Feb-2021", "16-MAR-2021 10:30:00", "06-Apr-21", "01-May-2021"),
            "2021-02-06T00:00",
            "2021-05-01T00:00",
        ),
        (
            ("20200102T030405", "20200102T030405Z", "20200102T030405+0100", "20200103T030405"),
            "2020-01-02T03:04",
            "2020-01-03T03:04",
        ),
        (
            ("10/Oct/2020:13:55:36 -0700",) * 3 + ("11/Oct/2020:13:55:36 +0000",),
            "2020-10-10T20:55",
            "2020-10-11T13:55",
        ),
        (
            ("Wed Jan 01 10:00:00 +0100 2020",) * 3 + ("Wed Jan 01 10:00:00 2020",),
            "2020-01-01T09:00",
            "2020-01-01T10:00",
        ),
        (
            ("Wed Jan 01 10:00:00 2020",) * 3 + ("Thu Oct 05 12:00:00 -0700 2017",),
            "2020-01-01T10:00",
            "2017-10-05T19:00",
        ),
        (
            ("Wed, 01 Jan 2020 10:00:00 GMT",) * 3 + ("Thu, 02 Jan 2020 10:00:00 GMT",),
            "2020-01-01T10:00",
            "2020-01-02T10:00",
        ),
        (
            ("1/29/2020, 9:05:00 PM",) * 3 + ("1/31/2020, 10:05:30 AM",),
            "2020-01-29T21:05",
            "2020-01-31T10:05",
        ),
        (
            ("2020-01-01T10:00:00+0100",) * 3 + ("2020-01-01 10:00:00 -0500",),
            "2020-01-01T09:00",
            "2020-01-01T15:00",
        ),
        (
            ("Wed Jan 01 10:00:00 UTC 2020",) * 3 + ("Thu Jan 02 10:00:00 GMT 2020",),
            "2020-01-01T10:00",
            "2020-01-02T10:00",
        ),
        (("01JAN2020",) * 3 + ("02JAN2020:03:04:05",), "2020-01-01T00:00", "2020-01-02T03:04"),
        (("Wednesday, January 1, 2020",) * 4, "2020-01-01T00:00", "2020-01-01T00:00"),
        (
            ("2020-01-01 12:05 AM", "2020/01/01 1:05:00 PM") * 2,
            "2020-01-01T00:05",
            "2020-01-01T13:05",
        ),
        (("Jan  1 2020 12:05AM",) * 3 + ("Jan 31 2020",), "2020-01-01T00:05", "2020-01-31T00:00"),
        (
            ("01-JAN-20 10.05.00.000000 AM",) * 3 + ("01-JAN-20 10.05.00.000000 PM",),
            "2020-01-01T10:05",
            "2020-01-01T22:05",
        ),
        (("2020.01.02",) * 3 + ("2020.01.02 03:04",), "2020-01-02T00:00", "2020-01-02T03:04"),
        (
            ("20200102 03:04:05",) * 3 + ("Friday, 3 January 2020",),
            "2020-01-02T03:04",
            "2020-01-03T00:00",
        ),
        (("20200101103000",) * 3 + ("20211231235900",), "2020-01-01T10:30", "2021-12-31T23:59"),
        (("202001011030",) * 3 + ("202112312359",), "2020-01-01T10:30", "2021-12-31T23:59"),
    ],
)
def test_times_as_programs_write_them(times: tuple[str, ...], first: str, last: str) -> None:
    values = days(*times)
    assert (values[0], values[-1]) == (first, last)


def test_times_that_nobody_rated_at_are_noted() -> None:
    columns = {"user": [1, 1, 2], "item": [1, 2, 1], "rating": [1, 2, 3]}
    notes = load({**columns, "time": [20_200_199_256_000] * 3}).notes
    assert any("times reach the year 2610" in note for note in notes)
    notes = load({**columns, "time": [-1, -5, 100]}).notes
    assert any("times -5 to 100 would lie between 1966 and 1973" in note for note in notes)
    notes = load({**columns, "time": [0, -1, 1_500_000_000]}).notes
    assert any("2 times such as -1 lie before 1973" in note for note in notes)
    for unit, time in (("yyyymmddhhmmss", 20200101103000), ("yyyymmddhhmm", 202001011030)):
        made = load({**columns, "time": [time] * 3}, time_unit=unit)
        assert made.times is not None
        assert made.times[0] == 1_577_874_600


def test_text_as_spreadsheets_write_it(tmp_path: Path) -> None:
    stated = text(tmp_path, "\ufeffsep=;\r\nuser;item;rating\r\n" + ROWS.replace(",", ";"))
    assert len(stated) == 3
    assert len(text(tmp_path, "User ID,Book [ISBN],Rating (1-10)\n" + ROWS, item="Book")) == 3
    assert len(text(tmp_path, "user,item,rating,,\n" + ROWS.replace("\n", ",,\n"))) == 3
    rounded = text(tmp_path, "user,item,rating\n9.78014E+12,10,4\n9.78014E+12,11,3\n2,10,2\n")
    assert (
        "ids such as '9.78014E+12' (1 of them) are numbers that a spreadsheet" in rounded.notes[0]
    )
    quoted = text(tmp_path, "user,item,rating\n'1',10,4\n'1',11,3\n'2',10,2\n")
    assert "ids such as \"'1'\" (2 of them) stand in quote marks" in quoted.notes[0]
    formula = text(tmp_path, 'user,item,rating\n="01",10,4\n="01",11,3\n="02",10,2\n')
    assert "are formulas by which a spreadsheet keeps text" in formula.notes[0]
    thousands = text(tmp_path, 'user,item,rating\n"1,000",10,4\n"1,000",11,3\n2,10,2\n')
    assert "ids such as '1,000' (1 of them) are numbers with separators" in thousands.notes[0]


@pytest.mark.parametrize("ids", ["[1, 2]", "['a', 'b']", "(1, 2)", "1|2|3", "1;2", "10,20,3"])
def test_lists_in_the_cells_of_ids_are_noted(ids: str, tmp_path: Path) -> None:
    notes = text(tmp_path, f'user,item,rating\n1,"{ids}",4\n2,"{ids}",3\n1,7,2\n').notes
    assert any(f"ids such as {ids!r} (1 of them) seem to be lists" in note for note in notes)
    others = ("1,000,000", "[REC]", "(500) Days (2009)", "a|b", "1,5", "I, Robot")
    rows = "".join(f'1,"{one}",4\n2,"{one}",3\n' for one in others)
    notes = text(tmp_path, "user,item,rating\n" + rows).notes
    assert not any("lists" in note for note in notes)


def test_few_texts_among_ids_that_are_numbers_are_noted(tmp_path: Path) -> None:
    rows = "user,item,rating\n" + "".join(f"{n},{n % 7},{n % 5}\n" for n in range(60)) + "0,6,1\n"
    total = text(tmp_path, rows + "Total,3,120\n")
    assert total.notes == (
        "ids such as 'Total' (1 of 61) are no numbers, unlike the others; if they are no ids, as "
        "in a line of totals, remove their rows",
    )
    assert text(tmp_path, rows + "x,3,1\ny,3,1\n").notes == ()
    marked = text(tmp_path, "#user,item,rating\n" + ROWS)
    assert len(marked) == 3
    damaged = text(tmp_path, b"user,item,rating\n1,1\x000,4\n1,11,3\n2,11,2\n")
    assert "hold control characters" in damaged.notes[0]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("between", [",", "\t"])
def test_a_header_that_is_repeated_among_interactions_is_refused(
    mark: str, between: str, tmp_path: Path
) -> None:
    """As where files are put together; a byte order mark may precede each."""
    part = f"{mark}user,item\nann,x\nbob,y\n".replace(",", between)
    with pytest.raises(DataError, match=r"r.csv, line 4: the header is repeated here \(user, item"):
        text(tmp_path, part * 2)
    assert len(text(tmp_path, "user,item\nann,x\nuser,y\nbob,item\n")) == 3


def test_invisible_marks_before_names_are_ignored(tmp_path: Path) -> None:
    """As csv.DictReader gives them of a file that Excel wrote, and two tools write them twice."""
    rows = [{"\ufeffuser": "1", "item": n, "rating": n} for n in (1, 2)]
    rows.append({"\ufeffuser": "2", "item": 1, "rating": 1})
    assert len(load(rows)) == len(load(rows, user="user")) == 3
    assert len(text(tmp_path, "\ufeff\ufeffuser,item,rating\n" + ROWS)) == 3


@pytest.mark.parametrize("side", ["user", "item"])
def test_a_column_that_differs_in_every_row_is_noted_as_no_ids(side: str) -> None:
    other = "item" if side == "user" else "user"
    table = {side: range(30), other: [1, 2] * 15, "rating": [3, 4, 5] * 10}
    assert load(table).notes == ()  # a held-out part has one rating of each user
    for notes in (describe(table).notes, Bias().fit(table).provenance.notes):
        assert f"each of the 30 rows has its own {side}" in notes[0]
        assert f"--{side} COL" in notes[0]
    assert describe({**table, side: [*range(29), 4]}).notes == ()


@pytest.mark.parametrize(
    "content",
    [
        "user,  item,  rating\n1,  10,  4\n1,  11,  3\n2,  10,  2\n",
        "ann,The  Trial,4\nann,Dune,3\nbob,Dune,2\n",
        "ann|The  Trial|4\nann|Dune|3\nbob|Dune|2\n",
        '"user  id","item id",rating\n' + ROWS,
    ],
)
def test_blanks_within_values_are_no_separators(tmp_path: Path, content: str) -> None:
    assert sorted(text(tmp_path, content).values.tolist()) == [2, 3, 4]


def test_matrices(tmp_path: Path) -> None:
    rows = "user;Dune;Emma;Ulysses;Hamlet\nann;5;;3;NaN\nbob;-;2;4,5;1\n"
    assert sorted(text(tmp_path, rows, decimal=",").values.tolist()) == [1, 2, 3, 4.5, 5]
    with pytest.raises(DataError, match="a matrix needs a row for each user, four items or more"):
        text(tmp_path, rows)
    zeros = text(tmp_path, "user,a,b,c,d\nann,5,0,3,1\nbob,0,2,4,1\n")
    assert "--missing 0 if it means 'not rated'" in zeros.notes[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (" \n\n  \n", "is empty"),
        ("user  item  rating\n1     10    4\n", "make them one: sed"),
        (" 1 100 3\n 1 101 4\n 2 100 2\n", "blanks stand before the columns"),
        ("# user item rating\n1 10 4\n2 10 3\n", "--comment '#' leaves out"),
        ("My export of 2024\n\nuser,item,rating\n" + ROWS, "--skip N"),
        ('user,item,rating\n1,10,"1,000"\n2,11,"2,500"\n', "without separators of thousands"),
        ("user,item,rating\n1,10,\u0664\n2,11,3\n", "rating '\u0664' is not a number; mend"),
        ("user,item,rating\n1,10,like\n2,11,dislike\n", "as a number, such as 1 for a like"),
        ("user,item,rating\n" + ROWS + "user,item,rating\n" + ROWS, "line 5: the header is repeat"),
        ("user,item,rating\n'1','10','4'\n'2','11','3'\n", "state.? the mark that encloses"),
        (("user,item,rating\n" + ROWS).encode("utf-16-le"), "--encoding utf-16-le"),
        (("user,item,rating\n" + ROWS).encode("utf-16-be"), "--encoding utf-16-be"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "is an HDF5 file"),
        (b"user,item,rating\nJos\xe9,10,4\nAnn,10,3\n", "--encoding latin-1"),
        ('{"ratings": [{"user": 1, "item": 2, "rating": 3}]}', "the rows are inside 'ratings'"),
    ],
)
def test_refused_with_what_to_do(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        text(tmp_path, content, name="r.txt")


@pytest.mark.parametrize(
    "content",
    [
        "user,item,rating\n1,10,True\n1,11,False\n2,10,TRUE\n",
        '{"user":1,"item":10,"rating":true}\n{"user":1,"item":11,"rating":false}\n'
        '{"user":2,"item":10,"rating":true}\n',
    ],
)
def test_booleans_in_text_are_ratings_as_in_a_frame(tmp_path: Path, content: str) -> None:
    columns = {"user": [1, 1, 2], "item": [10, 11, 10], "rating": [True, False, True]}
    assert fingerprint(text(tmp_path, content, name="r.txt")) == fingerprint(load(columns))


def test_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a tar archive; unpack it first"):
        text(tmp_path, ROWS, name="r.tar")
    with pytest.raises(DataError, match="is an Arrow stream; save it as parquet"):
        text(tmp_path, b"\xff\xff\xff\xff\x10\0\0\0")
    with pytest.raises(DataError, match="is a pickle; read it in Python"):
        text(tmp_path, pickle.dumps({"user": [1]}, protocol=5))
    np.savez(tmp_path / "r.npz", data=[1])
    with pytest.raises(DataError, match="is an archive of numpy"):
        load(tmp_path / "r.npz")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    rows = '[{"user":1,"item":10,"rating":4},{"user":2,"item":11,"rating":3}]'
    assert len(text(tmp_path, rows.encode(encoding), name="r.json")) == 2


def test_a_last_line_that_ends_in_another_way(tmp_path: Path) -> None:
    assert len(text(tmp_path, f"user,item,rating\n{ROWS.rstrip()}\r")) == 3


def test_columns_of_days_and_of_exact_numbers() -> None:
    plain = {"user": [1, 1, 2], "item": [1, 2, 1], "rating": [1, 2, 3]}
    made = load({**plain, "time": np.array(["2020-01-01"] * 3, dtype="datetime64[D]")})
    assert made.times is not None
    assert made.times[0] == 1_577_836_800
    assert load({**plain, "time": [date(2020, 1, 1)] * 3}).times is not None
    pa = pytest.importorskip("pyarrow")
    for values in (
        pa.array(np.array([4, 3, 2], np.float16)),
        pa.array([4, 3, 2], pa.decimal256(50, 2)),
    ):
        assert load(pa.table({**plain, "rating": values})).values.tolist() == [4, 3, 2]
    pl = pytest.importorskip("polars")
    if hasattr(pl, "Int128"):  # since Polars 1.18
        huge = pl.DataFrame({**plain, "user": pl.Series([2**100, 2**100, 1], dtype=pl.Int128)})
        assert load(huge).user_ids.ids.tolist() == ["1", str(2**100)]


@pytest.mark.parametrize("users", [{0: 1, 1: 2, 2: 2}, {1, 2, 3}, "abc", 1])
def test_columns_that_are_no_sequences_are_refused(users: Any) -> None:
    with pytest.raises(DataError, match="column 'user' is of type"):
        load({"user": users, "item": [1, 2, 1], "rating": [1, 2, 3]})


def test_ratings_that_are_objects_are_not_left_unread() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"user": [1, 1, 2], "item": [1, 2, 1], "rating": [[1], [2], [3]]})
    with pytest.raises(DataError, match="column 'rating' holds objects or lists, no ratings"):
        load(table)
    with pytest.raises((DataError, UsageError)):
        load([(1, 2, 3, 4, 5)])


def test_masked_values_of_a_structured_array_are_missing() -> None:
    kind = [("user", "i4"), ("item", "i4"), ("rating", "f8")]
    rows = [(1, 1, 2), (2, 2, 3), (3, 3, 4)]
    masked = np.ma.array(rows, mask=[(0, 0, 0), (1, 0, 0), (0, 0, 0)], dtype=kind)
    assert load(masked).user_ids.ids.tolist() == [1, 3]


def test_sparse_arrays_of_three_dimensions_are_refused() -> None:
    with pytest.raises(DataError, match="of 3 dimensions"):
        load(coo_array(np.ones((2, 2, 2))))


@pytest.mark.parametrize(("zeros", "noted"), [(4, True), (3, False)])
def test_the_most_frequent_zero_is_noted(zeros: int, noted: bool) -> None:
    values = [0] * zeros + [7] * 3 + [8, 9]
    users = list(range(len(values)))
    notes = load({"user": users, "item": users, "rating": values}).notes
    assert any("--missing 0" in note for note in notes) == noted


def test_ratings_in_thousands_are_noted(tmp_path: Path) -> None:
    ratings = text(tmp_path, "a\tx\t1\nb\ty\t9667\n")
    assert "ratings in column '3' are from 1 to 9667: if they are counts, state" in ratings.notes[0]
    assert load(tmp_path / "r.csv", weight="3").implicit


def test_passwords_of_urls_are_not_shown() -> None:
    with pytest.raises(UsageError, match=r"postgresql://ann:\*\*\*@host/db: is a URL"):
        load("postgresql://ann:secret@host/db")


def test_columns_and_series_in_the_place_of_rows_are_refused() -> None:
    with pytest.raises(UsageError, match="of columns u, i and r, give"):
        load(tuple(np.array([[1, 1, 2], [1, 2, 1], [5, 3, 4]])))
    with pytest.raises(UsageError, match="cannot read ratings from generator"):
        load(pd.DataFrame({"user": [1, 2], "item": [1, 2], "rating": [3, 4]}).iterrows())


def test_parquet_files_whose_times_have_other_types_are_named(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = {"user": [1, 2], "item": [1, 2], "rating": [3, 4]}
    for name, kind in (("a", pa.int64()), ("b", pa.timestamp("us"))):
        parquet.write_table(
            pa.table({**rows, "time": pa.array([10**15] * 2, kind)}), tmp_path / f"{name}.parquet"
        )
    message = (
        r"a\.parquet and .*b\.parquet differ: column 'time' is BIGINT against TIMESTAMP; write"
    )
    with pytest.raises(DataError, match=message):
        load(tmp_path)
