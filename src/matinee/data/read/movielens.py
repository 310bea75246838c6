"""Where the ratings and the titles are in a folder or an archive, MovieLens layouts first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from ...errors import DataError

COMPRESSED = (".gz", ".bz2", ".xz")
_SEPARATED = (".csv", ".tsv", ".dat", ".data", ".base", ".test", ".inter")
TABLES = frozenset([*_SEPARATED, ".parquet", ".pq", ".json", ".jsonl", ".ndjson"])
_WHOLE = ("ratings", "rating", "bx-book-ratings", "book-ratings")
_TXT = ("rating", "interaction", "train", "test")
# ml-100k has u.item beside u.data and u1.base, ml-1m and ml-10m movies.dat, later ones
# movies.csv; the other names are common for such a table.
_MOVIELENS_ITEMS = ("movies.dat", "movies.csv", "u.item")
_COMMON_ITEMS = (
    *("items.csv", "items.tsv", "items.parquet", "movies.tsv", "movies.parquet"),
    *("books.csv", "bx-books.csv", "anime.csv"),
)
_ITEM_FILES = (*_MOVIELENS_ITEMS, *_COMMON_ITEMS)
_PEOPLE_FILES = (
    *("users.dat", "u.user", "users.csv", "users.tsv", "users.parquet"),
    *("people.csv", "people.tsv", "people.parquet", "bx-users.csv"),
)
PEOPLE_COLUMNS = {
    "users.dat": ("user_id", "gender", "age", "occupation", "zip"),
    "u.user": ("user_id", "age", "gender", "occupation", "zip"),
}
"""Columns of MovieLens' tables of people, which have no header."""
_SPARK = re.compile(r"part-[\w-]+")
"""Name of a part file of Hadoop and Spark without a suffix."""
# Other tables found beside ratings.
_GENOME = ("genome-scores", "genome-tags")
_OTHER = frozenset(
    [
        *("movies", "items", "users", "people", "tags", "links", "movie_titles"),
        *(*_GENOME, "manifest", "metadata", "trust"),
        *("books", "bx-books", "bx-users", "anime", "to_read", "book_tags"),
    ]
)

_HELD_OUT = frozenset({"test", "valid", "validation", "val"})
"""Words in the names of files that must not be mixed with those of train files."""

GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
"""The genres that the columns of u.item flag, in order."""


def bare(name: str) -> str:
    """Return a file's name without the suffix of its compression."""
    for suffix in COMPRESSED:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def stem(name: str) -> str:
    """Return a file's name without any suffix: ``ratings`` of ``ratings.csv.gz``.

    The two halves of a split of MovieLens-100K, u1.base and u1.test, keep theirs.
    """
    path = PurePosixPath(bare(name))
    return path.name if path.suffix in (".base", ".test") else path.stem or name


def is_table(name: str) -> bool:
    """Whether a file may be a table by its name; a text file is one if it is called ratings."""
    suffix = PurePosixPath(bare(name)).suffix.lower()
    if _SPARK.fullmatch(_base(name)):
        return True
    return suffix in TABLES or (suffix == ".txt" and _base(name).startswith(_TXT))


def choose(names: Sequence[str], label: str) -> list[str]:
    """Choose the files with the ratings among the relative paths in a folder or an archive.

    ``u.data`` or one called ``ratings``, if present; else every table that is not known to
    be something else, read as the parts of one.

    Raises:
        DataError: There is none, or the folder is a split, whose parts must not be mixed.
    """
    seen = [name for name in names if not _hidden(name)]
    tables = [name for name in seen if is_table(name)]
    whole = [
        name
        for name in tables
        if _base(name) == "u.data" or (stem(_base(name)) in _WHOLE and _base(name) != "ratings")
    ]
    if whole:
        depth = min(name.count("/") for name in whole)
        best = sorted(name for name in whole if name.count("/") == depth)
        if len(best) > 1:
            raise DataError(f"{label}: holds {' and '.join(best)}; name the one to read")
        return best
    parts = sorted(name for name in tables if not _is_other(stem(_base(name))))
    if not parts:
        listing = ", ".join(sorted(seen)[:8]) or "nothing"
        raise DataError(
            f"{label}: no ratings table in it; found {listing}; name the file to read, if it is one"
        )
    words = {name: set(re.split("[^a-z]+", stem(_base(name)))) for name in parts}
    train = next((name for name in parts if "train" in words[name]), None)
    if train is not None and any(each & _HELD_OUT for each in words.values()):
        names_of = ", ".join(parts[:4])
        raise DataError(
            f"{label}: holds a split ({names_of}), whose parts must not be mixed; name the part "
            f"to read, such as {label.rstrip('/')}/{train}"
        )
    return parts


def item_file(names: Sequence[str], beside: str) -> str | None:
    """Find the item table beside a ratings file, if any."""
    return _beside(names, beside, ".item", _ITEM_FILES)


def people_file(names: Sequence[str], beside: str) -> str | None:
    """Find the table of people beside a ratings file, if any."""
    return _beside(names, beside, ".user", _PEOPLE_FILES)


def _beside(names: Sequence[str], beside: str, suffix: str, usual: Sequence[str]) -> str | None:
    folder = PurePosixPath(beside).parent
    here = {
        bare(_base(name)): name for name in reversed(names) if PurePosixPath(name).parent == folder
    }
    same_stem = f"{stem(_base(beside))}{suffix}"  # RecBole's, named as the .inter file.
    return next(
        (here[name] for name in (same_stem, *usual) if name in here and here[name] != beside),
        None,
    )


def _base(name: str) -> str:
    return PurePosixPath(name).name.lower()


def _is_other(name: str) -> bool:
    return name in _OTHER or name.startswith("meta_")  # Amazon's products beside their reviews


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith((".", "_")) for part in parts)
