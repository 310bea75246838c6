"""JSON tables: one object a line, or an array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ...errors import DataError
from .source import Scan, Workspace, literal, quoted, reason
from .text import shorten

# Keys are looked for in this many objects; one that first comes later is not seen.
_SAMPLE = 20_480


def open_json(paths: list[Path], labels: list[str], work: Workspace) -> Scan:
    """Open files of JSON objects as one table, every value as text.

    Raises:
        DataError: A file is no JSON, or holds no objects.
    """
    files = ", ".join(literal(str(path)) for path in paths)
    label = labels[0] if len(labels) == 1 else f"{labels[0]} and {len(labels) - 1} more"
    try:
        rows = work.con.execute(
            f"DESCRIBE SELECT * FROM read_json([{files}], sample_size={_SAMPLE}, records=true, "
            "compression='uncompressed')"
        ).fetchall()
    except duckdb.Error as error:
        said = reason(error)
        for path, one in zip(paths, labels, strict=True):
            said = said.replace(str(path), one)
        raise _first_fault(paths, labels) or DataError(f"{label}: {said}") from None
    names = [str(row[0]) for row in rows]
    if rows and all(str(row[1]).startswith(("STRUCT", "MAP")) for row in rows):
        raise DataError(
            f"{label}: holds columns ({', '.join(names[:4])}), not rows, as pandas' to_json "
            "writes them; write rows: df.to_json(path, orient='records', lines=True)"
        )
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)

    def place(row: int) -> str:
        for path, one in zip(paths, labels, strict=True):
            lines = _lines(path)
            if lines is None:
                count = int(work.one(f"SELECT count(*) FROM read_json({literal(str(path))})")[0])
                if row < count:
                    return f"{one}, object {row + 1}"
                row -= count
            else:
                if row < len(lines):
                    return f"{one}, line {lines[row]}"
                row -= len(lines)
        return labels[-1]

    return Scan(
        relation=f"read_json([{files}], compression='uncompressed', columns={{{columns}}})",
        columns={name: (quoted(name), "VARCHAR") for name in names},
        header=True,
        label=label,
        place=place,
        explain=lambda: _first_fault(paths, labels),
    )


def _lines(path: Path) -> list[int] | None:
    """The line of each object, or None where objects and lines are not one to one."""
    found: list[int] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            text = line.strip()
            if text and not (text.startswith(b"{") and text.endswith(b"}")):
                return None
            if text:
                found.append(number)
    return found


def _first_fault(paths: Sequence[Path], labels: Sequence[str]) -> DataError | None:
    for path, label in zip(paths, labels, strict=True):
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if number == 1 and line.lstrip().startswith(b"["):
                    break  # An array: its lines are not objects.
                fault = _fault(line)
                if fault:
                    return DataError(f"{label}, line {number}: {fault}")
    return None


def _fault(line: bytes) -> str:
    if not line.strip():
        return ""
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte 0x{line[error.start]:02x}); save the file as UTF-8"
    except (ValueError, RecursionError) as error:
        text = re.sub(r": line 1 column (\d+).*", r" at column \1", str(error))
        return f"not JSON ({text}): {shorten(line.decode('utf-8', 'replace').strip())}"
    if not isinstance(value, dict):
        return f"expected an object with user, item and rating: {shorten(str(value))}"
    return ""
