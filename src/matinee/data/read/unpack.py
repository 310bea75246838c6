"""Unpack compressed files, archives and pipes into plain files in the workspace."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ...errors import DataError
from .movielens import bare
from .source import Workspace, literal

ZIP = b"PK\x03\x04"
# What the standard library raises on damaged bytes.
_DAMAGE = (zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, LookupError)
# A table compresses 5 to 30 times; deflate at most 1,032 times: 2 MB may unpack to 2 GB.
_RATIO = 200
_SMALL = 256 << 20
"""Bytes to which any compressed file may unpack."""
# DuckDB treats these characters in a path as a pattern, even if a file has that name.
GLOB = "*?["


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


# What a file starts with, for it may be called anything.
_OPENERS: tuple[tuple[bytes, str, Callable[[Path], Any]], ...] = (
    (rb"\x1f\x8b", "gzip", gzip.open),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "bzip2", bz2.open),
    (rb"\xfd7zXZ\x00", "xz", lzma.open),
)


@dataclass(frozen=True)
class Part:
    """A file to read, and its name for messages."""

    path: Path
    label: str


def label_of(parts: Sequence[Part]) -> str:
    """Return what to call a table read from these files."""
    first = parts[0].label
    return first if len(parts) == 1 else f"{first} and {len(parts) - 1} more"


def paths_of(parts: Sequence[Part]) -> str:
    """Return the paths of files as a list in SQL."""
    return f"[{', '.join(literal(str(part.path)) for part in parts)}]"


def head_of(part: Part) -> bytes:
    """Return the first bytes of a file."""
    try:
        with part.path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise DataError(f"{part.label}: cannot read: {error.strerror}") from None


def members(part: Part, work: Workspace, pick: Callable[[list[str]], Sequence[str]]) -> list[Part]:
    """Return the members of a zip that are picked from its list, unpacked and checked.

    Raises:
        DataError: The zip is truncated, damaged or encrypted.
    """
    try:
        with zipfile.ZipFile(part.path) as archive:
            names = [name for name in archive.namelist() if name and not name.endswith("/")]
            if "[Content_Types].xml" in names:
                raise DataError(f"{part.label}: is an Excel workbook; save the sheet as csv")
            if names and all(name.endswith(".npy") for name in names):
                raise DataError(
                    f"{part.label}: is an archive of numpy; pass what scipy.sparse.load_npz or "
                    "numpy.load reads of it"
                )
            left = _room(part)
            parts = []
            for name in pick(names):
                extracted, size = _extract(archive, name, part, work, left)
                parts.append(extracted)
                left -= size
            return parts
    except (zipfile.BadZipFile, *_DAMAGE) as error:
        raise DataError(
            f"{part.label}: not a whole zip ({error}): it is truncated or damaged; download or "
            "copy it again"
        ) from None
    except (RuntimeError, NotImplementedError) as error:  # Encrypted, or an odd compression.
        raise DataError(f"{part.label}: cannot unpack ({error}); unpack it first") from None
    except OSError as error:
        raise DataError(f"{part.label}: cannot unpack: {error.strerror or error}") from None


def _extract(
    archive: zipfile.ZipFile, member: str, part: Part, work: Workspace, limit: int
) -> tuple[Part, int]:
    target = _fresh(work, Path(member).name)
    with archive.open(member) as file:
        size = _bounded(file, target, limit, part)
    return Part(target, f"{part.label}/{member}"), size


def _room(part: Part) -> int:
    """Bytes that a compressed file may unpack to."""
    return max(_SMALL, _RATIO * part.path.stat().st_size)


def _bounded(file: IO[bytes], target: Path, limit: int, part: Part) -> int:
    """Copy a stream into a file and count its bytes.

    Raises:
        DataError: There are more than ``limit``.
    """
    size = 0
    with target.open("wb") as out:
        while chunk := file.read(1 << 20):
            size += len(chunk)
            if size > limit:
                raise DataError(
                    f"{part.label}: unpacks to more than {_room(part) >> 20:,} MiB, from "
                    f"{part.path.stat().st_size / (1 << 20):.1f} MiB, as tables do not; if that is "
                    "right, unpack it first"
                )
            out.write(chunk)
    return size


def unpacked(part: Part, work: Workspace, below: str = "") -> Part:
    """Return the part itself, or a plain copy in the workspace if it is compressed or a pipe.

    ``below`` names the folders that the copy's path ends in, as in ``user=1``.
    """
    try:
        if part.path.is_file():
            head = head_of(part)
            for magic, kind, opener in _OPENERS:
                if re.match(magic, head):
                    return Part(_copy(part, opener, kind, work, below), part.label)
            path = str(part.path)
            if any(mark in path for mark in GLOB) or readable(path) != path:
                return Part(_copy(part, _plain, "", work, below), part.label)
            return part
        copied = _copy(part, _plain, "", work)
        return unpacked(Part(copied, part.label), work)
    except OSError as error:
        raise DataError(f"{part.label}: cannot read: {error.strerror or error}") from None


def _copy(
    part: Part, opener: Callable[[Path], Any], kind: str, work: Workspace, below: str = ""
) -> Path:
    target = _fresh(work, bare(part.path.name), below)
    try:
        with opener(part.path) as file:
            if opener is _plain:
                with target.open("wb") as out:
                    shutil.copyfileobj(file, out, 1 << 20)
            else:
                _bounded(file, target, _room(part), part)
    except (gzip.BadGzipFile, *_DAMAGE) as error:
        raise DataError(
            f"{part.label}: not a whole {kind} file ({error}): it is truncated or damaged; "
            "download or copy it again"
        ) from None
    return target


def readable(name: str) -> str:
    """Return a file name of bytes that are not UTF-8 as text that can be written and handed on."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _fresh(work: Workspace, name: str, below: str = "") -> Path:
    """Return an unused path in the workspace that ends in a name, in these folders."""
    folder = Path(tempfile.mkdtemp(prefix="part", dir=work.folder), below)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name.encode("ascii", "replace").decode().translate(str.maketrans(GLOB, "___"))
