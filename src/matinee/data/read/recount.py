"""Check that all rows of a source were read, and read it another way otherwise."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from ...errors import DataError
from .source import Scan, Workspace
from .stage import Staged


def stage_best(work: Workspace, scan: Scan, stage: Callable[[Scan], Staged]) -> tuple[Scan, Staged]:
    """Stage a table, in another way if the first fails or loses rows; return the scan used.

    Raises:
        DataError: No way reads it; the error is of the first.
    """
    error: DataError | duckdb.Error | None = None
    try:
        staged = stage(scan)
        if scan.lines is None or scan.lines() <= staged.rows:
            return scan, staged
    except (DataError, duckdb.Error) as first:
        error = first
    for other in scan.others():
        try:
            restaged = stage(other)
        except (DataError, duckdb.Error):
            continue
        if error is not None or (other.lines is not None and restaged.rows == other.lines()):
            return other, restaged
    if error is not None:
        raise error
    staged = stage(scan)  # Another way has replaced it.
    _check_ids(work, scan)
    return scan, staged


def _check_ids(work: Workspace, scan: Scan) -> None:
    """Refuse ids that span several lines: a quote mark was misread as the start of a value."""
    broken = "contains(CAST(u AS VARCHAR), chr(10)) OR contains(CAST(i AS VARCHAR), chr(10))"
    count, first = work.one(f"SELECT count(*), min(rowid) FROM work.main.staged WHERE {broken}")
    if count:
        raise DataError(
            f"{scan.locate(int(first))}: a quote mark begins an id here that continues over "
            "several lines; close it, or read quote marks as part of the values with --quote none"
        )
