"""What numbers in a time column count: recognised by plausibility, stated, and overruled."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import numpy as np

from ...base.arrays import Int64
from ...base.memory import chunks, large_empty
from ...errors import DataError

TimeUnit = Literal["s", "ms", "us", "ns", "yyyymmdd", "yyyymmddhhmm", "yyyymmddhhmmss", "day"]
"""What a number in the time column counts: parts of a second or days since 1970, or it is a date
written as 20210131 or, with its time of day, 202101312359 or 20210131235959."""


# Whole seconds stay below 1e11 until the year 5138; a larger number counts something shorter.
_UNITS = ((10**11, 10**3, "milliseconds"), (10**14, 10**6, "microseconds"))
_NANOSECONDS = (10**17, 10**9, "nanoseconds")
_PARTS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DATES = {"yyyymmdd": 10**6, "yyyymmddhhmm": 10**2, "yyyymmddhhmmss": 1}
"""Formats of dates, and the factor that completes them to seconds."""
_FIRST, _LAST = 17_000_101_000_000, 22_001_231_235_959
"""Without a stated unit, numbers outside this range are no dates."""
_DAY = 86_400
# Seconds below this are before 1973, before any online ratings.
_EARLY = 10**8
# The year 1996, since when there are online ratings.
_ONLINE = 820_454_400
# The year 2100.
_LATE = 4_102_444_800
_MOST_DAYS = 10**9
"""So many days, counted as seconds, fit into 64 bits."""


def to_seconds(times: Int64, unit: TimeUnit | None) -> tuple[Int64, tuple[str, ...]]:
    """Numbers of a time column as whole seconds since 1970-01-01 UTC.

    Without a unit, 20210131 is a date if every number is one; else each number is seconds,
    milli-, micro- or nanoseconds, whichever puts it before the year 5138.

    Returns:
        The seconds, and notes on units other than seconds and milliseconds.

    Raises:
        DataError: A number is no date of the stated format.
    """
    if unit in _PARTS:
        return np.floor_divide(times, _PARTS[unit], out=times), ()
    if unit == "day":
        for edge in (int(times.min()), int(times.max())):
            if abs(edge) > _MOST_DAYS:
                raise DataError(f"the time {edge} is no number of days; state another --time-unit")
        return np.multiply(times, _DAY, out=times), ()
    if unit is not None:
        return _from_dates(times, unit), ()
    low, high = int(times.min()), int(times.max())
    if low >= _EARLY and high <= _LATE:
        return times, _too_old(low, high)
    for written, factor in _DATES.items():
        if not _FIRST <= low * factor <= high * factor <= _LAST:
            continue
        with suppress(DataError):
            return _from_dates(times, written), (
                f"times are read as dates written {written}; --time-unit states another unit",
            )
    largest, smallest = max(abs(low), abs(high)), min(abs(low), abs(high))
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    size = np.abs(times)
    for above, per_second, name in reversed((*_UNITS, _NANOSECONDS)):
        if largest <= above:
            continue
        shorter = size > above
        count = int(np.count_nonzero(shorter))
        if count:
            counts[name] = count
            times[shorter] //= per_second
            size[shorter] = 0
    rest = len(times) - sum(counts.values())
    if counts and rest and smallest < _UNITS[0][0]:
        counts["seconds"] = rest
    if len(counts) > 1:
        message = " and ".join(f"{count:,} in {name}" for name, count in counts.items())
        notes = (
            f"times of mixed units, distinguished by their size: {message}; --time-unit states one",
        )
    elif not counts and low > -_EARLY and high < _EARLY:
        notes = (
            f"times {low} to {high} would lie between {1970 if low >= 0 else 1966} and 1973 as "
            "seconds; if they count something else, state it with --time-unit, or leave the column "
            "out",
        )
    return times, (*notes, *outlying(times), *_too_old(int(times.min()), int(times.max())))


def outlying(times: Int64, *, dates: bool = False) -> tuple[str, ...]:
    """Notes on times before 1973 among later ones, and after 2100, as programs write for none.

    Args:
        times: Seconds since 1970, int64, shape (n,), not empty.
        dates: Whether the table has dates, not numbers.
    """
    low, high = int(times.min()), int(times.max())
    notes: tuple[str, ...] = ()
    early = 0 if high < _EARLY else int(np.count_nonzero(times < _EARLY))
    if early:
        written = f"{_day(low)} lie" if dates else f"{low} lie"
        since = "" if dates else " (seconds count from 1970)"
        notes = (
            f"{early:,} time{'s' * (early != 1)} such as {written}{'s' * (early == 1)} before 1973"
            f"{since}, unlike the others; if that means that there is none, leave those rows or "
            "the column out",
        )
    if high > _LATE:
        hint = "mean that there is none, leave out those rows or the column"
        if not dates:
            hint = "count something else, state it with --time-unit, or leave the column out"
        notes += (f"times reach the year {_day(high)[:-6]}; if they {hint}",)
    return notes


def _day(seconds: int) -> str:
    return str(np.datetime64(seconds, "s").astype("datetime64[D]"))


def _too_old(first: int, last: int) -> tuple[str, ...]:
    """Note times in seconds, all of which are after 1973 and before there were online ratings."""
    if not _EARLY <= first <= last < _ONLINE:
        return ()
    since, until = (1970 + int(time / (365.2425 * _DAY)) for time in (first, last))
    return (
        f"times lie between {since} and {until}, before there were ratings online; if "
        "they count from another moment, such as 2001 (Apple) or the year 1 (ticks of .NET), "
        "convert them to seconds since 1970",
    )


def _from_dates(times: Int64, written: str) -> Int64:
    """Seconds of dates, perhaps with a time of day, of a format in ``_DATES``.

    Raises:
        DataError: A number is no such date.
    """
    factor = _DATES[written]
    for edge in (int(times.min()), int(times.max())):
        if not 0 < edge * factor < 10**14:
            raise DataError(_no_date(edge, written))
    seconds = large_empty(len(times), np.int64)
    for some in chunks(len(times)):
        date, clock = np.divmod(times[some] * factor, 10**6)
        month, day = date // 100 % 100, date % 100
        hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
        valid = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        valid &= (hour < 24) & (minute < 60) & (second < 60)
        if not valid.all():
            raise DataError(_no_date(times[some][np.argmin(valid)], written))
        months = (date // 10_000 - 1970) * 12 + month - 1
        first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        seconds[some] = (first + day - 1) * _DAY + hour * 3600 + minute * 60 + second
    return seconds


def _no_date(number: int | np.int64, written: str) -> str:
    return (
        f"the time {number} is no date written {written}; leave out those rows, or the column, or "
        "state another --time-unit"
    )
