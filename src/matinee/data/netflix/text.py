"""What is wrong with a line of the Netflix Prize files, and the titles of its movies."""

from __future__ import annotations

import re

import numpy as np

from ...errors import DataError
from ..read.text import shorten
from ..read.unpack import Part
from ..side.items import ItemTable
from ..vocabulary import Vocabulary

_DATE = re.compile(rb"\d{4}-\d\d-\d\d")
_TITLE = re.compile(r"(\d+),(\d{1,4}|NULL),(.*)")
_EXPECTED = "expected user,rating,YYYY-MM-DD"


def fault(line: bytes, *, headed: bool, cut: bool, low: int, high: int) -> str:
    """Explain why a line cannot be read, and what to do.

    Args:
        line: The line, without its end.
        headed: Whether a movie line precedes it.
        cut: Whether the file ends in it, without a line end.
        low: Lowest rating allowed.
        high: Highest.
    """
    message = shorten(line.decode("latin-1"))
    if cut:
        return f"the file ends within the line {message}: it is cut short; copy or unpack it again"
    if b":" in line:
        return f"{message} is no movie; expected its number and a colon, as in '1:'"
    if not headed:
        return f"{message} comes before any movie; the first line must be a movie, as in '1:'"
    values = line.split(b",")
    if len(values) == 1 and line.isdigit():
        return (
            f"user {message} without a rating, as in probe.txt, which is no table of ratings; read "
            "the folder, or the split netflix/probe"
        )
    if len(values) == 2 and _DATE.fullmatch(values[1]):
        return (
            f"{message} has no rating, as in qualifying.txt, whose ratings are not part of the "
            "data; read the folder"
        )
    if len(values) != 3:
        columns = f"{len(values)} column{'s' * (len(values) != 1)}"
        return f"{columns} in {message}; {_EXPECTED}; mend or remove the line"
    return f"{_wrong_value(values, low, high)}; mend or remove the line"


def _wrong_value(values: list[bytes], low: int, high: int) -> str:
    user, rating, date = values
    message = [shorten(value.decode("latin-1")) for value in values]
    if not user.isdigit():
        return f"user {message[0]} is no number"
    if int(user[:20]) >= 2**31:
        return f"user {message[0]} is too large a number"
    if not rating.isdigit():
        return f"rating {message[1]} is no whole number"
    if not (len(rating) == 1 and low <= int(rating) <= high):
        return f"rating {message[1]} is not one of {low} to {high}"
    if not _DATE.fullmatch(date):
        return f"date {message[2]} is not written YYYY-MM-DD"
    return f"{message[2]} is no day, or one before 1970"


def read_titles(part: Part, ids: Vocabulary) -> ItemTable | None:
    """Read titles from ``movie_titles.txt``: lines of ``id,year,title``; titles may have commas.

    The year is appended to the title, as in MovieLens: ``Dinosaur Planet (2003)``.

    Returns:
        The table, or None if it has none of the movies. A movie missing in it has its id as
        title.

    Raises:
        DataError: An invalid line.
    """
    try:
        data = part.path.read_bytes()
    except OSError as error:
        raise DataError(f"{part.label}: cannot read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    named: dict[int, str] = {}
    # Not splitlines: a title in Latin-1 may contain what Unicode treats as a line end.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        if not line:
            continue
        match = _TITLE.fullmatch(line)
        if match is None:
            raise DataError(f"{part.label}, line {number}: {shorten(line)} is not id,year,title")
        year = "" if match[2] == "NULL" else f" ({match[2]})"
        named.setdefault(int(match[1]), match[3].strip() + year)
    if not any(name in named for name in ids.ids.tolist()):
        return None
    titles = [named.get(name, str(name)) for name in ids.ids.tolist()]
    return ItemTable(np.array(titles, dtype=object))
