"""``Shard``: which rows' ratings a process has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Array, Int64, row_bounds
from ...base.memory import entries_of
from ...data import Csr
from ..distributed import ALONE, ProcessGroup


@dataclass(frozen=True)
class Shard:
    """Which rows' ratings this process has: by default those of all rows.

    With ``bounds``, the methods that combine the processes' parts must be called in all of them.

    Attributes:
        group: The processes.
        bounds: The first row of this process and that of the next, so that rank order is row order;
            None if every process has the ratings of all rows.
    """

    group: ProcessGroup = ALONE
    bounds: tuple[int, int] | None = None

    def sum(self, array: Array) -> None:
        """Sum an array over the parts, in place."""
        if self.bounds is not None:
            self.group.sum(array)

    def join(self, part: Array) -> Array:
        """Concatenate a column of the parts, in the order of rows."""
        return part if self.bounds is None else self.group.gather(part)

    def span(self, size: int) -> tuple[int, int]:
        """Return the position of this part's entries among all, and the number of all.

        Args:
            size: Number of entries of this part.
        """
        if self.bounds is None:
            return 0, size
        sizes = self.group.gather(np.array([size]))
        return int(sizes[: self.group.rank].sum()), int(sizes.sum())

    def counts(self, csr: Csr) -> Int64:
        """Return the entries per row of all rows, int64 (rows,)."""
        counts = csr.counts
        self.sum(counts)
        return counts

    def divided(self, rows: Int64, indptr: Int64) -> slice:
        """Return those of some rows which this process is to predict.

        Args:
            rows: int64 (n,), ascending.
            indptr: int64 (n + 1,), position of each row's first entry.
        """
        if self.bounds is None:
            return self.group.rows(indptr)
        first, end = np.searchsorted(rows, self.bounds)
        return slice(int(first), int(end))

    def by_row(self, compute: Callable[[Int64], Array], rows: Int64, indptr: Int64) -> Array:
        """Return a value of each of some rows, computed by a process that has its ratings, (n,).

        Args:
            compute: Returns the values of rows, (rows,).
            rows: int64 (n,), ascending.
            indptr: int64 (n + 1,), position of each row's first entry.
        """
        local = self.divided(rows, indptr)
        (values,) = self.group.join_parts((compute(rows[local]), local.start, len(rows)))
        return values

    def rows_of(self, csr: Csr, rows: Int64, counts: Int64) -> tuple[Csr, Int64]:
        """Return ratings that include those of some rows, and where these rows are in them.

        The processes exchange the ratings of a batch: 8 bytes for each.

        Args:
            csr: This process's ratings, without weights.
            rows: int64 (n,), in any order, the same in every process.
            counts: int64, ``counts(csr)``.
        """
        if self.bounds is None:
            return csr, rows
        first, end = self.bounds
        own = np.flatnonzero((rows >= first) & (rows < end))
        indptr = row_bounds(counts[rows])
        _, place = entries_of(indptr, own)
        _, entries = entries_of(csr.indptr, rows[own])
        columns = np.zeros((2, int(indptr[-1])), dtype=np.int32)  # codes, and bits of the ratings
        columns[0, place] = csr.indices[entries]
        columns[1, place] = csr.values[entries].view(np.int32)
        self.group.sum(columns)
        whole = Csr(indptr, columns[0], columns[1].view(np.float32), None, csr.n_columns)
        return whole, np.arange(len(rows))


WHOLE = Shard()
"""That of a process alone, which has all ratings."""
