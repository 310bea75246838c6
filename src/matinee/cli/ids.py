"""Item ids from the command line and from files, given as ids or titles."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, UnknownIdError, UsageError

if TYPE_CHECKING:
    from ..data import Scale
    from ..recommend import TitleIndex


def read_ratings(
    texts: Sequence[str], titles: TitleIndex, scale: Scale
) -> tuple[dict[Any, float], list[tuple[str, float]]]:
    """Return ratings by item id, and as (title, rating) to show how they were understood.

    They are written as ``TITLE=5``, or as ``TITLE`` for an item without a rating.

    Raises:
        UsageError: Not written so, off the scale, a title that fits several, or one item twice.
        UnknownIdError: A title that fits none.
    """
    from ..recommend import implied_rating, is_constant

    ratings: dict[Any, float] = {}
    meant: list[tuple[str, float]] = []
    for text in texts:
        name, sign, number = text.rpartition("=")
        if not sign:
            name, number = text, str(implied_rating(scale))
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if not name.strip() or value != value:
            raise UsageError(
                f"--rate {text!r}: write it as TITLE=RATING, as in 'Alien=5', or as TITLE for what "
                "they liked"
            )
        if is_constant(scale):
            value = scale.high
        if not scale.holds(value):
            raise UsageError(
                f"--rate {text!r}: {value:g} is off the scale of this model, "
                f"{scale.low:g} to {scale.high:g}"
            )
        item = titles.find(name)
        title = titles.title(item)
        if item in ratings:
            raise UsageError(f"--rate {text!r}: {title} is rated twice")
        ratings[item] = value
        meant.append((title, value))
    return ratings, meant


def read_items(path: Path, titles: TitleIndex, *, skip: bool) -> tuple[list[Any], list[str]]:
    """Return item ids from a file, and the lines without a known item.

    The file has an id or a title a line, or is a table (csv, tsv, parquet) with an item column.

    Raises:
        DataError: The file cannot be read.
        UnknownIdError: A line names no item, unless ``skip``.
        UsageError: A title fits several items.
    """
    items: list[Any] = []
    unknown: list[str] = []
    for name in _names(path):
        try:
            items.append(titles.find(name))
        except UnknownIdError as error:
            if not skip:
                raise UnknownIdError(f"{path}: {error}") from None
            unknown.append(name)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
    return items, unknown


def _names(path: Path) -> Iterable[str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror}") from None
    if data[:4] == b"PAR1":
        return dict.fromkeys(_parquet(path))
    try:
        lines = [line for line in data.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: neither UTF-8 text nor parquet (byte {error.start}); write one id a line"
        ) from None
    if not lines:
        raise DataError(f"{path}: empty; write an id or a title a line")
    for mark in "\t,;|":
        column = _item_column(next(csv.reader(lines[:1], delimiter=mark)))
        if column is not None:
            rows = csv.reader(lines[1:], delimiter=mark)
            names = (row[column].strip() for row in rows if len(row) > column)
            return dict.fromkeys(filter(None, names))
    return dict.fromkeys(line.strip() for line in lines)


def _parquet(path: Path) -> list[str]:
    import duckdb

    with duckdb.connect() as db:
        try:
            table = db.read_parquet(str(path))
            column = _item_column(table.columns)
            if column is None:
                raise DataError(
                    f"{path}: has no item column (it has {', '.join(table.columns)}); call it "
                    "item_id"
                )
            name = table.columns[column].replace('"', '""')
            rows = table.project(f'CAST("{name}" AS VARCHAR)').distinct().fetchall()
        except duckdb.Error as error:
            raise DataError(f"{path}: not sound parquet: {error}") from None
    return [name for (name,) in rows if name is not None]


def _item_column(names: Sequence[str]) -> int | None:
    from ..data.read.columns import ITEM, USUAL, plain

    columns = [plain(name) for name in names]
    return next((columns.index(usual) for usual in USUAL[ITEM] if usual in columns), None)
