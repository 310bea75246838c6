"""The splits of the Netflix Prize data that have a name: the paper's four windows, and the probe.

The windows are those of Kuchaiev & Ginsburg, Training Deep AutoEncoders for Collaborative
Filtering, arXiv 1708.01715, section 3.1; their counts are in the paper and in its code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...base.arrays import Int32, Int64
from ...errors import DataError
from ..loading import load
from ..ratings import Ratings
from ..read.source import Report
from ..read.text import shorten
from ..splits.windows import Window, apart, cut, window_split
from .reader import RATINGS

DATASET = "netflix"
_PROBE = "probe.txt"
_TEST = 1

Parts = tuple[Ratings, Ratings | None, Ratings]


@dataclass(frozen=True)
class NetflixWindows:
    """One of the paper's four windows.

    Attributes:
        name: What to call it ("netflix/3m").
        train: The window to train on.
        test: The month divided into validation and test halves.
        counts: What the paper counts on the original: training ratings, users and items, and test
            ratings of both halves.
        description: One line.
        dataset: The data set it is in.
    """

    name: str
    train: Window
    test: Window
    counts: tuple[int, int, int, int]
    description: str
    dataset: str = DATASET

    def read(self, folder: Path, seed: int, report: Report | None) -> Parts:
        """Return the training, validation and test part of the data in a folder."""
        held = [load(folder, report=report)]
        original = len(held[0]) == RATINGS
        # Popped, since window_split needs less memory if it has the only reference.
        train, valid, test = window_split(held.pop(), self.train, self.test, seed)
        if original:
            train = replace(train, notes=(*train.notes, *self._differing(train, valid, test)))
        return train, valid, test

    def _differing(self, train: Ratings, valid: Ratings, test: Ratings) -> Iterator[str]:
        sizes = (len(train), train.n_users, train.n_items, len(valid) + len(test))
        names = ("training ratings", "training users", "training items", "test ratings")
        for name, have, want in zip(names, sizes, self.counts, strict=True):
            if have != want:
                yield f"{have:,} {name}, where the paper counts {want:,}: this is other data"


@dataclass(frozen=True)
class NetflixProbe:
    """The probe set of the contest: the pairs of ``probe.txt``, to be held out of the ratings.

    Attributes:
        name: What to call it ("netflix/probe").
        description: One line.
        dataset: The data set it is in.
    """

    name: str = f"{DATASET}/probe"
    description: str = "the contest's probe set of 1,408,395 ratings; no validation part"
    dataset: str = DATASET

    def read(self, folder: Path, seed: int, report: Report | None) -> Parts:
        """Return the training and the test part of the data in a folder; nothing is random."""
        probe = _probe_file(folder)
        rest, columns = apart(load(folder, report=report))
        users, items = _pairs(probe)
        rows = _rows(columns["users"], columns["items"], rest, users, items)
        probe_rows = rows[rows >= 0]
        if not len(probe_rows) or len(probe_rows) == len(columns["users"]):
            raise DataError(f"{probe}: its pairs are none or all of the ratings; is it theirs?")
        part = np.zeros(len(columns["users"]), dtype=np.int8)
        part[probe_rows] = _TEST
        train, test = cut(rest, columns, part, 2)
        missing = len(rows) - len(probe_rows)
        notes = (f"{missing:,} pairs of {probe.name} have no rating",) if missing else ()
        return train, None, replace(test, notes=notes)


def _window(
    name: str, start: str, cut: str, stop: str, counts: tuple[int, int, int, int]
) -> NetflixWindows:
    """Return the window trained on from a month until another, and tested until a third."""
    last = np.datetime64(cut) - 1
    return NetflixWindows(
        f"{DATASET}/{name}",
        (f"{start}-01", f"{cut}-01"),
        (f"{cut}-01", f"{stop}-01"),
        counts,
        f"trained on {start} to {last}; half of {cut} to validate by, half to test on",
    )


NETFLIX_SPLITS: tuple[NetflixWindows | NetflixProbe, ...] = (
    _window("full", "1999-12", "2005-12", "2006-01", (98_074_901, 477_412, 17_768, 2_250_481)),
    _window("3m", "2005-09", "2005-12", "2006-01", (13_675_402, 311_315, 17_736, 2_082_559)),
    _window("6m", "2005-06", "2005-12", "2006-01", (29_179_009, 390_795, 17_757, 2_175_535)),
    _window("1y", "2004-06", "2005-06", "2005-07", (41_451_832, 345_855, 16_907, 3_888_684)),
    NetflixProbe(),
)
"""They are found in the data set ``netflix``: in the data home, or as registered by ``add``."""


def _probe_file(source: Path) -> Path:
    for folder in (source, source.parent):
        if (folder / _PROBE).is_file():
            return folder / _PROBE
    raise DataError(f"{source}: has no {_PROBE}; copy it there from the original archive")


def _pairs(probe: Path) -> tuple[Int64, Int64]:
    """Return the users and movies of a file of ``movie:`` lines with a user on each line below."""
    users: list[int] = []
    movies: list[int] = []
    movie = -1
    with probe.open("rb") as file:
        for number, line in enumerate(file, start=1):
            value = line.strip()
            digits = value.removesuffix(b":")
            if not digits:
                continue
            if not digits.isdigit() or len(digits) > 10 or (movie < 0 and digits == value):
                raise DataError(
                    f"{probe}, line {number}: {shorten(value.decode('latin-1'))} is neither a "
                    "movie, as in '1:', nor a user below one; copy the file again"
                )
            if digits != value:
                movie = int(digits)
            else:
                users.append(int(digits))
                movies.append(movie)
    return np.array(users, dtype=np.int64), np.array(movies, dtype=np.int64)


def _rows(
    users: Int32,
    items: Int32,
    rest: Ratings,
    user_ids: Int64,
    item_ids: Int64,
) -> Int64:
    """Return the row of each pair of ids, -1 if none; rows are ordered by user and item."""
    starts = np.searchsorted(users, np.arange(rest.n_users + 1, dtype=np.int32))
    pairs = zip(rest.user_ids.encode(user_ids), rest.item_ids.encode(item_ids), strict=True)
    rows = np.full(len(user_ids), -1, dtype=np.int64)
    for at, (user, item) in enumerate(pairs):
        if user >= 0 and item >= 0:
            first, last = starts[user], starts[user + 1]
            row = first + np.searchsorted(items[first:last], item)
            if row < last and items[row] == item:
                rows[at] = row
    return rows
