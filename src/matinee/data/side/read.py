"""Reads columns of users and of items from tables beside the ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb
import numpy as np

from ...base.arrays import Texts
from ...errors import DataError, UsageError
from ..read.columns import PEOPLE_ROLES, PERSON, TITLE, USUAL, assign, plain
from ..read.files import open_files
from ..read.find import find
from ..read.frames import open_frame
from ..read.movielens import PEOPLE_COLUMNS, bare
from ..read.options import ReadOptions
from ..read.prepare import as_utf8
from ..read.source import Scan, Workspace, is_nested, reason, run, with_points
from ..read.stores.lake import open_lake
from ..read.unpack import Part
from ..values.ids import missing_sql
from ..vocabulary import Vocabulary
from .columns import SideColumns, Values

MOST_VALUES = 5_000
"""Most distinct texts of a column; one with more is left out, as an address or a description."""
_BETWEEN = "|"
"""Separator of several labels in one text."""


def people_columns(
    people: Any,
    beside: Part | None,
    work: Workspace,
    ids: Vocabulary,
    person_id: str | None,
    options: ReadOptions | None = None,
) -> tuple[SideColumns | None, tuple[str, ...]]:
    """Read columns of users, and the problems of a table that was not requested.

    The table is the requested one, else the file beside the ratings that looks like one.

    Raises:
        DataError: A requested table cannot be read, or has none of the users.
        UsageError: A column is stated that is not there, or without a table.
    """
    if people is None and beside is None:
        if person_id is not None:
            raise UsageError(
                "--person-id names a column of a table of people; give the table with --people"
            )
        return None, ()
    try:
        mapped = {} if person_id is None else {PERSON: person_id}
        located = located_table(people, beside, work, "people")
        scan = _named(open_located(located, work, PEOPLE_ROLES, mapped, options))
        names = list(scan.columns)
        stated = mapped or ({} if scan.header else {PERSON: "1"})
        column = assign(names, PEOPLE_ROLES, stated, header=scan.header, label=scan.label)[PERSON]
        names.remove(column)
        if not names:
            raise DataError(f"{scan.label}: has no column but that of the ids, {column!r}")
        side = columns_by(scan, work, ids, column, names)
        if side is None:
            example = ids.ids[0] if ids.numeric else repr(ids.ids[0])
            raise DataError(
                f"{scan.label}: none of its ids is a user of the ratings, such as {example}; if "
                "they are in another column, name it with --person-id COL"
            )
    except (DataError, duckdb.Error) as error:
        if people is not None:
            raise
        return None, (f"columns of people left out: {reason(error)}",)
    return side, ()


def located_table(
    source: Any, beside: Part | None, work: Workspace, label: str
) -> Sequence[Part] | Scan:
    """Return the files of a requested table, or of the one beside the ratings.

    A table in memory, or of a data lake, is opened.
    """
    if source is None:
        assert beside is not None
        return [beside]
    if not isinstance(source, (str, Path)):
        return open_frame(source, work, label)
    files = find(source, work)
    return files.parts if files.lake is None else open_lake(files.parts[0].path, files.lake, work)


def open_located(
    table: Sequence[Part] | Scan,
    work: Workspace,
    roles: Sequence[str],
    mapped: Mapping[str, str],
    options: ReadOptions | None = None,
) -> Scan:
    """Open the result of ``located_table``.

    Text has the encoding that is stated for the ratings, if it is not UTF-8, and their decimal
    mark, but for titles.
    """
    options = options or ReadOptions()
    if isinstance(table, Scan):
        return table
    parts = [as_utf8(part, work, options.encoding) for part in table]
    scan = open_files(parts, work, roles, mapped)
    titles = {mapped.get(TITLE), *(name for name in scan.columns if plain(name) in USUAL[TITLE])}
    numbers = [name for name in scan.columns if name not in titles] if scan.header else ["1"]
    return with_points(scan, numbers, options.decimal)


def _named(scan: Scan) -> Scan:
    """Return MovieLens' tables of people with the names of their columns."""
    names = PEOPLE_COLUMNS.get(bare(PurePosixPath(scan.label).name).lower(), ())
    if scan.header or len(scan.columns) != len(names):
        return scan
    named = dict(zip(names, scan.columns.values(), strict=True))
    return replace(scan, columns=named, header=True)


def columns_by(
    scan: Scan, work: Workspace, ids: Vocabulary, column: str, names: Sequence[str]
) -> SideColumns | None:
    """Return columns of a table in the order of a vocabulary; None if it has none of the ids.

    A column of only numbers has these values; of the others, lists or texts with ``|``
    have several labels in a row. Texts that mean a missing id, such as NA, are missing. Objects,
    and columns of more than ``MOST_VALUES`` texts, are left out.

    Of two rows of one id the first counts.
    """
    names = [name for name in names if not _is_object(scan.columns[name][1])]
    cells = [
        f"CASE WHEN {missing_sql(text)} THEN '' ELSE {text} END"
        for text in (cell_text(scan, name) for name in names)
    ]
    looks = [
        f"count(nullif({text}, '')), count(TRY_CAST(nullif({text}, '') AS DOUBLE)), "
        f"approx_count_distinct({text}), coalesce(bool_or(contains({text}, '{_BETWEEN}')), false)"
        for text in cells
    ]
    (looked,) = run(
        work, scan, f"SELECT {', '.join(['1', *looks])} FROM {scan.relation}"
    ).fetchall()
    wanted = [f"{cell_text(scan, column)} AS c0"]
    kinds: dict[str, str] = {}
    for at, name in enumerate(names):
        filled, numbers, distinct, several = looked[1 + 4 * at : 5 + 4 * at]
        if not filled or (numbers < filled and not several and distinct > MOST_VALUES):
            continue
        kinds[name] = "several" if several else "number" if numbers == filled else "text"
        text = cells[at]
        value = f"TRY_CAST(nullif({text}, '') AS DOUBLE)" if kinds[name] == "number" else text
        wanted.append(f"{value} AS c{len(kinds)}")
    query = f"SELECT {', '.join(wanted)} FROM {scan.relation}"
    keys, *columns = run(work, scan, query).fetchnumpy().values()
    codes = ids.encode(as_texts(keys))
    known = np.flatnonzero(codes >= 0)[::-1]  # of two rows of one id the first is written last
    if not len(known):
        return None
    by_name = {
        name: _values(values, kind)[known]
        for (name, kind), values in zip(kinds.items(), columns, strict=True)
    }
    return SideColumns.union([(SideColumns(by_name), codes[known])], len(ids))


def cell_text(scan: Scan, name: str) -> str:
    """Return SQL for a cell as text, with the values of a list joined by ``|``."""
    sql, kind = scan.columns[name]
    if kind.endswith("[]"):
        return f"coalesce(array_to_string({sql}, '{_BETWEEN}'), '')"
    return f"trim(coalesce(CAST({sql} AS VARCHAR), ''))"


def as_texts(column: Any) -> Texts:
    """Return a column of a result whose texts have no nulls as an array of objects."""
    return np.asarray(np.ma.getdata(column)).astype(object)


def _is_object(kind: str) -> bool:
    return is_nested(kind) and not (kind.endswith("[]") and not is_nested(kind.removesuffix("[]")))


def _values(column: Any, kind: str) -> Values:
    if kind == "number":
        return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
    texts = as_texts(column)
    if kind == "several":
        labels = (tuple(filter(None, map(str.strip, t.split(_BETWEEN)))) for t in texts)
        return np.fromiter(labels, dtype=object)
    return texts
