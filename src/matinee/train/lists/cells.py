"""``Cells``: the entries of a batch of histories, by user and by item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float, Int32, Int64
from ...nn.sparse import kernels

LINEAR = 0
"""Code of the linear activation."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Entries of users' histories as CSR, and the same entries by item.

    Attributes:
        indptr: int64 (people + 1,).
        items: int32 (entries,).
        n_items: Number of items.
        by_item: int64 (items + 1,), start of each item's entries in the next two.
        people: int32 (entries,), the user of each entry, by item.
        order: int32 (entries,), its position in ``items``.
    """

    indptr: Int64
    items: Int32
    n_items: int
    by_item: Int64
    people: Int32
    order: Int32

    @classmethod
    def of(cls, indptr: Int64, items: Int32, n_items: int) -> Cells:
        """Make the entries from a CSR pattern."""
        from scipy import sparse

        position = np.arange(len(items), dtype=np.int32)
        rows = sparse.csr_matrix((position, items, indptr), shape=(len(indptr) - 1, n_items))
        columns = rows.tocsc()
        return cls(
            indptr,
            items,
            n_items,
            columns.indptr.astype(np.int64),
            columns.indices.astype(np.int32, copy=False),
            columns.data,
        )

    @property
    def owner(self) -> Int64:
        """The user of each entry, int64 (entries,)."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    def dots(self, code: Float, table: Float, bias: Float) -> Float:
        """Compute ``code[u] . table[i] + bias[i]`` for each entry (u, i), shape (entries,)."""
        dots = np.empty(len(self.items), dtype=table.dtype)
        kernels.decode(self.indptr, self.items, code, table, bias, LINEAR, dots)
        return dots

    def sums(self, values: Float, table: Float) -> Float:
        """Sum ``values * table[i]`` over each user's entries, shape (people, width)."""
        sums = np.empty((len(self.indptr) - 1, table.shape[1]), dtype=table.dtype)
        kernels.encode(self.indptr, self.items, values, table, sums)
        return sums

    def sums_by_item(self, values: Float, code: Float) -> Float:
        """Sum ``values * code[u]`` over each item's entries, shape (items, width)."""
        sums_by_item = np.empty((self.n_items, code.shape[1]), dtype=code.dtype)
        kernels.encode(self.by_item, self.people, values[self.order], code, sums_by_item)
        return sums_by_item
