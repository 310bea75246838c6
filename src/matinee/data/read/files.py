"""Open files, parts of one table, as text, parquet or JSON."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from ...errors import DataError
from ._json import open_json
from .columns import RATING
from .layouts.adjacency import is_adjacency, open_adjacency
from .layouts.matrix import open_matrix
from .layouts.positions import by_position
from .movielens import bare
from .options import ReadOptions
from .prepare import (
    count_lines,
    has_backslash,
    mixed_ends,
    plain_json,
    prepared,
    with_plain_ends,
    with_stated_delimiter,
)
from .source import Scan, Workspace, described, quoted, reason
from .text import Layout, first_fault, hive, line_of, same_layout, sniff
from .unpack import ZIP, Part, head_of, label_of, paths_of

_FOREIGN = {
    ZIP: "is a zip among other files; read it by itself",
    b"SQLite format 3": "is an SQLite database; give it as --database with --sql 'select ...'",
    b"ARROW1\0\0": "is an Arrow file; save it as parquet, or read it and pass the table",
    b"\xff\xff\xff\xff": "is an Arrow stream; save it as parquet, or read it and pass the table",
    b"\x28\xb5\x2f\xfd": "is zstd-compressed; unpack it first (gzip, bzip2, xz and zip are read)",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook; save the sheet as csv",
    b"\x93NUMPY": "is a numpy array; pass its columns as a dict of arrays from Python",
    b"\x89HDF": "is an HDF5 file; read it in Python and pass the table",
    b"%%MatrixMarket": "is a Matrix Market file; pass what scipy.io.mmread reads of it",
    b"ORC": "is an ORC file; save it as parquet",
    b"Obj\x01": "is an Avro file; save it as parquet",
    b"\x80\x04\x95": "is a pickle; read it in Python and pass the table",
    b"\x80\x05\x95": "is a pickle; read it in Python and pass the table",
    b"\x1f\x8b": "is compressed twice; unpack it first (gunzip)",
    b"\x04\x22\x4d\x18": "is lz4-compressed; unpack it first (gzip, bzip2, xz and zip are read)",
    b"$FL": "is an SPSS file; save it as csv",
    b"<stata_dta>": "is a Stata file; save it as csv",
    b"FEA1": "is a Feather file; save it as parquet",
    b"7z\xbc\xaf": "is a 7z archive; unpack it first",
    b"Rar!": "is a RAR archive; unpack it first",
    b"version https://git-lfs": "is a pointer of Git LFS, not the data; fetch it: git lfs pull",
}


def open_files(
    parts: Sequence[Part],
    work: Workspace,
    roles: Sequence[str],
    mapped: Mapping[str, str],
    options: ReadOptions | None = None,
    partitions: Sequence[str] = (),
) -> Scan:
    """Open files, all of one kind, as one table. Empty parts of many are left out.

    ``partitions`` are the columns whose values are in the names of the folders, as in
    ``user=1/part-0.parquet``.

    Raises:
        DataError: They cannot be read as one table.
    """
    filled = [part for part in parts if head_of(part)]
    parts = filled or parts
    options = options or ReadOptions()
    label, kind = parts[0].label, _kind(parts[0])
    for part in parts[1:]:
        if (other := _kind(part)) != kind:
            raise DataError(
                f"{label} is {kind} and {part.label} is {other}; read them one at a time"
            )
    if kind == "parquet":
        return _open_parquet(parts, work, partitions)
    if partitions and kind == "json":
        raise DataError(f"{label}: JSON below partitions is not read; write it as parquet")
    if kind == "json":
        return open_json([plain_json(part, work, options) for part in parts], work)
    interactions = RATING in roles and not (mapped or partitions)
    if interactions and all(is_adjacency(part.path) for part in parts):
        return open_adjacency(parts, work)
    options = with_stated_delimiter(parts[0], options)
    given, parts = parts, [prepared(part, work, options) for part in parts]
    if partitions and parts != list(given):
        raise DataError(f"{label}: text below partitions must be plain UTF-8")
    layouts = [sniff(part.path, part.label, roles, mapped, options) for part in parts]
    layout = replace(same_layout(layouts, parts), partitions=tuple(partitions))
    if partitions and layout.names is None:
        raise DataError(f"{label}: text below partitions needs a header of column names")
    notes: tuple[str, ...] = ()
    if RATING in roles and not mapped and options.columns is None and not partitions:
        matrix = open_matrix(parts, layout, work, options.decimal)
        if matrix is not None:
            return matrix
        layout, notes = by_position(parts, layout)
    return _open_text(parts, layout, work, options, notes)


def _open_text(
    parts: Sequence[Part],
    layout: Layout,
    work: Workspace,
    options: ReadOptions,
    notes: tuple[str, ...] = (),
) -> Scan:
    paths = [part.path for part in parts]

    def others() -> Iterator[Scan]:
        marks = layout.quote and options.quote is None
        if marks and layout.quote and not layout.escape and any(map(has_backslash, paths)):
            yield _open_text(parts, replace(layout, escape="\\"), work, options, notes)
        if marks and layout.delimiter not in (",", ";"):
            note = (
                "quote marks are read as part of the values (--quote '\"' states that they enclose "
                "values)"
            )
            other = _open_text(parts, replace(layout, quote="", escape=""), work, options)
            yield replace(other, notes=(*notes, note))
        if any(map(mixed_ends, paths)):
            plain = [with_plain_ends(part, work) for part in parts]
            note = "lines end in different ways, all of which are read as line ends"
            other = _open_text(plain, layout, work, options)
            yield replace(other, notes=(*notes, note), others=tuple)

    return Scan(
        relation=layout.relation(parts),
        columns={
            name: (f'"{number}"', "VARCHAR")
            for name, number in zip(layout.columns, layout.numbers, strict=True)
        }
        | {name: (quoted(name), "VARCHAR") for name in layout.partitions},
        header=layout.names is not None,
        label=label_of(parts),
        locate=lambda row: line_of(parts, layout, row),
        explain=lambda: first_fault(parts, layout),
        lines=lambda: sum(count_lines(path) - layout.has_header for path in paths),
        others=others,
        notes=notes,
    )


def _open_parquet(parts: Sequence[Part], work: Workspace, partitions: Sequence[str]) -> Scan:
    def rows_of(part: Part) -> int:
        return int(work.one(f"SELECT count(*) FROM read_parquet({paths_of([part])})")[0])

    for part in parts:
        try:
            rows_of(part)
        except duckdb.Error as error:
            raise DataError(
                f"{part.label}: not a whole parquet file ({reason(error)}); write or download it "
                "again"
            ) from None

    def locate(row: int) -> str:
        for part in parts:
            count = rows_of(part)
            if row < count:
                return f"{part.label}, row {row + 1}"
            row -= count
        return parts[-1].label

    def explain() -> DataError | None:
        first: dict[str, tuple[str, str]] = {}
        for part in parts:
            types = described(work, f"read_parquet({paths_of([part])})")
            for name, (_, kind) in types.items():
                other, known = first.setdefault(name, (part.label, kind))
                if kind != known:
                    return DataError(
                        f"{other} and {part.label} differ: column {name!r} is {known} against "
                        f"{kind}; write both in one type, or read them one at a time"
                    )
        return None

    # Otherwise the first file's types apply to all: 4.5 becomes 4 if its ratings are integers.
    relation = f"read_parquet({paths_of(parts)}, union_by_name=true, {hive(partitions)})"
    columns = described(work, relation)
    return Scan(relation, columns, label_of(parts), locate, explain=explain)


def _kind(part: Part) -> str:
    head = head_of(part)
    if not head:
        raise DataError(f"{part.label}: is empty; expected lines of user, item, rating")
    for magic, problem in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(f"{part.label}: {problem}")
    if head[8:12] == b"DUCK" and b"\0" in head:
        raise DataError(
            f"{part.label}: is a DuckDB database; give it as --database with --sql 'select ...'"
        )
    if b"ustar" in head or Path(part.label).suffix.lower() in (".tar", ".tgz"):
        raise DataError(f"{part.label}: is a tar archive; unpack it first (tar xf FILE)")
    suffix = Path(bare(part.label)).suffix.lower()
    if suffix in (".parquet", ".pq") or (head.startswith(b"PAR1") and _tail(part.path) == b"PAR1"):
        return "parquet"
    if suffix in (".json", ".jsonl", ".ndjson") or re.match(rb"\s*(\[\s*)?\{", head):
        return "json"
    return "text"


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return file.read()
