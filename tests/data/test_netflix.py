"""The Netflix Prize files, in both forms, give their ratings; others are an error."""

from __future__ import annotations

import gzip
import sys
import zipfile
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from matinee.data import Ratings, Scale, load
from matinee.data.netflix import reader
from matinee.errors import DataError, UsageError

sys.path.insert(0, str(Path(__file__).parent))
from netflix_files import Row, sections, write_combined, write_mv

ROWS: list[Row] = [
    (1, 1488844, 3, "2005-09-06"),
    (1, 822109, 5, "2005-05-13"),
    (2, 822109, 1, "1999-11-11"),
    (30, 2649429, 4, "2004-02-29"),
    (30, 6, 2, "2005-12-31"),
    (17770, 6, 5, "2000-12-31"),
]
TITLES = "1,2003,Dinosaur Planet\n2,2004,Isle of Man TT, 2004 Review\n30,NULL,Caf\xe9 \x85 Olé\n"
DAY = 86_400


def rows_of(ratings: Ratings) -> list[tuple[int, int, float, int]]:
    """(item, user, rating, time) in the order they are held."""
    assert ratings.times is not None
    columns = (
        ratings.item_ids.decode(ratings.items),
        ratings.user_ids.decode(ratings.users),
        ratings.values,
        ratings.times,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def as_held(rows: list[Row]) -> list[tuple[int, int, float, int]]:
    """The same, as they must be: by user, then item."""
    day = {text: int(np.datetime64(text, "s").astype(np.int64)) for *_, text in rows}
    read = [(movie, user, float(stars), day[text]) for movie, user, stars, text in rows]
    return sorted(read, key=lambda row: (row[1], row[0]))


@pytest.fixture(params=[write_mv, write_combined])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made: Path = request.param(tmp_path / "prize", ROWS)
    (made / "movie_titles.txt").write_text(TITLES, encoding="latin-1")
    (made / "probe.txt").write_text("1:\n822109\n")
    (made / "qualifying.txt").write_text("1:\n822109,2005-12-19\n")
    (made / "README").write_text("SUMMARY\n")
    return made


def test_a_folder_is_a_source_like_any_other(folder: Path) -> None:
    ratings = load(folder)
    assert rows_of(ratings) == as_held(ROWS)
    assert ratings.name == "prize"
    assert ratings.scale == Scale(1, 5)
    assert ratings.notes == ()
    assert ratings.user_ids.numeric
    assert ratings.item_ids.ids.tolist() == [1, 2, 30, 17770]
    columns = (ratings.users, ratings.items, ratings.values, ratings.times)
    assert [column.dtype for column in columns] == [np.int32, np.int32, np.float32, np.int64]


def test_titles_have_commas_latin_1_and_perhaps_a_year(folder: Path, tmp_path: Path) -> None:
    titles = [
        "Dinosaur Planet (2003)",
        "Isle of Man TT, 2004 Review (2004)",
        "Caf\xe9 \x85 Ol\xe9",
        "17770",
    ]
    for ratings in (load(folder), load(folder, items=folder / "movie_titles.txt")):
        assert ratings.item_table is not None
        assert ratings.item_table.titles.tolist() == titles
    (folder / "movie_titles.txt").rename(folder / "movie_titles.csv")
    ratings = load(folder)
    assert ratings.item_table is not None
    assert ratings.item_table.titles.tolist() == titles
    (folder / "movie_titles.csv").write_text("1,2003\n")
    assert load(folder).notes == (
        f"titles left out: {folder / 'movie_titles.csv'}, line 1: '1,2003' is not id,year,title",
    )


def test_its_files_may_be_named_packed_or_below(folder: Path, tmp_path: Path) -> None:
    files = sorted(folder.rglob("mv_*.txt")) or sorted(folder.glob("combined_data_*.txt"))
    glob = files[0].parent / f"{files[0].name.split('_')[0]}_*.txt"
    assert rows_of(load(str(glob))) == as_held(ROWS)
    assert rows_of(load(files)) == as_held(ROWS)
    below = load(files[0].parent)
    assert rows_of(below) == as_held(ROWS)
    assert below.item_table is not None, "titles stand one folder up"
    assert rows_of(load(tmp_path)) == as_held(ROWS), "the one folder inside"
    with zipfile.ZipFile(tmp_path / "prize.zip", "w") as archive:
        for file in folder.rglob("*.*"):
            archive.write(file, file.relative_to(tmp_path))
    packed = load(tmp_path / "prize.zip")
    assert rows_of(packed) == as_held(ROWS)
    assert packed.item_table is not None
    for file in files:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert rows_of(load(folder)) == as_held(ROWS)


def test_one_file_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "any name").write_text("7:\r\n1,3,2005-09-06\r\n\r\n2,4,2005-09-07")
    read = load(tmp_path / "any name", allow_single=True)
    assert rows_of(read) == as_held([(7, 1, 3, "2005-09-06"), (7, 2, 4, "2005-09-07")])
    with pytest.raises(DataError, match="all 2 ratings of one item"):
        load(tmp_path / "any name")


