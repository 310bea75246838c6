"""The text format of LightGCN: on each line a user, and then the items of that user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....errors import DataError
from ..source import Scan, Workspace, described
from ..text import shorten
from ..unpack import Part

_SAMPLE = 1 << 16
_LOOKED_AT = 20


def is_adjacency(path: Path) -> bool:
    """Return whether a text file has a user and then items on each line, by its first lines.

    They are whole numbers separated by spaces, of varying length, and no user occurs twice: lines
    of user, item, rating that lack a value do not look so.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    lines = sample.split(b"\n")
    # The last line may be truncated or empty.
    rows = [line.split() for line in lines[: max(1, len(lines) - 1)][:_LOOKED_AT] if line.strip()]
    if len(rows) < 2 or not all(re.fullmatch(rb"[\d \r]+", line) for line in lines[: len(rows)]):
        return False
    users, widths = {row[0] for row in rows}, {len(row) for row in rows}
    return len(users) == len(rows) and (len(widths) > 1 or min(widths) > 4)


def open_adjacency(parts: Sequence[Part], work: Workspace) -> Scan:
    """Open such files as one table of a user and an item.

    Raises:
        DataError: A line has other content, or no user has an item.
    """
    users: list[np.int64] = []
    pairs, starts = [], []
    for part in parts:
        with part.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                values = _numbers(line, f"{part.label}, line {number}")
                if len(values) > 1:
                    users.append(values[0])
                    pairs.append(values[1:])
                    starts.append(f"{part.label}, line {number}")
    if not pairs:
        raise DataError(f"{parts[0].label}: nobody has an item")
    counts = np.array([len(items) for items in pairs])
    ends = np.cumsum(counts)
    table = {"user": np.repeat(np.array(users, np.int64), counts), "item": np.concatenate(pairs)}
    work.con.register("adjacency", table)

    def locate(row: int) -> str:
        return starts[int(np.searchsorted(ends, row, side="right"))]

    return Scan("adjacency", described(work, "adjacency"), parts[0].label, locate)


def _numbers(line: bytes, location: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    words = line.split()
    try:
        return np.array(words, dtype=np.int64)
    except (ValueError, OverflowError):
        wrong = next((word for word in words if not word.isdigit()), words[0])
        text = shorten(wrong.decode("utf-8", errors="replace"))
        raise DataError(
            f"{location}: {text} is no whole number; expected a user and then items, with spaces "
            "between"
        ) from None
