"""Open any source as one table that DuckDB can scan."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from ...base.atomic import scratch_folder
from ...errors import DataError
from ..values.ids import literal as literal

SAMPLE = 10_000
"""Rows at the start of a table from which the forms of ids and times are recognised."""
Report = Callable[[str, int, int], None]
"""Progress callback: the step ("reading", "ordering"), the amount done, and the total."""

# DuckDB's memory limit; the rest spills to the temporary folder. Reading 100 million
# ratings needs less.
MEMORY = "1GB"
# Each thread that reads text has its own buffers, which must fit in the memory above.
_MOST_THREADS = 8


@dataclass(frozen=True)
class Workspace:
    """A private DuckDB on disk, in a temporary folder that is removed on closing.

    Attributes:
        con: The connection. Its tables are in the catalog ``work``.
        folder: Folder for other temporary files.
    """

    con: duckdb.DuckDBPyConnection
    folder: Path

    def one(self, query: str, *values: Any) -> tuple[Any, ...]:
        """Return the first row of a query's result."""
        row = self.con.execute(query, list(values)).fetchone()
        assert row is not None
        return tuple(row)


@dataclass(frozen=True)
class Scan:
    """A table that DuckDB reads.

    Attributes:
        relation: SQL to put after FROM.
        columns: (SQL, DuckDB type) by column name, in order. The names of a file with no header
            are ``"1"``, ``"2"`` and so on.
        label: What to call the table in messages.
        locate: The location of a row, by its number from 0, for messages: "ratings.csv, line 14".
        header: Whether the columns have names.
        explain: A better account of why DuckDB could not read the table, or None.
        lines: Counts the rows that the source should have, if possible.
        others: Other ways to read the source, tried if this one fails or loses rows.
        notes: What was recognised, one sentence each.
    """

    relation: str
    columns: dict[str, tuple[str, str]]
    label: str
    locate: Callable[[int], str]
    header: bool = True
    explain: Callable[[], DataError | None] = lambda: None
    lines: Callable[[], int] | None = None
    others: Callable[[], Iterable[Scan]] = tuple
    notes: tuple[str, ...] = ()


def with_points(scan: Scan, names: Iterable[str], decimal: str) -> Scan:
    """Return a table whose numbers in these columns of text have a point as decimal mark."""
    if decimal == ".":
        return scan
    number = literal(rf"\s*[-+]?[0-9]*{decimal}[0-9]+([eE][-+]?[0-9]+)?\s*")
    columns = dict(scan.columns)
    for name in names:
        sql, kind = columns[name]
        if kind == "VARCHAR":
            point = f"replace({sql}, {literal(decimal)}, '.')"
            sql = f"CASE WHEN regexp_full_match({sql}, {number}) THEN {point} ELSE {sql} END"
            columns[name] = (sql, kind)
    return replace(scan, columns=columns)


@contextmanager
def workspace(label: str) -> Iterator[Workspace]:
    """A workspace for the length of a block, in which every error of DuckDB is a ``DataError``."""
    with scratch_folder() as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "spill"),
            "threads": min(_MOST_THREADS, os.cpu_count() or 1),
        }
        try:
            con = duckdb.connect(str(folder / "work.duckdb"), config=config)
        except duckdb.Error as error:
            raise DataError(f"{label}: {reason(error, folder)}") from None
        try:
            # The database is temporary: its log need not be merged while it is in use.
            con.execute("SET TimeZone = 'UTC'")
            # In a notebook without ipywidgets DuckDB has no bar, and refuses to turn it off.
            with contextlib.suppress(duckdb.InvalidInputException):
                con.execute("SET enable_progress_bar = false")
            con.execute("SET checkpoint_threshold = '1GB'")
            # DuckDB 2.0 moves a TRY_CAST into the reading of a csv as a plain CAST, which fails at
            # the first bad value where it should give NULL.
            known = con.execute("SELECT name FROM duckdb_optimizers()").fetchall()
            if ("type_pushdown",) in known:
                con.execute("SET disabled_optimizers = 'type_pushdown'")
            yield Workspace(con, folder)
        except duckdb.Error as error:
            raise DataError(f"{label}: {reason(error, folder)}") from None
        finally:
            con.close()