def test_repeats_are_resolved_and_reported(tmp_path: Path) -> None:
    again: list[Row] = [*ROWS, (1, 822109, 2, "2005-05-14"), (2, 822109, 4, "1999-11-11")]
    folder = write_combined(tmp_path / "prize", again)
    ratings = load(folder)
    kept = [row for row in as_held(again) if row[2] not in (5.0, 1.0) or row[1] != 822109]
    assert rows_of(ratings) == kept
    assert ratings.notes[0].startswith("2 repeated ratings")
    first, second = folder / "combined_data_1.txt", folder / "combined_data_3.txt"
    with pytest.raises(DataError) as caught:
        load(folder, repeats="error")
    message = str(caught.value)
    assert message.startswith(
        f"{second}, line 2: user 822109 rates item 1 again, first at {first}, "
    )
    assert "line 3 (1 more repeats)" in message


def test_progress_is_reported(folder: Path) -> None:
    messages: list[tuple[str, int, int]] = []
    load(folder, report=lambda *step: messages.append(step))
    size = sum(file.stat().st_size for file in folder.rglob("*_*.txt"))
    size -= (folder / "movie_titles.txt").stat().st_size
    read = [step for step in messages if step[0] == "reading"]
    ordered = [step for step in messages if step[0] == "ordering"]
    assert messages == read + ordered
    assert read[-1] == ("reading", size, size)
    assert ordered[-1][1] == ordered[-1][2]
    assert all(a[1] < b[1] for steps in (read, ordered) for a, b in pairwise(steps))


