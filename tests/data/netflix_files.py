"""Folders in the forms the Netflix Prize data comes in, small."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

Row = tuple[int, int, int, str]
"""Movie, user, rating, date."""


def sections(rows: Sequence[Row], end: str = "\n") -> list[tuple[int, str]]:
    """Movies and their text, in the order given."""
    return [
        (movie, f"{movie}:{end}" + "".join(f"{u},{r},{d}{end}" for _, u, r, d in group))
        for movie, group in groupby(rows, key=lambda row: row[0])
    ]


def write_mv(folder: Path, rows: Sequence[Row]) -> Path:
    """The original form: a file for each movie, below ``training_set``."""
    (folder / "training_set").mkdir(parents=True)
    for movie, text in sections(sorted(rows, key=lambda row: row[0])):
        (folder / "training_set" / f"mv_{movie:07}.txt").write_text(text)
    return folder


def write_combined(folder: Path, rows: Sequence[Row], files: int = 4) -> Path:
    """The other form: all movies in a few files."""
    folder.mkdir(parents=True)
    texts = [text for _, text in sections(rows)]
    per_file = -(-len(texts) // files)
    for number in range(-(-len(texts) // per_file)):
        part = texts[number * per_file : (number + 1) * per_file]
        (folder / f"combined_data_{number + 1}.txt").write_text("".join(part))
    return folder
