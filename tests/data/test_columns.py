"""Which column is which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from matinee.data import fingerprint, load
from matinee.data.read.columns import (
    ITEM,
    ITEM_ROLES,
    RATING,
    RATING_ROLES,
    TIME,
    USER,
    assign,
    other_choices,
    plain,
)
from matinee.errors import DataError, UsageError


def assigned(names: str, header: bool = True, **stated: str) -> list[str | None]:
    columns = assign(names.split("|"), RATING_ROLES, stated, header=header, label="t")
    return [columns.get(role) for role in (USER, ITEM, RATING, TIME)]


@pytest.mark.parametrize(
    "names",
    [
        "userId|movieId|rating|timestamp",
        "user_id|item_id|score|time",
        "USER|ITEM|RATING|DATE",
        "uid|iid|value|ts",
        "User-ID|ISBN|Book-Rating|datetime",
        "customer id|product id|stars|created_at",
        "reviewerID|asin|overall|unixReviewTime",
        "session id|sku|value|clicked_at",
        "player|game|score|played_at",
        "listener|album|stars|date",
        "User_id|video_id|review/score|review/time",
        "customer_id|product_id|star_rating|timestamp",
        "user_id|movie_id|rating_val|date",
        'user_id|movie_id|avg(rating)|max("timestamp")',
    ],
)
def test_usual_names(names: str) -> None:
    assert assigned(names) == names.split("|")
    backwards = "|".join(reversed(names.split("|")))
    assert assigned(backwards) == names.split("|")
    assert assigned("extra|" + names + "|more") == names.split("|")


def test_the_more_usual_name_wins() -> None:
    assert assigned("user|userId|item|rating|value") == ["userId", "item", "rating", None]


def test_time_and_rating_are_optional_and_the_others_are_not() -> None:
    assert assigned("user|item|rating") == ["user", "item", "rating", None]
    assert assigned("user|item") == ["user", "item", None, None]
    assert assigned("user_id:token|item_id:token|timestamp:float") == [
        *("user_id:token", "item_id:token", None, "timestamp:float")
    ]
    assert assigned("1|2", header=False) == ["1", "2", None, None]
    with pytest.raises(DataError, match=r"t: no item column among: user, rating; .* --item COL"):
        assigned("user|rating")
    many = "|".join(f"c{k}" for k in range(20))
    with pytest.raises(DataError, match="c11 and 8 more"):
        assigned(many)


def test_mapped() -> None:
    names = "who|what|rating|stars|when"
    assert assigned(names, user="who", item="WHAT", rating="stars", time="when") == [
        "who",
        "what",
        "stars",
        "when",
    ]
    assert assigned("userId|movieId|rating", user="movieId", item="userId") == [
        "movieId",
        "userId",
        "rating",
        None,
    ]
    with pytest.raises(UsageError, match="--user 'whom': no such column; did you mean 'who'"):
        assigned(names, user="whom")
    with pytest.raises(UsageError, match="cannot be both"):
        assigned(names, user="who", item="who", rating="stars")


def test_without_a_header() -> None:
    assert assigned("1|2|3|4|5", header=False) == ["1", "2", "3", "4"]
    assert assigned("1|2|3", header=False) == ["1", "2", "3", None]
    assert assigned("1|2|3|4", header=False, user="2", item="1") == ["2", "1", "3", "4"]
    with pytest.raises(DataError, match="no header and 1 column"):
        assigned("1", header=False)
    with pytest.raises(UsageError, match="go by number, 1 to 3"):
        assigned("1|2|3", header=False, user="7")


def test_items() -> None:
    names = ["movieId", "title", "genres"]
    assert list(assign(names, ITEM_ROLES, {}, header=True, label="t").values()) == names
    assert "genres" not in assign(["item", "name"], ITEM_ROLES, {}, header=True, label="t")


def test_plain() -> None:
    assert plain("User ID") == plain("user_id") == plain("userId") == plain("user-id") == "userid"
    assert plain("Rating (1-10)") == plain("avg(rating)") == plain("MAX(Rating)") == "rating"
    assert plain("count(rating)") == "count"
    assert plain("e\u0301le\u0301ment") == plain("\u00c9l\u00e9ment")


def test_two_columns_of_one_role_are_an_error_or_a_note() -> None:
    names = ["userId", "user_id", "item", "rating", "score", "date", "ts"]
    columns = assign(names, RATING_ROLES, {}, header=True, label="t")
    with pytest.raises(DataError, match=r"'userId' and 'user_id' could both be the user; .*--user"):
        other_choices(names, columns, {}, "t")
    mapped = {USER: "user_id"}
    columns = assign(names, RATING_ROLES, mapped, header=True, label="t")
    notes = other_choices(names, columns, mapped, "t")
    assert [note.partition(";")[0] for note in notes] == [
        "the rating is read from column 'rating', although score could be it too",
        "the time is read from column 'date', although ts could be it too",
    ]
    assert "--rating COL states another" in notes[0]
    mapped |= {RATING: "score", TIME: "ts"}
    assert (
        other_choices(
            names, assign(names, RATING_ROLES, mapped, header=True, label="t"), mapped, "t"
        )
        == ()
    )
    for names in (["Timestamp", "Timestamp (UTC)"], ["Timestamp (UTC)", "Timestamp"]):
        columns = assign(["user", "item", *names], RATING_ROLES, {}, header=True, label="t")
        assert columns[TIME] == "Timestamp (UTC)"
        (note,) = other_choices(["user", "item", *names], columns, {}, "t")
        assert "although Timestamp could be it too; --time COL" in note
    assert other_choices(["user", "item"], {USER: "user", ITEM: "item"}, {}, "t") == ()


@pytest.mark.parametrize(
    ("date", "clock"),
    [
        ("2021-01-31", "10:05"),
        ("2021-01-31 00:00:00", "10:05:00"),
        ("31/01/2021", "10:05:00"),
        ("1/31/2021", "10:05 AM"),
        ("2021-01-31 10:05", "23:59"),
        ("1612087500", "23:59"),
    ],
)
def test_a_date_and_a_time_of_day_are_one_time(date: str, clock: str, tmp_path: Path) -> None:
    rows = f"1,1,5,{clock},{date}\n2,1,4,{clock},{date}\n2,2,3,,{date}\n"
    (tmp_path / "r.csv").write_text("user,item,rating,time,date\n" + rows)
    ratings = load(tmp_path / "r.csv")
    assert ratings.times is not None
    assert ratings.times[:2].tolist() == [1_612_087_500] * 2
    assert ratings.notes[0] == "the time is read from columns 'date' and 'time'"


def test_names_of_people_in_json_objects_are_noted(tmp_path: Path) -> None:
    rows = [
        {"user": {"name": name, "age": 3}, "item": n, "rating": 3} for n, name in enumerate("ab")
    ]
    file = tmp_path / "r.json"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert any("names in 'user.name'" in note for note in load(file).notes)
    assert load(file, user="user.name").notes == ()


@pytest.mark.parametrize("first", ["1,2,3,4", "196,4,3,881250949"])
def test_numbers_of_columns_are_no_header(first: str, tmp_path: Path) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text(f"{first}\n5,6,4,881250949\n7,8,5,881250950\n")
    wanted = fingerprint(load(file))
    assert fingerprint(load(file, user="1", item="2", rating="3", time="4")) == wanted
    assert fingerprint(load(file, time="4")) == wanted


def test_numbers_of_columns_are_no_header_of_titles(tmp_path: Path) -> None:
    ratings, titles = tmp_path / "ratings.csv", tmp_path / "titles.csv"
    ratings.write_text("user,item,rating\n1,1,3\n2,1,4\n2,2,5\n")
    titles.write_text("1|Heat\n2|Big\n")
    table = load(ratings, items=titles, item_id="1").item_table
    assert table.titles is not None
    assert table.titles.tolist() == ["Heat", "Big"]


def test_rows_that_name_their_ids_differently_are_refused(tmp_path: Path) -> None:
    rows = [{"user": 1, "item": 1, "rating": 3}, {"user_id": 2, "item": 2, "rating": 4}]
    file = tmp_path / "r.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    for source in (file, rows):
        with pytest.raises(
            DataError, match="have the user in column 'user_id', and others in 'user"
        ):
            load(source)
    guests = [
        {"user_id": n % 3 or None, "user_name": "x", "item": n, "rating": 3} for n in range(9)
    ]
    assert len(load(guests)) == 6


def test_rows_that_name_their_rating_differently_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    named = ({"user": 1, "item": 1, "rating": 4}, {"user": 2, "item": 1, "stars": 3})
    path.write_text("\n".join(map(json.dumps, named)))
    with pytest.raises(DataError, match="the rating in column 'rating', and others in 'stars'"):
        load(path)


def test_a_rating_by_its_position_beside_stated_columns_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "checkins.txt"
    file.write_text("1\t10\t39.5\t-104.5\t2020-01-01\n2\t11\t38.5\t-103.5\t2020-01-02\n")
    ratings = load(file, user="1", item="2", time="5")
    assert "the rating is read from column 3, by its position" in ratings.notes[0]
    assert not load(file, user="1", item="2", rating="3", time="5").notes


def test_a_row_that_looks_like_names_is_read_with_no_header(tmp_path: Path) -> None:
    file = tmp_path / "plays.tsv"
    file.write_text("ann\t2009-05-04\tabba\nbob\t2009-05-05\tabba\nbob\t2009-05-06\tblur\n")
    with pytest.raises(DataError, match="--no-header if it has none"):
        load(file)
    with pytest.raises(UsageError, match="--no-header if the first line is a row"):
        load(file, user="1", item="3", time="2")
    assert len(load(file, header=False, user="1", item="3", time="2")) == 3