def run(work: Workspace, scan: Scan, query: str) -> duckdb.DuckDBPyConnection:
    """Run a query that reads a table.

    Raises:
        DataError: The table cannot be read; the message gives the most specific reason.
    """
    try:
        return work.con.execute(query)
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        raise scan.explain() or _unparsed(work, scan, error) from None


def _unparsed(work: Workspace, scan: Scan, error: duckdb.Error) -> DataError:
    """Convert an error of reading to one that names the table; of text, the line and a remedy."""
    if scan.lines is None:
        return DataError(
            f"{scan.label}: cannot be read ({reason(error, work.folder)}); if it is damaged, write "
            "or download it again"
        )
    match = re.search(r"Line: (\d+)", str(error))
    location = f"{scan.label}, line {match[1]}" if match else scan.label
    cause = re.search(
        r"(?:Expected|Value|Maximum|Invalid(?! Input Error)|Possible)[^\n]*", str(error)
    )
    message = cause[0].rstrip(". ") if cause else reason(error)
    return DataError(
        f"{location}: cannot be parsed ({message}); mend the line, or state how the file is laid "
        "out with --delimiter, --quote none, --encoding, --skip or --comment"
    )


def reason(error: Exception, folder: Path | None = None) -> str:
    """Return the first line of an error's message, without DuckDB's error class."""
    lines = str(error).strip().splitlines() or ["unknown error"]
    text = re.sub(r"^([A-Z][A-Za-z-]* )+Error: ", "", lines[0].strip())
    if "No space left" in text or isinstance(error, duckdb.OutOfMemoryException):
        text += (
            f"; reading needs room for temporary files in {folder.parent if folder else 'TMPDIR'}: "
            "free some, or set TMPDIR to a larger disk"
        )
    return text


def quoted(name: str) -> str:
    """Return a column name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def described(work: Workspace, relation: str) -> dict[str, tuple[str, str]]:
    """(SQL, DuckDB type) by column name of a relation."""
    rows = work.con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    if not any(is_nested(row[1]) for row in rows):
        return {str(row[0]): (quoted(str(row[0])), str(row[1])) for row in rows}
    relation_schema = work.con.sql(f"SELECT * FROM {relation} LIMIT 0")
    return flattened(
        zip(
            relation_schema.columns,
            map(quoted, relation_schema.columns),
            relation_schema.types,
            strict=True,
        )
    )


def is_nested(kind: Any) -> bool:
    """Return whether a DuckDB type contains objects or lists."""
    return str(kind).startswith(("STRUCT", "MAP", "UNION")) or str(kind).endswith("]")


def flattened(
    columns: Iterable[tuple[str, str, Any]],
    member: Callable[[str, str], str] | None = None,
    leaf: Callable[[str, Any], tuple[str, str]] | None = None,
) -> dict[str, tuple[str, str]]:
    """Return (SQL, DuckDB type) by column name, with the fields of objects as columns.

    The field ``id`` of ``user`` is the column ``user.id``; an object of one field is replaced by
    that field, as MongoDB's ``{"$oid": "..."}`` does.

    Args:
        columns: Name, SQL and DuckDB type of each column.
        member: The SQL of a field, from the SQL of the object and the field's name.
        leaf: SQL and type of values that are neither objects nor lists, from their own.
    """
    member = member or (lambda sql, name: f"struct_extract({sql}, {literal(name)})")
    fields_by_path: dict[str, tuple[str, str]] = {}
    for name, sql, kind in columns:
        while _is_object(kind) and len(kind.children) == 1:
            (one, kind), *_ = kind.children
            sql = member(sql, one)
        value = (sql, str(kind)) if leaf is None or is_nested(kind) else leaf(sql, kind)
        fields_by_path[name] = value
        if _is_object(kind):
            fields = [(f"{name}.{one}", member(sql, one), inner) for one, inner in kind.children]
            fields_by_path |= flattened(fields, member, leaf)
    return fields_by_path


def _is_object(kind: object) -> bool:
    """Return whether a type is an object, not a list of objects."""
    return str(kind).startswith("STRUCT") and not str(kind).endswith("]")
