"""What numbers in a time column count: recognised by plausibility, stated, and overruled."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...base.arrays import Int64

TimeUnit = Literal["s", "ms", "us", "ns", "yyyymmdd", "yyyymmddhhmm", "yyyymmddhhmmss", "day"]
"""What a number in the time column counts: parts of a second or days since 1970, or it is a date
written as 20210131 or, with its time of day, 202101312359 or 20210131235959."""


# Whole seconds stay below 1e11 until the year 5138; a larger number counts something shorter.
_UNITS = ((10**11, 10**3, "milliseconds"), (10**14, 10**6, "microseconds"))
_NANOSECONDS = (10**17, 10**9, "nanoseconds")
_PARTS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_CLOCKS = {"yyyymmddhhmm": 100, "yyyymmddhhmmss": 1}
"""Formats of dates with a time of day, and the text that completes them to seconds."""
_DAY = 86_400
# Seconds below this are before 1973, before any online ratings.
_EARLY = 10**8
# The year 2100.
_LATE = 4_102_444_800
_SAMPLE = 100_000


def to_seconds(times: Int64, unit: TimeUnit | None) -> tuple[Int64, tuple[str, ...]]:
    """Numbers of a time column as whole seconds since 1970-01-01 UTC.

    Without a unit, 20210131 is a date if every number is one; else each number is seconds,
    milli-, micro- or nanoseconds, whichever puts it before the year 5138.

    Args:
        times: int64, shape (n,), not empty; may be changed in place.
        unit: What they count, if that is stated.

    Returns:
        The seconds, and notes on units other than seconds and milliseconds.
    """
    if unit in _PARTS:
        return np.floor_divide(times, _PARTS[unit], out=times), ()
    if unit == "day":
        return np.multiply(times, _DAY, out=times), ()
    if unit == "yyyymmdd":
        return _from_dates(times), ()
    if unit in _CLOCKS:
        return _from_clocks(times * _CLOCKS[unit]), ()
    low, high = int(times.min()), int(times.max())
    if low >= _EARLY and high <= _LATE:
        return times, ()
    if _are_dates(times, low, high):
        return _from_dates(times), (
            "times are read as dates written yyyymmdd; --time-unit states another unit",
        )
    for written, factor in _CLOCKS.items():
        if _are_clocks(times, low, high, factor):
            return _from_clocks(times * factor), (
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
    early = 0 if times.max() < _EARLY else int(np.count_nonzero(times < _EARLY))
    if early:
        notes = (
            *notes,
            f"{early:,} time{'s' * (early != 1)} such as {times.min()} lie{'s' * (early == 1)} "
            "before 1973 (seconds count from 1970), unlike the others; if that means that there is "
            "none, leave those rows or the column out",
        )
    if times.max() > _LATE:
        year = 1970 + int(times.max()) // (365.2425 * _DAY)
        notes = (
            *notes,
            f"times reach the year {year:.0f}; if they count something else, state it with "
            "--time-unit, or leave the column out",
        )
    return times, notes


def _are_clocks(times: Int64, low: int, high: int, factor: int) -> bool:
    if not 17_000_101_000_000 <= low * factor <= high * factor <= 22_001_231_235_959:
        return False
    sample = times[:: max(1, len(times) // _SAMPLE)] * factor
    clock = sample % 10**6
    valid = (clock // 10_000 < 24) & (clock // 100 % 100 < 60) & (clock % 100 < 60)
    days = sample // 10**6
    return bool(valid.all()) and _are_dates(days, int(days.min()), int(days.max()))


def _from_clocks(times: Int64) -> Int64:
    """Seconds of dates and times of day written yyyymmddhhmmss."""
    clock = times % 10**6
    seconds = clock // 10_000 * 3600 + clock // 100 % 100 * 60 + clock % 100
    return np.asarray(_from_dates(times // 10**6) + seconds)


def _are_dates(times: Int64, low: int, high: int) -> bool:
    if not 17_000_101 <= low <= high <= 22_001_231:
        return False
    sample = times[:: max(1, len(times) // _SAMPLE)]
    month, day = sample // 100 % 100, sample % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())


def _from_dates(times: Int64) -> Int64:
    """Seconds at the start of days written yyyymmdd."""
    months = (times // 10_000 - 1970) * 12 + times // 100 % 100 - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.asarray((first + times % 100 - 1) * _DAY)