HEAD = "8:\n5,3,2005-09-06\n"
BAD = [
    ("", "is empty; copy or unpack it again"),
    ("\n\n", "holds no ratings"),
    ("8:\n", "holds no ratings"),
    ("5,3,2005-09-06\n", "line 1: '5,3,2005-09-06' comes before any movie"),
    (HEAD + "6,3,2005-0", "line 3: the file ends within the line '6,3,2005-0': it is cut short"),
    (HEAD + "9", "line 3: the file ends within the line '9'"),
    (HEAD + "\n\n9:8\n", "line 5: '9:8' is no movie; expected its number and a colon"),
    (HEAD + ":\n", "line 3: ':' is no movie"),
    (HEAD + "99999999999999999999:\n", "'99999999999999999999:' is no movie"),
    (HEAD + "6\n", "line 3: user '6' without a rating, as in probe.txt"),
    (HEAD + "6,2005-09-06\n", "'6,2005-09-06' has no rating, as in qualifying.txt"),
    (HEAD + "6,3\n", "line 3: 2 columns in '6,3'; expected user,rating,YYYY-MM-DD"),
    (HEAD + "6,3,2005-09-06,1\n", "line 3: 4 columns in"),
    (HEAD + "x,3,2005-09-06\n", "line 3: user 'x' is no number; mend or remove the line"),
    (HEAD + ",3,2005-09-06\n", "line 3: user '' is no number"),
    (HEAD + "-6,3,2005-09-06\n", "line 3: user '-6' is no number"),
    (HEAD + "2147483648,3,2005-09-06\n", "line 3: user '2147483648' is too large a number"),
    (HEAD + "6,3.5,2005-09-06\n", "line 3: rating '3.5' is no whole number"),
    (HEAD + "6,,2005-09-06\n", "line 3: rating '' is no whole number"),
    (HEAD + "6,0,2005-09-06\n", "line 3: rating '0' is not one of 1 to 5"),
    (HEAD + "6,6,2005-09-06\n", "line 3: rating '6' is not one of 1 to 5"),
    (HEAD + "6,10,2005-09-06\n", "line 3: rating '10' is not one of 1 to 5"),
    (HEAD + "6,3,2005/09/06\n", "line 3: date '2005/09/06' is not written YYYY-MM-DD"),
    (HEAD + "6,3,2005-9-6\n", "line 3: date '2005-9-6' is not written"),
    (HEAD + "6,3,2005-09-06 \n", "line 3: date '2005-09-06 ' is not written"),
    (HEAD + "6,3,2005-02-29\n", "line 3: '2005-02-29' is no day"),
    (HEAD + "6,3,2005-13-01\n", "line 3: '2005-13-01' is no day"),
    (HEAD + "6,3,2005-00-01\n", "line 3: '2005-00-01' is no day"),
    (HEAD + "6,3,2005-01-00\n", "line 3: '2005-01-00' is no day"),
    (HEAD + "6,3,1969-12-31\n", "'1969-12-31' is no day, or one before 1970"),
    (HEAD + "x" * 5000 + "\n", "line 3: 1 column in 'x"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_wrong_is_reported_by_file_and_line(
    text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "mv_0000008.txt"
    file.write_text(text)
    with pytest.raises(DataError) as caught:
        load(file)
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


def test_a_line_is_counted_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_BLOCK", 64)
    monkeypatch.setattr(reader, "_LONGEST", 32)
    rows: list[Row] = [(movie, user, 3, "2005-09-06") for movie in (1, 2) for user in range(50)]
    folder = write_combined(tmp_path / "prize", rows)
    assert rows_of(load(folder)) == as_held(rows)
    second = folder / "combined_data_2.txt"
    second.write_text(second.read_text() + "\n7,6,2005-09-06\n")
    with pytest.raises(DataError, match=f"{second}, line 53: rating '6' is not one of 1 to 5"):
        load(folder)
    second.write_text(second.read_text()[:-20] + "x" * 200)
    with pytest.raises(DataError, match=r"line 5[123]: .*no end within 32"):
        load(folder)


def test_a_scale_may_be_stated(tmp_path: Path) -> None:
    folder = write_combined(tmp_path / "prize", [*ROWS, (3, 6, 7, "2005-12-31")])
    assert load(folder, scale=(0.5, 9)).scale == Scale(0.5, 9)
    with pytest.raises(DataError, match="rating '7' is not one of 1 to 6"):
        load(folder, scale=(0.5, 6.5))


def test_what_cannot_be_asked_of_it(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="have no columns to name; leave out --user"):
        load(folder, user="1")
    for name in ("probe.txt", "qualifying.txt"):
        with pytest.raises(DataError, match=f"as in {name}"):
            load(folder / name)
    write_mv(tmp_path / "both", ROWS).joinpath("training_set/combined_data_1.txt").write_text("")
    with pytest.raises(DataError, match="the same ratings"):
        load(tmp_path / "both")
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "training_set.tar").write_bytes(b"")
    (packed / "movie_titles.txt").write_text(TITLES, encoding="latin-1")
    with pytest.raises(DataError, match=r"still packed in training_set.tar; .* tar -xf"):
        load(packed)
    (packed / "training_set.tar").unlink()
    (packed / "movie_titles.txt").rename(packed / "movie_titles.csv")
    with pytest.raises(DataError, match="no ratings table in it"):
        load(packed)
    with pytest.raises(DataError, match="no longer distributed"):
        load("netflix")


def test_a_file_given_twice_is_read_twice(tmp_path: Path) -> None:
    file = write_combined(tmp_path / "prize", ROWS, 1) / "combined_data_1.txt"
    ratings = load([file, file])
    assert rows_of(ratings) == as_held(ROWS)
    assert ratings.notes[0].startswith(f"{len(ROWS)} repeated ratings")


def test_ids_of_any_size(tmp_path: Path) -> None:
    large: list[Row] = [(2**31 - 1, 2**31 - 1, 3, "2005-09-06"), (1, 7, 3, "9999-12-31")]
    assert rows_of(load(write_combined(tmp_path / "prize", [*ROWS, *large]))) == as_held(
        [*ROWS, *large]
    )


DATES = st.dates(date(1970, 1, 1)).map(str)
TABLES = st.dictionaries(
    st.tuples(st.integers(0, 2**31 - 1) | st.integers(0, 9), st.integers(0, 2**31 - 1)),
    st.tuples(st.integers(1, 5), DATES),
    min_size=1,
    max_size=30,
)
ALL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ALL
@given(table=TABLES, end=st.sampled_from(["\n", "\r\n"]), block=st.integers(40, 200))
def test_whatever_is_written_comes_back(
    table: dict[tuple[int, int], tuple[int, str]], end: str, block: int, tmp_path: Path
) -> None:
    rows: list[Row] = [(movie, user, *rest) for (movie, user), rest in table.items()]
    file = tmp_path / "mv_1.txt"
    file.write_bytes("".join(text for _, text in sections(rows, end)).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_BLOCK", block)
        assert rows_of(load(file, allow_single=True)) == as_held(rows)


@ALL
@given(
    text=st.binary(max_size=80)
    | st.text("0123456789:,-\n\r", max_size=80).map(str.encode)
    | st.lists(
        st.sampled_from([b"1:", b"6,3,2005-09-06", b"\n", b"6,3,", b"\r", b"2005-02-30", b","]),
        max_size=12,
    ).map(b"".join)
)
@example(text=b"\xef\xbb\xbf1:\n6,3,2005-09-06\n")
@example(text=b"\xef\xbb\xbf")
@example(text=b"1:\n6,3,2005-09-06\r")
def test_garbage_is_read_or_refused(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mv_1.txt"
    file.write_bytes(text)
    try:
        read = load(file, allow_single=True)
    except DataError as error:
        assert str(file) in str(error)  # noqa: PT017
        return
    lines = text.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")
    total = sum(int(note.split()[0].replace(",", "")) for note in read.notes)
    assert len(read) + total == sum(line.count(b",") == 2 for line in lines)


def test_days_are_calendar_days(tmp_path: Path) -> None:
    days = [date(1970, 1, 1) + timedelta(days) for days in range(0, 60_000, 7)]
    file = tmp_path / "mv_1.txt"
    file.write_text("1:\n" + "".join(f"{at},3,{day}\n" for at, day in enumerate(days)))
    times = load(file, allow_single=True).times
    assert times is not None
    assert (times == DAY * 7 * np.arange(len(days))).all()
