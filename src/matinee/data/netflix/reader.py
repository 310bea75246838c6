"""Read the ratings of the Netflix Prize, 100 million lines, by a compiled parser in blocks.

Bennett & Lanning, The Netflix Prize, KDD Cup and Workshop 2007.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ...base.arrays import Int32, Int64
from ...errors import DataError
from ..encode import Encoded
from ..ratings import Scale
from ..read.source import Report
from ..read.unpack import Part, label_of
from ..vocabulary import Vocabulary
from ._kernels import bucket_movies, count_users, parse_lines, place_range
from .text import fault

RATINGS = 100_480_507
"""Of the original."""
STARS = Scale(1.0, 5.0)

_BLOCK = 1 << 22
# A line has at most 30 bytes; a longer one is invalid.
_LONGEST = 1 << 12
_SHORTEST = len("1,1,2005-09-06\n")
_SHORTEST_MOVIE = len("1:\n")
_BOM = b"\xef\xbb\xbf"
# Users up to here are looked up by their id; the original has none above 2,649,429.
_DENSE = 1 << 26
_RANGES = 128


def read_netflix(
    parts: Sequence[Part], scale: Scale | None, report: Report | None
) -> tuple[Encoded, tuple[str, ...]]:
    """Read rating files: ``movie:`` lines, each with its ``user,rating,YYYY-MM-DD`` lines below.

    Beyond the result (20 bytes a rating) it needs 8 bytes a rating, and the two are not held at
    their largest at the same time.

    Args:
        parts: The files, plain.
        scale: The stated range of the ratings; 1 to 5 if left out.
        report: Called with every block read ("reading", bytes so far, bytes in all), then of every
            range of users put in order ("ordering", ranges so far, ranges in all).

    Returns:
        The rows ordered by user and movie, including repeats, and notes.

    Raises:
        DataError: A line that cannot be read: the message names the file and the line.
    """
    sizes = [_size(part) for part in parts]
    lines = _Lines(len(parts), sum(sizes), scale or STARS)
    total = 0
    for part, size in zip(parts, sizes, strict=True):
        for n_bytes in lines.read(part, size):
            total += n_bytes
            if report is not None:
                report("reading", total, sum(sizes))
    if not lines.rows:
        raise DataError(f"{label_of(parts)}: holds no ratings")
    encoded = _ordered(lines, report)
    rows = len(encoded.values)
    if RATINGS // 2 < rows < RATINGS:
        message = f"{rows:,} ratings, where the original has {RATINGS:,}"
        return encoded, (f"{message}: a file is missing, or was cut at a line",)
    return encoded, ()


def locations_of(parts: Sequence[Part], user: int, movie: int) -> Iterator[str]:
    """Yield where a user rated a movie: "combined_data_1.txt, line 14", in order."""
    start = f"{user},".encode()
    for part in parts:
        in_movie = False
        with part.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if b":" in line:
                    in_movie = int(line.removeprefix(_BOM).split(b":")[0]) == movie
                elif in_movie and line.startswith(start):
                    yield f"{part.label}, line {number}"


class _Lines:
    """The rows of the files, in their order."""

    def __init__(self, n_files: int, size: int, scale: Scale) -> None:
        self._low = max(0, math.ceil(scale.low))
        self._high = min(9, math.floor(scale.high))
        # The largest possible number; unwritten memory is not allocated.
        capacity = size // _SHORTEST + n_files
        self._users = np.empty(capacity, dtype=np.int32)
        self._marks = np.empty(capacity, dtype=np.int32)
        self.rows = 0
        self._sections: list[tuple[Int32, Int64]] = []
        self._buffer = bytearray(_LONGEST + _BLOCK + 1)
        self._text = np.frombuffer(self._buffer, dtype=np.uint8)
        self._movies = np.empty(len(self._buffer) // _SHORTEST_MOVIE + 1, dtype=np.int32)
        self._starts = np.empty(len(self._movies), dtype=np.int64)
        # Of the file being read.
        self._line = 0
        self._headed = False

    def read(self, part: Part, size: int) -> Iterator[int]:
        """Read that many bytes of a file, yielding the size of each block."""
        self._line, self._headed = 0, False
        left, leftover = size, 0
        view = memoryview(self._buffer)
        try:
            with part.path.open("rb", buffering=0) as file:
                while left:
                    n_bytes = file.readinto(view[leftover : leftover + min(_BLOCK, left)])
                    if not n_bytes:
                        raise DataError(f"{part.label}: became shorter while it was read")
                    left -= n_bytes
                    end = leftover + n_bytes
                    cut = not left and self._buffer[end - 1] != ord("\n")
                    if cut:
                        self._buffer[end] = ord("\n")
                        end += 1
                    whole = self._buffer.rfind(b"\n", 0, end) + 1
                    self._parse(part, whole, cut)
                    leftover = end - whole
                    self._check_width(part, leftover)
                    self._buffer[:leftover] = self._buffer[whole:end]
                    yield n_bytes
        except OSError as error:
            raise DataError(f"{part.label}: cannot read: {error.strerror}") from None

    def _parse(self, part: Part, end: int, cut: bool) -> None:
        """Read the whole lines in the buffer; ``cut`` is that the last had no end in the file."""
        skip = len(_BOM) if not self._line and self._buffer.startswith(_BOM) else 0
        text = self._text[skip:end]
        at, self.rows, n_movies, lines = parse_lines(
            text, len(text), self._headed, self._low, self._high, self.rows,
            self._users, self._marks, self._movies, self._starts,
        )  # fmt: skip
        self._line += lines
        self._headed = self._headed or n_movies > 0
        if at < len(text):
            line = bytes(text[at : at + _LONGEST]).split(b"\n")[0].removesuffix(b"\r")
            last = at + len(line) + 1 >= len(text)
            reason = fault(
                line, headed=self._headed, cut=cut and last, low=self._low, high=self._high
            )
            raise DataError(f"{part.label}, line {self._line + 1}: {reason}")
        if n_movies:
            self._sections.append((self._movies[:n_movies].copy(), self._starts[:n_movies].copy()))

    def _check_width(self, part: Part, leftover: int) -> None:
        if leftover > _LONGEST:
            raise DataError(
                f"{part.label}, line {self._line + 1}: has no end within {_LONGEST:,} bytes; this "
                "is no text, or another kind of file"
            )

    def give(self) -> tuple[Int32, Int32, Int32, Int64]:
        """Return users, ratings, movies with rows, and the start of each (and the end).

        The object drops its references, so that the caller can free the arrays.
        """
        users, marks = self._users[: self.rows], self._marks[: self.rows]
        del self._users, self._marks
        movies = np.concatenate([movies for movies, _ in self._sections])
        starts = np.concatenate([*(starts for _, starts in self._sections), [self.rows]])
        rated = np.flatnonzero(np.diff(starts))
        return users, marks, movies[rated], starts[np.append(rated, len(movies))]


def _ordered(lines: _Lines, report: Report | None) -> Encoded:
    """Number the users and movies, and bring the rows into their order."""
    users, marks, movies, starts = lines.give()
    movie_ids, places = np.unique(movies, return_inverse=True)
    codes = places.astype(np.int32)
    user_ids, counts = _user_keys(users)
    rows, keys = len(users), len(counts)
    # Enough ranges to fit the cache, but fewer if there are many short movies.
    ranges = max(1, min(_RANGES, rows // len(movies)))
    shift = max(0, math.ceil(math.log2(keys / ranges)))
    bounds = np.empty((len(movies), ((keys - 1) >> shift) + 2), dtype=np.int64)
    bucket_movies(starts, users, marks, shift, bounds)
    free = np.cumsum(counts) - counts
    items = np.empty(rows, dtype=np.int32)
    values = np.empty(rows, dtype=np.float32)
    times = np.empty(rows, dtype=np.int64)
    order = np.argsort(movies, kind="stable")
    total = bounds.shape[1] - 1
    for chosen in range(total):
        place_range(
            chosen, order, codes, bounds, users, marks, free, items, values, times,
        )  # fmt: skip
        if report is not None:
            report("ordering", chosen + 1, total)
    del users, marks
    per_user = counts[counts > 0]
    return Encoded(
        np.repeat(np.arange(len(user_ids), dtype=np.int32), per_user),
        items,
        values,
        times,
        Vocabulary(user_ids),
        Vocabulary(movie_ids.astype(np.int64)),
    )


def _user_keys(users: Int32) -> tuple[Int64, Int64]:
    """Return the distinct users, and the number of rows of each key.

    A key is the id itself; if ids are large, ``users`` is overwritten with their ranks.
    """
    largest = int(users.max())
    if largest < _DENSE:
        counts = np.zeros(largest + 1, dtype=np.int64)
        count_users(users, counts)
        return np.flatnonzero(counts), counts
    ids = np.unique(users)
    users[:] = np.searchsorted(ids, users)
    return ids.astype(np.int64), np.bincount(users)


def _size(part: Part) -> int:
    try:
        size = part.path.stat().st_size
    except OSError as error:
        raise DataError(f"{part.label}: cannot read: {error.strerror}") from None
    if not size:
        raise DataError(f"{part.label}: is empty; copy or unpack it again")
    return size
