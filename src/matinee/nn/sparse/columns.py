"""``Columns``: a batch's entries by table row, as needed to sum and apply gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Array, Int32, Int64
from . import kernels


@dataclass(frozen=True, eq=False)
class Columns:
    """The distinct table rows of a batch and the entries of each.

    Attributes:
        columns: int32 (n,), distinct.
        start: int64 (n + 1,), start of each one's entries.
        row_of: int32 (entries,), the batch row of each entry.
        entry_of: int32 (entries,), the position of each entry in the batch.
    """

    columns: Int32
    start: Int64
    row_of: Int32
    entry_of: Int32


class Transposer:
    """Makes ``Columns``, with scratch space for one table's rows.

    Args:
        size: Number of table rows.
        everything: Whether rows without entries are listed as well.
    """

    def __init__(self, size: int, *, everything: bool = False) -> None:
        self._count = np.zeros(size, dtype=np.int32)
        self._everything = everything

    def __call__(self, indptr: Int64, index: Int32) -> Columns:
        """Group the entries ``index`` of the rows ``indptr`` by table row."""
        entries = len(index)
        room = len(self._count) if self._everything else min(len(self._count), entries)
        columns = np.empty(room, dtype=np.int32)
        start = np.empty(room + 1, dtype=np.int64)
        row_of = np.empty(entries, dtype=np.int32)
        entry_of = np.empty(entries, dtype=np.int32)
        n = kernels.transpose(indptr, index, self._count, columns, start, row_of, entry_of)
        if self._everything:
            untouched = np.ones(room, dtype=bool)
            untouched[columns[:n]] = False
            columns[n:] = np.flatnonzero(untouched)
            start[n + 1 :] = entries
            n = room
        return Columns(columns[:n], start[: n + 1], row_of, entry_of)


def sum_by_column(columns: Columns, values: Array, out: Array) -> None:
    """Add each column's entries of ``values`` to ``out``, in place."""
    kernels.column_sums(columns.columns, columns.start, columns.entry_of, values, out)
