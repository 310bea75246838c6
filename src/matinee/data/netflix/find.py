"""Recognise the files of the Netflix Prize in a folder, in an archive, or by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ...errors import DataError
from ..read.movielens import bare
from ..read.unpack import Part, head_of

_RATINGS = re.compile(r"(mv|combined_data)_(\d+)\.txt", re.IGNORECASE)
_MOVIE_LINE = re.compile(rb"(\xef\xbb\xbf)?\d+:\r?\n")
_TITLES = ("movie_titles.txt", "movie_titles.csv")
_UNPACKED = "training_set"
_PACKED = "training_set.tar"


def is_netflix(part: Part) -> bool:
    """Whether a file is one of the Netflix Prize's ratings, by its name or its first line."""
    named = _RATINGS.fullmatch(PurePosixPath(bare(part.label)).name)
    return named is not None or _MOVIE_LINE.match(head_of(part)) is not None


def is_titles(part: Part) -> bool:
    """Return whether a file is called like the Netflix Prize's table of titles."""
    return PurePosixPath(bare(part.label)).name.lower() in _TITLES


def rating_files(names: Sequence[str], label: str) -> list[str]:
    """Return the rating files among relative paths, by number; empty for other data.

    Raises:
        DataError: Both forms exist, which contain the same ratings.
    """
    by_part: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = _RATINGS.fullmatch(PurePosixPath(bare(name)).name)
        if match:
            by_part.setdefault(match[1].lower(), []).append((int(match[2]), name))
    if len(by_part) > 1:
        raise DataError(
            f"{label}: holds both mv_*.txt and combined_data_*.txt, which are the same ratings; "
            f"name one of them, such as '{label.rstrip('/')}/combined_data_*.txt'"
        )
    return [name for files in by_part.values() for _, name in sorted(files)]


def titles_file(names: Sequence[str]) -> str | None:
    """Return the table of titles among relative paths, if any."""
    return next((name for name in names if PurePosixPath(name).name.lower() in _TITLES), None)


def netflix_folder(folder: Path) -> tuple[list[Part], Part | None]:
    """Return a folder's rating files and its table of titles; no files for other data.

    The files may be in the folder or, as the original archive unpacks, in ``training_set``.

    Raises:
        DataError: They are still packed, or are there in two forms.
    """
    for candidate in (folder, folder / _UNPACKED):
        if candidate.is_dir():
            files = rating_files([entry.name for entry in candidate.iterdir()], str(candidate))
            if files:
                parts = [Part(candidate / name, str(candidate / name)) for name in files]
                return parts, titles_beside(candidate)
    if (folder / _PACKED).is_file():
        raise DataError(
            f"{folder}: the ratings are still packed in {_PACKED}; unpack it there: "
            f"tar -xf {_PACKED}"
        )
    return [], None


def titles_beside(folder: Path) -> Part | None:
    """The table of titles in the folder of the ratings, or in the one above ``training_set``."""
    folders = [folder, folder.parent] if folder.name == _UNPACKED else [folder]
    for candidate in folders:
        name = titles_file([entry.name for entry in candidate.iterdir()])
        if name is not None:
            return Part(candidate / name, str(candidate / name))
    return None
