"""Resolve a source to files: a path, a glob, a folder, an archive, or the name of a data set."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...base.text import without_password
from ...errors import DataError, UsageError, nearest
from ..netflix.find import is_netflix, netflix_folder, rating_files, titles_beside, titles_file
from .columns import listed
from .movielens import choose, is_table, item_file, people_file, stem
from .source import Workspace
from .stores.lake import Lake, lake_of, refuse_part
from .unpack import GLOB, ZIP, Part, head_of, members, readable, unpacked


@dataclass(frozen=True)
class Found:
    """The files of a source.

    Attributes:
        parts: The files of the table, in order.
        items: The item table beside them, if any.
        name: What to call the table.
        netflix: Whether the files have the Netflix Prize's form.
        partitions: The columns whose values are in the names of the folders, as in
            ``user=1/part-0.parquet``.
        lake: The format of the lake table that the one part, a folder, is.
        notes: Notes on automatic decisions, one sentence each.
        people: The table of people beside the files, if any.
    """

    parts: tuple[Part, ...]
    items: Part | None
    name: str
    netflix: bool = False
    lake: Lake | None = None
    partitions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    people: Part | None = None


def find(source: str | Path, work: Workspace) -> Found:
    """Find the files of a path, a glob or a name, unpacking archives.

    Raises:
        DataError: Nothing is found, or nothing readable, or a loose file of a lake table.
        UsageError: There is no such path, and no data set of that name.
    """
    found = _find(source, work)
    if found.lake is None:
        refuse_part(found.parts[0].path)
    return found


def _find(source: str | Path, work: Workspace) -> Found:
    inside = re.match(r"(.+?\.zip)/(.+)", str(source), re.IGNORECASE)
    if inside and (archive := Path(inside[1]).expanduser()).is_file():
        return _member(Part(archive, inside[1]), inside[2], work)
    path, name = _resolve(source)
    if path is None:
        matches = sorted(glob.glob(str(Path(source).expanduser()), recursive=True))  # noqa: PTH207
        files = [Path(match) for match in matches if Path(match).is_file()]
        if not files:
            raise DataError(f"{source}: no file matches")
        parts = [unpacked(Part(file, str(file)), work) for file in files]
        return _plain_files(parts, files[0], files[0].parent.name or "ratings")
    if path.is_dir():
        return _folder(path, name or path.resolve().name, work)
    part = Part(path, str(source))
    if path.is_file() and (path.suffix.lower() == ".zip" or head_of(part).startswith(ZIP)):
        return _archive(part, name or path.stem, work)
    return _plain_files([unpacked(part, work)], path, name or stem(path.name))


def find_all(sources: Sequence[str | Path], work: Workspace) -> Found:
    """Return the files of several sources, read as the parts of one table."""
    if not sources:
        raise UsageError("no ratings: the list of rows or files is empty")
    sources_found = [find(source, work) for source in sources]
    lake = next((one for one in sources_found if one.lake), None)
    if lake is not None and len(sources_found) > 1:
        raise UsageError(f"{lake.parts[0].label}: is a {lake.lake} table; read it by itself")
    parts = tuple(part for one in sources_found for part in one.parts)
    return Found(
        parts,
        sources_found[0].items,
        sources_found[0].name,
        any(one.netflix for one in sources_found),
        notes=tuple(note for one in sources_found for note in one.notes),
        people=sources_found[0].people,
    )


def _resolve(source: str | Path) -> tuple[Path | None, str | None]:
    """Return the path of a source and its name as given; no path for a glob."""
    from ..sources.catalogue import CATALOGUE, UNDISTRIBUTED
    from ..sources.home import data_home, locate, registered

    text = str(source)
    path = Path(source).expanduser()
    _check_path(path, text)
    if not text:  # It would mean the current folder.
        raise UsageError("the name of the data is empty, as of a shell's variable that is not set")
    first, *rest = path.parts or (text,)
    named = isinstance(source, str) and (first in CATALOGUE or first in registered())
    if named and not rest and text == first:  # "./ml-1m" and "ml-1m/" are paths
        located = locate(first)
        if located is not None:
            return located, first
    if path.exists():
        return path, None
    if isinstance(source, str):
        if rest and not path.is_absolute():
            home = locate(first)
            if home is not None and home.joinpath(*rest).exists():
                return home.joinpath(*rest), None
            if home is not None and home.is_dir() and not path.parent.is_dir():
                raise DataError(f"{text}: no such file in {home}{_near(home.joinpath(*rest))}")
        elif not rest:
            located = locate(first)
            if located is not None:
                return located, first
    _refuse_address(text, first)
    if any(mark in text for mark in GLOB):
        return None, None
    if named and first in CATALOGUE:
        raise DataError(
            f"{text} is not on this machine (looked in {data_home()}); "
            f"matinee data get {first}, or matinee data add {first} PATH if you have it"
        )
    if text in UNDISTRIBUTED:
        raise DataError(
            f"{text} is not on this machine (looked in {data_home()}); {UNDISTRIBUTED[text]}"
        )
    if len(path.parts) <= 1 and not path.suffix and isinstance(source, str):
        names = [*CATALOGUE, *registered()]
        raise UsageError(
            f"{text!r}: no such file, and no data set of that name{nearest(text, names)}; known: "
            f"{', '.join(names)}; matinee data add {text} PATH names data you have"
        )
    raise DataError(f"{text}: no such file{_near(path)}")


def _refuse_address(text: str, first: str) -> None:
    """Refuse URLs and standard input.

    Raises:
        UsageError: An address; the message says what to do instead.
    """
    if text == "-":
        raise UsageError("'-': to read from a pipe, give /dev/stdin")
    if text.startswith("file:/"):
        raise UsageError(f"{text}: is an address of a file; give its path alone")
    if re.match(r"[a-z][a-z0-9+]*:/", first + "/" if first.endswith(":") else text, re.IGNORECASE):
        raise UsageError(
            f"{without_password(text)}: is a URL, and nothing is downloaded unasked; download it "
            "first (curl -LO URL), or 'matinee data get NAME' for a known data set; of a database, "
            "give --database and --sql"
        )


def _check_path(path: Path, text: str) -> None:
    try:
        path.exists()
    except (OSError, ValueError) as error:  # A name too long, or with a zero byte, say.
        raise DataError(f"{text[:80]!r}: cannot be a path: {error}") from None


def _near(path: Path) -> str:
    folder = path.parent
    if path.is_symlink():
        return f" (it is a link to {path.readlink()})"
    if not folder.is_dir():
        return f" (there is no folder {folder})"
    return nearest(path.name, sorted(entry.name for entry in folder.iterdir()))


def _folder(folder: Path, name: str, work: Workspace) -> Found:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        inner = [entry for entry in folder.iterdir() if entry.is_dir()]
        netflix, titles = netflix_folder(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot read: {error.strerror}") from None
    lake = lake_of(folder, [entry.name for entry in inner])
    if lake is not None:
        return Found((Part(folder, str(folder)),), None, name, lake=lake)
    if netflix:
        return Found(tuple(unpacked(part, work) for part in netflix), titles, name, True)
    tables = any(map(is_table, names))
    if not tables and len(inner) == 1 and not _is_partition(inner[0].name):
        return _folder(inner[0], name, work)
    shown = [entry.name for entry in inner if not entry.name.startswith((".", "_"))]
    if not tables and shown and all(map(_is_partition, shown)):
        return _partitioned(folder, name, work)
    if not tables and shown:
        raise DataError(
            f"{folder}: holds no table, only folders ({listed(sorted(shown), 3)}); name one, or "
            f"all files by a quoted glob, such as '{folder}/*/*.csv'"
        )
    folds = sorted(one for one in shown if re.fullmatch(r"fold-\d+", one))
    if folds and not any(is_table(one) and one != "manifest.json" for one in names):
        raise DataError(
            f"{folder}: holds the folds of a split ({listed(folds, 3)}); name one, such as "
            f"{folder / folds[0]}"
        )
    chosen = choose(names, str(folder))
    parts = [unpacked(Part(folder / one, str(folder / one)), work) for one in chosen]
    notes = _joined(chosen, str(folder))
    return _with_tables(parts, folder / chosen[0], names, name, notes)


def _with_tables(
    parts: list[Part], first: Path, names: Sequence[str], name: str, notes: tuple[str, ...] = ()
) -> Found:
    """Return files with the tables of items and of people beside the first of them."""
    items, people = (
        None if beside is None else Part(first.with_name(beside), str(first.with_name(beside)))
        for beside in (item_file(names, first.name), people_file(names, first.name))
    )
    return Found(tuple(parts), items, name, notes=notes, people=people)


def _is_partition(name: str) -> bool:
    return re.fullmatch(r"[^=]+=[^=]*", name) is not None


def _partitioned(folder: Path, name: str, work: Workspace) -> Found:
    """Return the files of a folder of partitions, such as Spark writes.

    Raises:
        DataError: There are none, or they have different partitions.
    """
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and is_table(file.name)]
    files = [
        file
        for file in files
        if not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    ]
    keys = {
        tuple(part.partition("=")[0] for part in file.relative_to(folder).parts[:-1])
        for file in files
    }
    if len(keys) != 1:
        message = "no table" if not keys else "files below different partitions"
        raise DataError(f"{folder}: holds {message}; name the files to read")
    parts = tuple(
        unpacked(Part(file, str(file)), work, str(file.relative_to(folder).parent))
        for file in files
    )
    return Found(parts, None, name, partitions=keys.pop())


def _plain_files(parts: list[Part], first: Path, name: str) -> Found:
    """Return files named one by one, and the tables beside the first of them."""
    if is_netflix(parts[0]):
        return Found(tuple(parts), titles_beside(first.parent), name, True)
    if not first.is_file():
        return Found(tuple(parts), None, name)
    names = [entry.name for entry in first.parent.iterdir() if entry.is_file()]
    return _with_tables(parts, first, names, name)


def _joined(names: Sequence[str], label: str) -> tuple[str, ...]:
    """A note that several tables are read as one; none of part-00000 and the like."""
    if len(names) < 2 or all(Path(name).name.startswith("part-") for name in names):
        return ()
    shown = ", ".join(map(readable, names[:3])) + f" and {len(names) - 3:,} more" * (len(names) > 3)
    return (
        f"the {len(names):,} tables in {label} are read as one ({shown}); to read only one, "
        f"name it: {label}/{readable(names[0])}",
    )


def _member(archive: Part, member: str, work: Workspace) -> Found:
    """Return one file of a zip, named as in ``data.zip/train.csv``."""

    def pick(names: list[str]) -> list[str]:
        if member not in names:
            raise DataError(f"{archive.label}: holds no {member!r}{nearest(member, names)}")
        return [member]

    (part,) = members(archive, work, pick)
    return Found((unpacked(part, work),), None, stem(member))


def _archive(part: Part, name: str, work: Workspace) -> Found:
    beside: list[str | None] = [None, None]
    notes: list[str] = []

    def pick(names: list[str]) -> list[str]:
        netflix = rating_files(names, part.label)
        chosen = netflix or choose(names, part.label)
        beside[0] = titles_file(names) if netflix else item_file(names, chosen[0])
        beside[1] = None if netflix else people_file(names, chosen[0])
        notes.extend(() if netflix else _joined(chosen, part.label))
        return [*chosen, *filter(None, beside)]

    parts = members(part, work, pick)
    people = parts.pop() if beside[1] else None
    items = parts.pop() if beside[0] else None
    unpacked_parts = tuple(unpacked(one, work) for one in parts)
    netflix = is_netflix(unpacked_parts[0])
    return Found(unpacked_parts, items, name, netflix, notes=tuple(notes), people=people)
