"""JSON tables: one object a line, or an array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ...errors import DataError
from .columns import ITEM, USER, recognised
from .source import (
    Scan,
    Workspace,
    flattened,
    is_nested,
    literal,
    quoted,
    reason,
)
from .text import shorten
from .unpack import Part, label_of, paths_of

# Keys are collected from this many objects; later new keys are ignored.
_SAMPLE = 20_480
_MOST_MIB = 16
"""Of one object, as DuckDB reads them."""


def open_json(parts: Sequence[Part], work: Workspace) -> Scan:
    """Open files of JSON objects as one table, every value as text.

    Raises:
        DataError: A file is not JSON, or has no objects.
    """
    files, label = paths_of(parts), label_of(parts)
    read = f"read_json({files}, sample_size={_SAMPLE}, records=true, compression='uncompressed')"
    try:
        types = work.con.sql(f"SELECT * FROM {read} LIMIT 0")
        names = types.columns
        lists = [k for k, kind in zip(names, types.types, strict=True) if _is_rows(kind)]
        inside = bool(lists) and not recognised(names, (USER, ITEM), {})
        first_rows = []
        if inside or (len(names) > 1 and all(map(is_nested, types.types))):
            first_rows = work.con.execute(f"SELECT 1 FROM {read} LIMIT 2").fetchall()
    except duckdb.Error as error:
        if fault := _first_fault(parts):
            raise fault from None
        if "non-record" in str(error):
            return _open_objects(files, parts, work)
        if "maximum_object_size" in str(error):
            raise DataError(
                f"{label}: one object of more than {_MOST_MIB} MiB is no row; write a line for "
                "each rating: df.to_json(path, orient='records', lines=True), or if the rows are "
                "inside KEY: jq -c '.KEY[]' FILE > NEW"
            ) from None
        message = reason(error)
        for part in parts:
            message = message.replace(str(part.path), part.label)
        raise DataError(f"{label}: {message}") from None
    if len(first_rows) == 1 and inside and set(names) != {"schema", "data"}:
        raise DataError(
            f"{label}: the rows are inside {lists[0]!r}; write them alone, a line for each: "
            f"jq -c '.{lists[0]}[]' FILE > NEW"
        )
    if len(first_rows) == 1 or set(names) == {"columns", "index", "data"}:
        raise DataError(
            f"{label}: holds columns ({', '.join(names[:4])}), not rows, as pandas' to_json "
            "writes them; write rows: df.to_json(path, orient='records', lines=True)"
        )
    texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    values = map(quoted, names)
    return _scan(
        f"read_json({files}, compression='uncompressed', columns={{{texts}}})",
        flattened(zip(names, values, types.types, strict=True), _member, _text),
        parts,
        work,
    )


def _text(sql: str, kind: object) -> tuple[str, str]:
    """Return SQL for values as text, with booleans as ``stage`` expects them."""
    if str(kind) == "BOOLEAN":
        sql = f"CASE {sql} WHEN 'true' THEN 'True' WHEN 'false' THEN 'False' ELSE {sql} END"
    return sql, "VARCHAR"


def _is_rows(kind: object) -> bool:
    """Return whether a value is a list of objects."""
    return str(kind).startswith("STRUCT(") and str(kind).endswith(")[]")


def _open_objects(files: str, parts: Sequence[Part], work: Workspace) -> Scan:
    """Open objects whose keys DuckDB treats as values: very many keys, or an empty one."""
    objects = f"read_json_objects({files}, compression='uncompressed')"
    listed = work.con.execute(
        f"SELECT DISTINCT unnest(json_keys(json)) FROM (FROM {objects} LIMIT {_SAMPLE})"
    ).fetchall()
    names = sorted(str(row[0]) for row in listed if row[0])
    if not names:
        raise DataError(f"{parts[0].label}: expected objects with user, item and rating")
    values = {name: (f"json_extract_string(json, {_path(name)})", "VARCHAR") for name in names}
    return _scan(objects, values, parts, work)


def _scan(
    relation: str,
    columns: dict[str, tuple[str, str]],
    parts: Sequence[Part],
    work: Workspace,
) -> Scan:
    def locate(row: int) -> str:
        for part in parts:
            lines = _lines(part.path)
            if lines is None:
                objects = f"read_json_objects({paths_of([part])}, compression='uncompressed')"
                count = int(work.one(f"SELECT count(*) FROM {objects}")[0])
            else:
                count = len(lines)
            if row < count:
                place = f"object {row + 1}" if lines is None else f"line {lines[row]}"
                return f"{part.label}, {place}"
            row -= count
        return parts[-1].label

    return Scan(
        relation=relation,
        columns=columns,
        label=label_of(parts),
        locate=locate,
        explain=lambda: _first_fault(parts),
    )


def _member(sql: str, name: str) -> str:
    return f"json_extract_string({sql}, {_path(name)})"


def _path(name: str) -> str:
    """Return a key as a JSON pointer, as SQL."""
    return literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _lines(path: Path) -> list[int] | None:
    """Return the line of each object, or None if objects and lines are not one to one."""
    lines: list[int] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            text = line.strip()
            if text and not (text.startswith(b"{") and text.endswith(b"}")):
                return None
            if text:
                lines.append(number)
    return lines


def _first_fault(parts: Sequence[Part]) -> DataError | None:
    for part in parts:
        with part.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if number == 1 and line.lstrip().startswith(b"["):
                    break  # An array: its lines are not objects.
                fault = _fault(line)
                if fault:
                    return DataError(f"{part.label}, line {number}: {fault}")
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
        shown = line.decode("utf-8", "replace").strip()
        message = f"not JSON ({text}): {shorten(shown)}"
        if shown.startswith(("{'", "{u'")):
            message += "; these are dictionaries of Python: json.dumps(ast.literal_eval(line))"
        return message
    if not isinstance(value, dict):
        return f"expected an object with user, item and rating: {shorten(str(value))}"
    return ""
