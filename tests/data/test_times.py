"""Units of times are recognised by plausibility, stated, and overruled."""

import numpy as np
import pytest

from matinee import DataError, load

TABLE = {"user": [1, 1, 2], "item": [1, 2, 1], "rating": [1, 2, 3]}


def test_mixed_seconds_and_milliseconds_are_distinguished() -> None:
    ratings = load(TABLE | {"time": [1_500_000_000, 1_500_000_100_000, 1_500_000_200]})
    assert ratings.times is not None
    assert ratings.times.tolist() == [1_500_000_000, 1_500_000_100, 1_500_000_200]
    assert any("mixed units" in note and "--time-unit" in note for note in ratings.notes)


@pytest.mark.parametrize("text", [False, True])
def test_dates_written_as_numbers(text: bool) -> None:
    dates = [20200101, 20211231, 20220615]
    ratings = load(TABLE | {"date": [str(one) for one in dates] if text else dates})
    assert ratings.times is not None
    assert ratings.times.astype("datetime64[s]").astype("datetime64[D]").astype(str).tolist() == [
        "2020-01-01",
        "2021-12-31",
        "2022-06-15",
    ]
    assert any("yyyymmdd" in note for note in ratings.notes)
    plain = load(TABLE | {"date": dates}, time_unit="s")
    assert plain.times is not None
    assert plain.times.tolist() == dates


@pytest.mark.parametrize(
    "dates",
    [["01/02/2020", "12/31/2020", "02/01/2021"], ["02/01/2020", "31/12/2020", "01/02/2021"]],
)
def test_dates_with_the_month_or_the_day_first(dates: list[str]) -> None:
    ratings = load(TABLE | {"date": dates})
    assert ratings.times is not None
    days = ratings.times.astype("datetime64[s]").astype("datetime64[D]")
    assert days.astype(str).tolist() == ["2020-01-02", "2020-12-31", "2021-02-01"]


def test_small_numbers_are_never_silently_1970() -> None:
    assert any("1970" in note for note in load(TABLE | {"time": [3, 4, 5]}).notes)
    days = load(TABLE | {"time": [18262, 18263, 18264]}, time_unit="day")
    assert days.times is not None
    assert days.times[0] == np.datetime64("2020-01-01", "s").astype(int)


def test_real_dates_of_1970_stay() -> None:
    dates = np.array(["1970-08-22", "1970-08-23", "1970-08-24"], dtype="datetime64[s]")
    ratings = load(TABLE | {"time": dates})
    assert ratings.times is not None
    assert (ratings.times.astype("datetime64[s]") == dates).all()
    assert ratings.notes == ()


@pytest.mark.parametrize(
    ("unit", "time"),
    [("yyyymmdd", 20211350), ("yyyymmdd", 0), ("yyyymmddhhmm", 202101012460), ("yyyymmdd", 10**14)],
)
def test_a_number_that_is_no_date_of_the_stated_format_is_refused(unit: str, time: int) -> None:
    written = 20210131 * (1 if unit == "yyyymmdd" else 10_000)
    table = TABLE | {"time": [written, time, written]}
    with pytest.raises(DataError, match=f"the time {time} is no date written {unit}"):
        load(table, time_unit=unit)


@pytest.mark.parametrize(
    ("time", "noted"),
    [(600_000_000, True), (637_134_336_000_000_000, True), (874_965_758, False)],
)
def test_times_before_there_were_ratings_online_are_noted(time: int, noted: bool) -> None:
    notes = load(TABLE | {"time": [time] * 3}).notes
    assert any("before there were ratings online" in note for note in notes) == noted


def test_more_days_than_there_can_be_are_refused() -> None:
    with pytest.raises(DataError, match="time 1500000000000 is no number of days"):
        load(TABLE | {"time": [1_500_000_000_000] * 3}, time_unit="day")


@pytest.mark.parametrize(
    ("odd", "noted"),
    [
        ("1900-01-01", "1 time such as 1900-01-01 lies before 1973, unlike the others"),
        ("1970-01-01", "1 time such as 1970-01-01 lies before 1973"),
        ("9999-12-31", "times reach the year 9999; if they mean that there is none"),
    ],
)
@pytest.mark.parametrize("text", [False, True])
def test_dates_that_programs_write_for_none_are_noted(odd: str, noted: str, text: bool) -> None:
    dates = np.array(["2020-01-01", odd, "2021-01-01"], dtype="datetime64[s]")
    written = [str(date.astype("datetime64[D]")) for date in dates] if text else dates
    (note,) = load(TABLE | {"date": written}).notes
    assert noted in note


def test_infinite_times_are_none() -> None:
    """As PostgreSQL writes them; they were of the year 1900."""
    ratings = load(TABLE | {"time": ["2020-01-01", "infinity", "-infinity"]})
    assert ratings.times is None
    assert "'infinity' is no time" in ratings.notes[0]


@pytest.mark.parametrize("time", ["2020-01-01 10:00:00.123 -0800", "2020-01-01T10:00:00.123-0800"])
def test_fractions_of_seconds_before_an_offset(time: str) -> None:
    """As Snowflake and Jackson write them."""
    ratings = load(TABLE | {"time": [time] * 3})
    assert ratings.times is not None
    assert str(ratings.times.astype("datetime64[s]")[0]) == "2020-01-01T18:00:00"
