"""Splits that have a name: those that came with their data, and folders of a train and a test."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ...base.atomic import scratch_folder
from ...errors import DataError, UsageError, nearest
from ..loading import load
from ..netflix.splits import NETFLIX_SPLITS, NetflixProbe, NetflixWindows
from ..ratings import ItemTable, Ratings, Scale
from ..read.source import Report
from ..sources.catalogue import CATALOGUE, UNDISTRIBUTED
from ..sources.home import locate
from ..vocabulary import Vocabulary


class NamedParts(NamedTuple):
    """The parts of a split that has a name.

    Attributes:
        train: To train on.
        valid: To validate by, or None where the split has no such part.
        test: To test on.
    """

    train: Ratings
    valid: Ratings | None
    test: Ratings


@dataclass(frozen=True)
class NamedSplit:
    """A split that came with its data, so that scores by it can be compared.

    Attributes:
        name: What to call it ("ml-100k/u1").
        dataset: The data set it is in.
        train: File of the training part, relative to the data set.
        test: File of the test part.
        description: One line.
    """

    name: str
    dataset: str
    train: str
    test: str
    description: str


def _canonical() -> Iterator[NamedSplit]:
    for fold in range(1, 6):
        yield NamedSplit(
            f"ml-100k/u{fold}",
            "ml-100k",
            f"u{fold}.base",
            f"u{fold}.test",
            f"80/20, fold {fold} of 5; the test parts are disjoint",
        )
    for letter in "ab":
        yield NamedSplit(
            f"ml-100k/u{letter}",
            "ml-100k",
            f"u{letter}.base",
            f"u{letter}.test",
            "10 test ratings of each user; ua and ub have disjoint test parts",
        )


NAMED_SPLITS: MappingProxyType[str, NamedSplit | NetflixWindows | NetflixProbe] = MappingProxyType(
    {entry.name: entry for entry in (*_canonical(), *NETFLIX_SPLITS)}
)
"""The splits of well-known data sets that have a name."""


def named_split(name: str | Path, *, report: Report | None = None) -> tuple[Ratings, Ratings]:
    """Read a split that has a name, or one in a folder.

    Args:
        name: One of ``NAMED_SPLITS`` (``"ml-100k/u1"``, ``"netflix/3m"``); or a folder, or the
            name of one (in the data home, or given by ``add``), that has a ``train`` and a
            ``test`` file, such as ``split_files`` writes.
        report: Told how far reading is, as by ``load``.

    Returns:
        The training and the test part, with one vocabulary.

    Raises:
        UsageError: There is no split of that name.
        DataError: Its data is not on this machine, or cannot be read.
    """
    parts = _read(str(name), ("train", "test"), 0, report)
    return parts.train, parts.test


def named_parts(name: str | Path, *, seed: int = 0, report: Report | None = None) -> NamedParts:
    """Read a split that has a name with its validation part, where it has one.

    Args:
        name: As for ``named_split``; of a folder, a file ``valid`` is the validation part.
        seed: Seed of what is left to chance: which half of Netflix's test month is the
            validation part. ``named_split`` has the test part of seed 0.
        report: Told how far reading is, as by ``load``.

    Raises:
        UsageError: There is no split of that name.
        DataError: Its data is not on this machine, or cannot be read.
    """
    return _read(str(name), ("train", "valid", "test"), seed, report)


def is_named_split(name: str) -> bool:
    """Whether ``named_split`` knows a name or folder, by a look at the files alone."""
    if name in NAMED_SPLITS:
        return True
    place = Path(name) if Path(name).exists() else locate(name)
    return place is not None and place.is_dir() and _parts_in(place) is not None


def share_vocabularies(*parts: Ratings) -> tuple[Ratings, ...]:
    """Recode ratings that were read apart by the ids of all of them together.

    Ids are text for all where they are text for one. A title is taken from the first part that
    has one for the item; the scale is that of all.
    """
    users = _union([part.user_ids for part in parts])
    items = _union([part.item_ids for part in parts])
    table = _union_table(parts, items)
    scale = Scale(min(p.scale.low for p in parts), max(p.scale.high for p in parts))
    return tuple(
        replace(
            part,
            users=users.encode(part.user_ids.ids)[part.users],
            items=items.encode(part.item_ids.ids)[part.items],
            user_ids=users,
            item_ids=items,
            item_table=table,
            scale=scale,
        )
        for part in parts
    )


def join(*parts: Ratings, name: str) -> Ratings:
    """Put the parts of a split together again; they must share their vocabularies."""
    times = [part.times for part in parts if part.times is not None]
    return replace(
        parts[0],
        users=np.concatenate([part.users for part in parts]),
        items=np.concatenate([part.items for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        times=np.concatenate(times) if len(times) == len(parts) else None,
        name=name,
        notes=tuple(note for part in parts for note in part.notes),
    )


def _read(name: str, wanted: tuple[str, ...], seed: int, report: Report | None) -> NamedParts:
    entry = NAMED_SPLITS.get(name)
    if isinstance(entry, (NetflixWindows, NetflixProbe)):
        place = locate(entry.dataset)
        if place is None:
            said = UNDISTRIBUTED[entry.dataset]
            raise DataError(f"{name}: {entry.dataset} is not on this machine; {said}")
        train, valid, test = entry.read(place, seed, report)
    else:
        with _split_paths(name, entry) as paths:
            files = {part: paths[part] for part in wanted if part in paths}
            parts = dict(zip(files, share_vocabularies(*map(load, files.values())), strict=True))
        train, valid, test = parts["train"], parts.get("valid"), parts["test"]
    return NamedParts(
        replace(train, name=f"{name} train"),
        None if valid is None else replace(valid, name=f"{name} valid"),
        replace(test, name=f"{name} test"),
    )


@contextmanager
def _split_paths(name: str, entry: NamedSplit | None) -> Iterator[dict[str, Path]]:
    """The files of a split by part, unpacked for the while if they are in a zip."""
    if entry is None:
        place = Path(name) if Path(name).exists() else locate(name)
        found = _parts_in(place) if place is not None and place.is_dir() else None
        if found is None:
            what = f"{place} holds no train and test file" if place else "no such folder"
            raise UsageError(
                f"no split {name!r}{nearest(name, NAMED_SPLITS)} (named are "
                f"{', '.join(NAMED_SPLITS)}; as a folder: {what})"
            )
        yield found
        return
    place = locate(entry.dataset)
    if place is None:
        get = f"`matinee data get {entry.dataset}`" if entry.dataset in CATALOGUE else "add it"
        raise DataError(f"{name}: {entry.dataset} is not on this machine; {get} first")
    with scratch_folder() as scratch:
        if place.is_file() and zipfile.is_zipfile(place):
            place = _unpacked(place, scratch)
        train, test = place / entry.train, place / entry.test
        for file in (train, test):
            if not file.is_file():
                raise DataError(f"{name}: {file} is missing; is {place} all of {entry.dataset}?")
        yield {"train": train, "test": test}


def _unpacked(archive: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if not info.is_dir():
                    # Flat: a MovieLens archive has its files in one folder.
                    target = folder / PurePosixPath(info.filename).name
                    target.write_bytes(opened.read(info))
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{archive}: not a sound zip archive ({error})") from None
    return folder


def _parts_in(folder: Path) -> dict[str, Path] | None:
    """The files of a folder by part; None where it has no training or no test file."""
    found = {part: sorted(folder.glob(f"{part}.*")) for part in ("train", "valid", "test")}
    one = {part: files[0] for part, files in found.items() if len(files) == 1}
    return one if {"train", "test"} <= set(one) else None


def _union(vocabularies: list[Vocabulary]) -> Vocabulary:
    first = vocabularies[0]
    if all(other == first for other in vocabularies[1:]):
        return first
    ids = [v.ids for v in vocabularies]
    if not all(v.numeric for v in vocabularies):
        ids = [v.ids.astype(str).astype(object) if v.numeric else v.ids for v in vocabularies]
    return Vocabulary(np.unique(np.concatenate(ids)))


def _union_table(parts: tuple[Ratings, ...], items: Vocabulary) -> ItemTable | None:
    tables = [(part.item_table, part.item_ids) for part in parts if part.item_table is not None]
    if not tables:
        return None
    titles = np.array([str(name) for name in items.ids], dtype=object)
    genres = np.empty(len(items), dtype=object)
    genres.fill(())
    for table, ids in reversed(tables):
        codes = items.encode(ids.ids)
        titles[codes] = table.titles
        if table.genres is not None:
            genres[codes] = table.genres
    return ItemTable(titles, genres if any(t.genres is not None for t, _ in tables) else None)
