"""Text files as DuckDB reads them: UTF-8, with one kind of line end, without comments."""

from __future__ import annotations

import codecs
import re
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from ...errors import DataError
from .options import ReadOptions
from .source import Workspace
from .unpack import Part, head_of

_CHUNK = 1 << 20
_LINE_FEED = 10
_SAMPLE = 1 << 16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # which begin like those of UTF-16


def prepared(part: Part, work: Workspace, options: ReadOptions) -> Part:
    """Return the part itself, or a copy in the workspace if its bytes must be changed.

    Lines that are left out (``skip``, ``comment``) are blank in the copy, so that a line keeps
    its number.

    Raises:
        DataError: The bytes are not in the encoding stated.
    """
    with part.path.open("rb") as file:
        sample = file.read(_SAMPLE)
    encoding = _encoding(sample, options)
    changed = b"\r\r\n" in sample or options.skip or options.comment
    if encoding in ("", "utf-8-sig") and not changed:
        return part
    return _copied(part, work, options, encoding or "utf-8-sig")


def plain_json(part: Part, work: Workspace, options: ReadOptions) -> Part:
    """Return the part itself, or a copy in UTF-8 without a byte order mark, as DuckDB needs it."""
    encoding = _encoding(head_of(part), options)
    return _copied(part, work, ReadOptions(), encoding) if encoding else part


def _encoding(head: bytes, options: ReadOptions) -> str:
    """Return the stated encoding of a file, else that of its byte order mark; "" for neither."""
    if options.encoding not in (None, "utf-8"):
        return options.encoding
    if head.startswith(_UTF32):
        return "utf-32"
    if head.startswith(_UTF16):
        return "utf-16"
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else ""


def as_utf8(part: Part, work: Workspace, encoding: str | None = None) -> Part:
    """Return the part itself, or a UTF-8 copy of a text file in another encoding.

    Without a stated one it is Windows-1252, which has the letters of Latin-1, or else Latin-1, as
    in MovieLens. UTF-16 with a byte order mark is unchanged: ``open_files`` reads it.
    """
    if head_of(part).startswith((b"PAR1", *_UTF16)):
        return part
    content = part.path.read_bytes()
    for candidate in ("utf-8", *([encoding] if encoding else ("cp1252",))):
        with suppress(UnicodeDecodeError):
            content.decode(candidate)
            return part if candidate == "utf-8" else _copied(part, work, ReadOptions(), candidate)
    return _copied(part, work, ReadOptions(), "latin-1")


def with_stated_delimiter(part: Part, options: ReadOptions) -> ReadOptions:
    """Return the options with the delimiter that a first line ``sep=;`` states, as for Excel."""
    if options.delimiter is not None or options.skip:
        return options
    with part.path.open("rb") as file:
        match = re.match(rb"(?:\xef\xbb\xbf)?\"?sep=([,;|\t])\"?\r?\n", file.read(16))
    return (
        options if match is None else options.replace({"delimiter": match[1].decode(), "skip": 1})
    )


def with_plain_ends(part: Part, work: Workspace) -> Part:
    """Return a copy whose lines all end in a line feed."""
    return _copied(part, work, ReadOptions(), "utf-8-sig")


def count_lines(path: Path) -> int:
    """Count the lines of a text file, including blank ones."""
    count, last = 0, b"\n"
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            count += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == _LINE_FEED))
            last = chunk
    return count + (not last.endswith(b"\n"))


def has_backslash(path: Path) -> bool:
    """Return whether a file contains a quote mark escaped by a backslash."""
    with path.open("rb") as file:
        return any(b'\\"' in line for line in file)


def mixed_ends(path: Path) -> bool:
    """Return whether some lines of a file end in a carriage return and others do not."""
    with path.open("rb") as file:
        ends = {line.endswith(b"\r\n") for line in file if line.endswith(b"\n")}
        if file.tell():
            file.seek(-1, 2)
        return len(ends) > 1 or (bool(ends) and file.read(1) == b"\r")


def _copied(part: Part, work: Workspace, options: ReadOptions, encoding: str) -> Part:
    folder = Path(tempfile.mkdtemp(prefix="text", dir=work.folder))
    target = folder / re.sub(r"[*?\[]", "_", part.path.name)
    try:
        _write(part.path, target, options, encoding)
    except UnicodeError as error:
        raise DataError(
            f"{part.label}: is not {encoding} ({error}); state its encoding with --encoding, such "
            "as cp1252 or utf-16-le"
        ) from None
    return Part(target, part.label)


def _write(source: Path, target: Path, options: ReadOptions, encoding: str) -> None:
    # Two carriage returns and a line feed are one line end, as a transfer in text mode makes it.
    with (
        source.open("r", encoding=encoding, newline="") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        number, held = 0, ""
        while True:
            chunk = file.read(_CHUNK)
            text = held + chunk
            keep = len(text) if not chunk else max(text.rfind("\n") + 1, 0)
            held, text = text[keep:], text[:keep]
            lines = re.split(r"\r*\n|\r", text) if text else []
            if text.endswith("\n"):
                lines.pop()
            for line in lines:
                left_out = number < options.skip or (
                    options.comment and line.startswith(options.comment)
                )
                out.write("\n" if left_out else f"{line}\n")
                number += 1
            if not chunk:
                return
