"""Group entries by row in time linear in their number (two counting sorts)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..base.arrays import Array, Float32, Float64, Int32, Int64, Mask, row_bounds
from ..base.compiled import kernel
from ..base.memory import (
    chunks,
    count_codes,
    large_empty,
    large_multiplied,
    large_take,
    row_chunks,
    sum_by_code,
)
from .side.columns import Levels


@dataclass(frozen=True, eq=False)
class Csr:
    """Ratings grouped by one side: row ``r`` holds entries ``indptr[r]:indptr[r + 1]``.

    Attributes:
        indptr: int64, shape (rows + 1,).
        indices: int32 codes of the other side, shape (entries,), ascending within a row.
        values: float32 ratings, shape (entries,). A zero is a rating like any other.
        order: int64 position of each entry in the ratings it came from, or None if the
            entries already stood in this order.
        n_columns: number of codes of the other side.
        weights: float32, shape (entries,): see ``Ratings.weights``.
        side: Side columns of the rows, for networks that use them.
    """

    indptr: Int64
    indices: Int32
    values: Float32
    order: Int64 | None
    n_columns: int
    weights: Float32 | None = None
    side: Levels | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def counts(self) -> Int64:
        """Entries per row, int64, shape (rows,)."""
        return np.diff(self.indptr)

    @property
    def entry_rows(self) -> Int32:
        """The row of each entry, int32, shape (entries,)."""
        return np.repeat(np.arange(self.n_rows, dtype=np.int32), self.counts)

    def rows_of(self, entries: Int64) -> Int64:
        """Return the rows of some entries, int64, shape (n,)."""
        return np.searchsorted(self.indptr, entries, side="right") - 1

    @property
    def entry_weights(self) -> Float32:
        """The weight of each entry, float32, shape (entries,); 1 without weights."""
        return np.ones(len(self.indices), np.float32) if self.weights is None else self.weights

    @property
    def relative_weights(self) -> Float64 | None:
        """The weights over their mean, float64, shape (entries,); None if all are equal."""
        if self.weights is None or not len(self.weights) or np.ptp(self.weights) == 0:
            return None
        return self.weights / self.weights.mean(dtype=np.float64)

    def multiplied(self, factor: float) -> Csr:
        """Return the same entries with ratings multiplied by ``factor``."""
        return replace(self, values=large_multiplied(self.values, factor))

    @property
    def row_weights(self) -> Float64:
        """Sum of the weights of each row's entries, float64, shape (rows,)."""
        if self.weights is None:
            return self.counts.astype(np.float64)
        return sum_by_code(self.entry_rows, self.weights, self.n_rows)

    @property
    def column_weights(self) -> Float64:
        """Sum of the weights of each column's entries, float64, shape (n_columns,)."""
        if self.weights is None:
            return count_codes(self.indices, self.n_columns).astype(np.float64)
        return sum_by_code(self.indices, self.weights, self.n_columns)

    def in_order_of_ratings(self, column: Array) -> Array:
        """Return a column of the entries in the order of the original ratings."""
        if self.order is None:
            return column
        out = large_empty(len(column), column.dtype)
        out[self.order] = column
        return out

    def where(self, mask: Mask) -> Csr:
        """Select the entries of a mask, shape (entries,), keeping all rows."""
        indptr = np.zeros_like(self.indptr)
        for some in row_chunks(self.indptr):
            bounds = self.indptr[some.start : some.stop + 1]
            running = row_bounds(mask[bounds[0] : bounds[-1]])
            indptr[some.start + 1 : some.stop + 1] = (
                indptr[some.start] + running[bounds[1:] - bounds[0]]
            )
        return Csr(
            indptr,
            large_take(self.indices, mask),
            large_take(self.values, mask),
            None,
            self.n_columns,
            None if self.weights is None else large_take(self.weights, mask),
            self.side,
        )

    def scipy(self, entries: Array) -> Any:
        """SciPy's CSR matrix of the same rows, with other entries, shape (entries,)."""
        from scipy import sparse

        parts = entries, self.indices, self.indptr
        return sparse.csr_matrix(parts, shape=(self.n_rows, self.n_columns))

    def aligned(self, column: Array) -> Array:
        """Return a column of the original ratings, such as times, in the order of the entries."""
        return column if self.order is None else large_take(column, self.order)


def _is_grouped(rows: Int32, columns: Int32) -> bool:
    for some in chunks(max(len(rows) - 1, 0)):
        after = slice(some.start + 1, some.stop + 1)
        later, same = rows[after] > rows[some], rows[after] == rows[some]
        if not (later | (same & (columns[after] > columns[some]))).all():
            return False
    return True


@kernel()
def _counting_order(
    rows: Int32, columns: Int32, row_free: Int64, column_free: Int64, by_column: Int64, order: Int64
) -> None:
    """Set ``order`` to the positions of the entries by row and column.

    ``row_free`` and ``column_free`` are where each row and column begins; they are overwritten, as
    is ``by_column``, the positions by column.
    """
    for i in range(len(rows)):
        by_column[column_free[columns[i]]] = i
        column_free[columns[i]] += 1
    for j in range(len(rows)):
        i = by_column[j]
        order[row_free[rows[i]]] = i
        row_free[rows[i]] += 1


def group(rows: Int32, columns: Int32, values: Float32, n_rows: int, n_columns: int) -> Csr:
    """Group entries by row, ascending by column within a row.

    Args:
        rows: int32 row codes, shape (n,).
        columns: int32 column codes, shape (n,).
        values: float32, shape (n,).
        n_rows: Number of row codes.
        n_columns: Number of column codes.
    """
    indptr = row_bounds(count_codes(rows, n_rows))
    if _is_grouped(rows, columns):
        return Csr(indptr, columns, values, None, n_columns)
    spare, order = large_empty(len(rows), np.int64), large_empty(len(rows), np.int64)
    starts = row_bounds(count_codes(columns, n_columns))
    _counting_order(rows, columns, indptr.copy(), starts, spare, order)
    return Csr(indptr, large_take(columns, order), large_take(values, order), order, n_columns)
