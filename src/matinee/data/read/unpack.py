"""Compressed files, archives and pipes, made plain files in the workspace."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ...errors import DataError
from .movielens import bare
from .source import Workspace

ZIP = b"PK\x03\x04"
# What the standard library raises on damaged bytes.
_DAMAGE = (zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, LookupError)
# DuckDB reads these marks in a path as a pattern, even where a file is called so.
GLOB = "*?["


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _gzip(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb"))


def _bzip2(path: Path) -> IO[bytes]:
    return cast(IO[bytes], bz2.open(path, "rb"))


def _xz(path: Path) -> IO[bytes]:
    return cast(IO[bytes], lzma.open(path, "rb"))


# What a file starts with, for it may be called anything.
_OPENERS: tuple[tuple[bytes, str, Callable[[Path], IO[bytes]]], ...] = (
    (rb"\x1f\x8b", "gzip", _gzip),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "bzip2", _bzip2),
    (rb"\xfd7zXZ\x00", "xz", _xz),
)


@dataclass(frozen=True)
class Part:
    """A file to read, and what the user knows it as."""

    path: Path
    label: str


def head_of(part: Part) -> bytes:
    """The first bytes of a file."""
    try:
        with part.path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise DataError(f"{part.label}: cannot read: {error.strerror}") from None


def members(part: Part, work: Workspace, pick: Callable[[list[str]], Sequence[str]]) -> list[Part]:
    """The members of a zip that are picked from its list, unpacked and checked.

    Raises:
        DataError: The zip is truncated, damaged or encrypted.
    """
    try:
        with zipfile.ZipFile(part.path) as archive:
            names = [name for name in archive.namelist() if name and not name.endswith("/")]
            if "[Content_Types].xml" in names:
                raise DataError(f"{part.label}: is an Excel workbook; save the sheet as csv")
            return [_extract(archive, name, part.label, work) for name in pick(names)]
    except (zipfile.BadZipFile, *_DAMAGE) as error:
        raise DataError(
            f"{part.label}: not a whole zip ({error}): it is truncated or damaged; download or "
            "copy it again"
        ) from None
    except (RuntimeError, NotImplementedError) as error:  # Encrypted, or an odd compression.
        raise DataError(f"{part.label}: cannot unpack ({error}); unpack it first") from None
    except OSError as error:
        raise DataError(f"{part.label}: cannot unpack: {error.strerror or error}") from None


def _extract(archive: zipfile.ZipFile, member: str, label: str, work: Workspace) -> Part:
    target = _fresh(work, Path(member).name)
    with archive.open(member) as file, target.open("wb") as out:
        shutil.copyfileobj(file, out, 1 << 20)
    return Part(target, f"{label}/{member}")


def unpacked(part: Part, work: Workspace) -> Part:
    """The part itself, or a plain copy in the workspace where it is compressed or a pipe."""
    try:
        if part.path.is_file():
            head = head_of(part)
            for magic, kind, opener in _OPENERS:
                if re.match(magic, head):
                    return Part(_copy(part, opener, kind, work), part.label)
            if any(mark in str(part.path) for mark in GLOB):
                return Part(_copy(part, _plain, "", work), part.label)
            return part
        copied = _copy(part, _plain, "", work)
        return unpacked(Part(copied, part.label), work)
    except OSError as error:
        raise DataError(f"{part.label}: cannot read: {error.strerror or error}") from None


def _copy(part: Part, opener: Callable[[Path], IO[bytes]], kind: str, work: Workspace) -> Path:
    target = _fresh(work, bare(part.path.name))
    try:
        with opener(part.path) as file, target.open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    except (gzip.BadGzipFile, *_DAMAGE) as error:
        raise DataError(
            f"{part.label}: not a whole {kind} file ({error}): it is truncated or damaged; "
            "download or copy it again"
        ) from None
    return target


def _fresh(work: Workspace, name: str) -> Path:
    """A path in the workspace where nothing is, ending in a name."""
    folder = work.folder / f"part{len(list(work.folder.iterdir()))}"
    folder.mkdir()
    return folder / name.translate(str.maketrans(GLOB, "___"))
