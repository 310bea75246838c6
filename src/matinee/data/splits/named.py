"""Splits that have a name: those that came with their data, and folders of a train and a test."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from ...base.atomic import scratch_folder
from ...errors import DataError, UsageError, nearest
from ..loading import load
from ..netflix.splits import NETFLIX_SPLITS, NetflixProbe, NetflixWindows
from ..ratings import Ratings
from ..read.source import Report
from ..sources.catalogue import CATALOGUE, DATASETS, UNDISTRIBUTED, NamedSplit
from ..sources.home import locate
from .files import weighted_reading
from .shared import join, share_vocabularies
from .subtract import subtract


class NamedParts(NamedTuple):
    """The parts of a split that has a name.

    Attributes:
        train: To train on.
        valid: The validation part, or None if the split has none.
        test: To test on.
    """

    train: Ratings
    valid: Ratings | None
    test: Ratings


NAMED_SPLITS: MappingProxyType[str, NamedSplit | NetflixWindows | NetflixProbe] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            *(split for dataset in DATASETS.values() for split in dataset.splits),
            *NETFLIX_SPLITS,
        )
    }
)
"""The splits of well-known data sets that have a name; ``DATASETS`` has their files."""


def named_split(
    name: str | Path, *, report: Report | None = None, **reading: Any
) -> tuple[Ratings, Ratings]:
    """Read a split that has a name, or one in a folder.

    Args:
        name: One of ``NAMED_SPLITS`` (``"ml-100k/u1"``, ``"netflix/3m"``); or a folder, or the
            name of one (in the data home, or given by ``add``), that has a ``train`` and a
            ``test`` file, such as ``split_files`` writes.
        report: Called with the progress, as by ``load``.
        **reading: Arguments of ``load`` for the files of a folder. Weights that ``split_files``
            wrote beside ratings are read without being named; ``weight="none"`` leaves them out.

    Returns:
        The training and the test part, with one vocabulary.

    Raises:
        UsageError: There is no split of that name, or it is one of ``NAMED_SPLITS``, which are
            read in one way, and ``reading`` states another.
        DataError: Its data is not on this machine, or cannot be read.
    """
    parts = _read(str(name), ("train", "test"), 0, report, reading)
    return parts.train, parts.test


def named_parts(name: str | Path, *, seed: int = 0, report: Report | None = None) -> NamedParts:
    """Read a named split with its validation part, if any.

    Args:
        name: As for ``named_split``; of a folder, a file ``valid`` is the validation part.
        seed: Seed of random choices: which half of Netflix's test month is the
            validation part. ``named_split`` has the test part of seed 0.
        report: Called with the progress, as by ``load``.

    Raises:
        UsageError: There is no split of that name.
        DataError: Its data is not on this machine, or cannot be read.
    """
    return _read(str(name), ("train", "valid", "test"), seed, report, {})


def given_part(name: str | Path, **reading: Any) -> Ratings | None:
    """Read the histories of the test users of a split by users.

    Returns:
        The histories; None if the split has none.
    """
    folder = Path(name) if Path(name).exists() else locate(str(name))
    files = sorted(folder.glob("given.*")) if folder is not None and folder.is_dir() else []
    if folder is None or not files:
        return None
    return load(files[0], allow_single=True, **weighted_reading(folder, reading))


def is_named_split(name: str) -> bool:
    """Return whether ``named_split`` supports a name or folder, judging by the files."""
    if name in NAMED_SPLITS:
        return True
    folder = Path(name) if Path(name).exists() else locate(name)
    return folder is not None and folder.is_dir() and _parts_in(folder) is not None


def _read(
    name: str,
    wanted: tuple[str, ...],
    seed: int,
    report: Report | None,
    reading: Mapping[str, Any],
) -> NamedParts:
    entry = NAMED_SPLITS.get(name)
    if entry is not None and reading:
        raise UsageError(
            f"--{next(iter(reading)).replace('_', '-')}: {name} is a split that is read in one "
            "way; name its files to read them otherwise"
        )
    if isinstance(entry, (NetflixWindows, NetflixProbe)):
        folder = locate(entry.dataset)
        if folder is None:
            message = UNDISTRIBUTED[entry.dataset]
            raise DataError(f"{name}: {entry.dataset} is not on this machine; {message}")
        train, valid, test = entry.read(folder, seed, report)
    else:
        with _split_paths(name, entry) as paths:
            # The validation part of a named split belongs to its training part.
            whole = entry is not None and "valid" in paths
            files = {part: paths[part] for part in paths if part in wanted or whole}
            if entry is None:
                reading = weighted_reading(paths["train"].parent, reading)
            # One user or one item is enough to validate and score by.
            read = {
                part: load(file, allow_single=part != "train", **reading)
                for part, file in files.items()
            }
        if "train" not in read:
            assert entry is not None
            read["train"], read["test"] = _rest(name, load(entry.dataset), read["test"])
        parts = dict(zip(read, share_vocabularies(*read.values()), strict=True))
        train, valid, test = parts["train"], parts.get("valid"), parts["test"]
        if valid is not None and "valid" not in wanted:
            train, valid = join(train, valid, name=name), None
    label = _without_folders(name)
    return NamedParts(
        replace(train, name=f"{label} train"),
        None if valid is None else replace(valid, name=f"{label} valid"),
        replace(test, name=f"{label} test"),
    )


def _without_folders(name: str) -> str:
    """Return the name of a split without the folders above it, which a served model would show."""
    path = Path(name)
    if not path.is_absolute():
        return name
    return "/".join(path.parts[-2:]) if path.name.startswith("fold-") else path.name


def _rest(name: str, whole: Ratings, test: Ratings) -> tuple[Ratings, Ratings]:
    """Return a data set without a test part, which must be contained in it, and that part."""
    rest, test, removed = subtract(whole, test)
    if removed != len(test):
        raise DataError(
            f"{name}: only {removed:,} of the {len(test):,} test pairs are in {whole.name}"
        )
    return rest, test


@contextmanager
def _split_paths(name: str, entry: NamedSplit | None) -> Iterator[dict[str, Path]]:
    """The files of a split by part, unpacked into a temporary folder if they are in a zip."""
    if entry is None:
        folder = Path(name) if Path(name).exists() else locate(name)
        part_files = _parts_in(folder) if folder is not None and folder.is_dir() else None
        if part_files is None:
            detail = f"{folder} holds no train and test file" if folder else "no such folder"
            raise UsageError(
                f"no split {name!r}{nearest(name, NAMED_SPLITS)} (named are "
                f"{', '.join(NAMED_SPLITS)}; as a folder: {detail})"
            )
        yield part_files
        return
    folder = locate(entry.dataset)
    if folder is None:
        get = f"`matinee data get {entry.dataset}` first"
        detail = get if entry.dataset in CATALOGUE else UNDISTRIBUTED[entry.dataset]
        raise DataError(f"{name}: {entry.dataset} is not on this machine; {detail}")
    with scratch_folder() as scratch:
        if folder.is_file() and zipfile.is_zipfile(folder):
            folder = _unpacked(folder, scratch)
        named = {"train": entry.train, "valid": entry.valid, "test": entry.test}
        files = {part: folder / file for part, file in named.items() if file}
        missing = next((file for file in files.values() if not file.is_file()), None)
        if missing is not None:
            # Such as the published train.txt and test.txt.
            other = _parts_in(folder) if folder.is_dir() and entry.name == entry.dataset else None
            if other is None:
                raise DataError(
                    f"{name}: {missing} is missing; is {folder} all of {entry.dataset}?"
                )
            files = other
        yield files


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
    """Return the files of a folder by part; None without a training or a test file."""
    by_part = {part: sorted(folder.glob(f"{part}.*")) for part in ("train", "valid", "test")}
    one = {part: files[0] for part, files in by_part.items() if len(files) == 1}
    return one if {"train", "test"} <= set(one) else None
