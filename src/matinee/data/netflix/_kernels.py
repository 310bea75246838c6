"""Compiled loops that read the lines of the Netflix Prize files and order their ratings."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float32, Int32, Int64, UInt8
from ...base.compiled import inlined, kernel

_MOST = 2**31 - 1
_SECONDS = 86_400
_LINE_END, _RETURN, _COMMA, _DASH, _ZERO, _COLON = 10, 13, 44, 45, 48, 58
_LENGTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_BEFORE = np.concatenate(([0], np.cumsum(_LENGTHS)[:-1]))
_BITS, _RATING = 4, 15
# After the user of a rating: ",3,2005-09-06".
_TAIL = 13


@inlined
def _digit(text: UInt8, at: int) -> int:
    """Return the digit at a position; a larger number if it is not a digit."""
    return int(np.uint8(text[at] - _ZERO))


@kernel()
def _leap_days(year: int) -> int:
    """Leap days from the year 1 to the end of a year."""
    return year // 4 - year // 100 + year // 400


@kernel()
def _day(text: UInt8, at: int) -> int:
    """Parse a date YYYY-MM-DD in days since 1970-01-01; -1 if invalid or earlier."""
    millennium, century = _digit(text, at), _digit(text, at + 1)
    decade, year = _digit(text, at + 2), _digit(text, at + 3)
    ten_months, month = _digit(text, at + 5), _digit(text, at + 6)
    ten_days, day = _digit(text, at + 8), _digit(text, at + 9)
    most = max(millennium, century, decade, year, ten_months, month, ten_days, day)
    if most > 9 or text[at + 4] != _DASH or text[at + 7] != _DASH:
        return -1
    year += 1000 * millennium + 100 * century + 10 * decade
    month += 10 * ten_months
    day += 10 * ten_days
    if year < 1970 or month < 1 or month > 12 or day < 1:
        return -1
    before = _leap_days(year - 1)
    leap = _leap_days(year) - before
    if day > _LENGTHS[month - 1] + (leap if month == 2 else 0):
        return -1
    years = 365 * (year - 1970) + before - _leap_days(1969)
    return int(years + _BEFORE[month - 1] + (leap if month > 2 else 0) + day - 1)


@kernel()
def parse_lines(
    text: UInt8,
    end: int,
    headed: bool,
    low: int,
    high: int,
    row: int,
    users: Int32,
    marks: Int32,
    movies: Int32,
    starts: Int64,
) -> tuple[int, int, int, int]:
    """Read whole lines: ``movie:``, and below it ``user,rating,YYYY-MM-DD`` for each rating.

    Blank lines are passed over, and a line may end in CR LF.

    Args:
        text: The lines; ``text[end - 1]`` is a line end.
        end: Where they end.
        headed: Whether a movie line precedes the first line.
        low: Lowest rating allowed, a digit.
        high: Highest.
        row: Ratings read so far.
        users: Filled from ``row`` on with the users' ids.
        marks: With ``day << 4 | rating``, the day counted from 1970-01-01.
        movies: Filled from 0 on with the movies found.
        starts: With the row at which each begins.

    Returns:
        Where it stopped (below ``end``: at the start of a line that cannot be read), the ratings
        read so far, the movies found, and the lines read.
    """
    at, n_movies, lines = 0, 0, 0
    while at < end:
        begin = at
        number = np.int64(0)
        while True:
            digit = np.int64(text[at]) - _ZERO
            if digit < 0 or digit > 9 or number > _MOST:
                break
            number = 10 * number + digit
            at += 1
        width = at - begin
        if text[at] == _COLON:
            if width == 0 or number > _MOST:
                return begin, row, n_movies, lines
            movies[n_movies] = number
            starts[n_movies] = row
            n_movies += 1
            headed = True
            at += 1
        elif width > 0:
            day = -1
            if headed and number <= _MOST and at + _TAIL < end and text[at] == _COMMA:
                value = np.int64(text[at + 1]) - _ZERO
                if low <= value <= high and text[at + 2] == _COMMA:
                    day = _day(text, at + 3)
            if day < 0:
                return begin, row, n_movies, lines
            users[row] = number
            marks[row] = day << _BITS | value
            row += 1
            at += _TAIL
        if text[at] == _RETURN:
            at += 1
        if at >= end or text[at] != _LINE_END:
            return begin, row, n_movies, lines
        at += 1
        lines += 1
    return at, row, n_movies, lines


@kernel()
def count_users(users: Int32, counts: Int64) -> None:
    """Count the rows of each user into ``counts``."""
    for user in users:
        counts[user] += 1


@kernel()
def bucket_movies(starts: Int64, users: Int32, marks: Int32, shift: int, bounds: Int64) -> None:
    """Order the rows of each movie by ranges of users, in place; within a range they stay in order.

    Args:
        starts: Movie ``m`` has rows ``starts[m]:starts[m + 1]``.
        users: The user of every row.
        marks: The mark of every row, moved with the users.
        shift: Range ``b`` has the users ``b << shift`` and up.
        bounds: Filled with the first row of each movie and range, shape (movies, ranges + 1).
    """
    longest = int(np.max(starts[1:] - starts[:-1]))
    held_users, held_marks = np.empty(longest, dtype=np.int32), np.empty(longest, dtype=np.int32)
    n_ranges = bounds.shape[1] - 1
    free = np.empty(n_ranges, dtype=np.int64)
    for movie in range(len(starts) - 1):
        first, last = starts[movie], starts[movie + 1]
        free[:] = 0
        for j in range(first, last):
            free[users[j] >> shift] += 1
        bounds[movie, 0] = first
        for b in range(n_ranges):
            bounds[movie, b + 1] = bounds[movie, b] + free[b]
            free[b] = bounds[movie, b]
        for j in range(first, last):
            held_users[j - first] = users[j]
            held_marks[j - first] = marks[j]
        for j in range(last - first):
            to = free[held_users[j] >> shift]
            free[held_users[j] >> shift] = to + 1
            users[to] = held_users[j]
            marks[to] = held_marks[j]


@kernel()
def place_range(
    chosen: int,
    movies: Int64,
    codes: Int32,
    bounds: Int64,
    users: Int32,
    marks: Int32,
    free: Int64,
    out_items: Int32,
    out_values: Float32,
    out_times: Int64,
) -> None:
    """Copy the ratings of one range of users to their rows.

    One range at a time, so that the written memory stays in the cache.

    Args:
        chosen: The range.
        movies: Positions of the movies, in the order of their codes.
        codes: Item code of each movie.
        bounds: As from ``bucket_movies``.
        users: The user of every row, in the order of ``bucket_movies``.
        marks: Dates and ratings of all rows.
        free: The next free position of each user; moved on.
        out_items: Item codes of all rows.
        out_values: Ratings of all rows.
        out_times: Times of all rows, in seconds.
    """
    for movie in movies:
        for j in range(bounds[movie, chosen], bounds[movie, chosen + 1]):
            to = free[users[j]]
            free[users[j]] = to + 1
            out_items[to] = codes[movie]
            out_values[to] = marks[j] & _RATING
            out_times[to] = np.int64(marks[j] >> _BITS) * _SECONDS
