"""``ColumnBlocks``: tables of which each of several processes holds consecutive columns.

A process can compute its own columns of every row's sums, and update them, without the others'. The
middle layers need all columns, but of some rows only, so that processes exchange columns for rows
before these layers and rows for columns after them, forward and backward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from ..base.arrays import Array, Float, Int32, Int64
from .activations import activation
from .sparse import kernels

_CHUNK = 1 << 20
"""Values of a whole table that are in memory at a time."""


class Processes(Protocol):
    """What is needed of ``train.ProcessGroup``."""

    @property
    def rank(self) -> int:
        """Rank of this process, from 0."""

    @property
    def size(self) -> int:
        """Number of processes."""

    def sum(self, array: Array) -> None:
        """Sum an array over the processes, in place."""

    def exchange(self, vector: Array, sent: Sequence[int], received: Sequence[int]) -> Array:
        """Send a stretch of a vector to each process; return those received, in rank order."""


@dataclass(frozen=True)
class ColumnBlocks:
    """The division of both tables' columns among processes, which must call its methods together.

    Attributes:
        group: The processes. In rank order each has the next columns, about as many as the others.
    """

    group: Processes

    def cuts(self, n: int) -> Int64:
        """Return the first of n columns, or rows, of each process, and n: (processes + 1,)."""
        return np.arange(self.group.size + 1, dtype=np.int64) * n // self.group.size

    def own(self, n: int) -> slice:
        """Return those of n columns, or rows, that are this process's."""
        cuts = self.cuts(n)
        return slice(int(cuts[self.group.rank]), int(cuts[self.group.rank + 1]))

    def to_rows(self, part: Float, width: int, cuts: Int64 | None = None) -> Float:
        """Exchange this process's columns of all rows for all columns of its rows.

        Args:
            part: (rows, own columns), in C order.
            width: Number of all columns.
            cuts: int64 (processes + 1,), the first row of each process; by default ``cuts``.

        Returns:
            (own rows, width).
        """
        rows, columns = self.cuts(len(part)) if cuts is None else cuts, self.cuts(width)
        own = int(rows[self.group.rank + 1] - rows[self.group.rank])
        sent, received = np.diff(rows) * part.shape[1], np.diff(columns) * own
        got = self.group.exchange(part.reshape(-1), sent.tolist(), received.tolist())
        out = np.empty((own, width), dtype=part.dtype)
        for first, end in pairwise(columns.tolist()):
            out[:, first:end] = got[first * own : end * own].reshape(own, end - first)
        return out

    def to_columns(self, whole: Float, n: int, cuts: Int64 | None = None) -> Float:
        """Exchange all columns of this process's rows for its columns of all rows.

        Args:
            whole: (own rows, width).
            n: Number of all rows.
            cuts: As for ``to_rows``.

        Returns:
            (n, own columns).
        """
        rows, columns = self.cuts(n) if cuts is None else cuts, self.cuts(whole.shape[1])
        own = int(columns[self.group.rank + 1] - columns[self.group.rank])
        vector = np.concatenate(
            [whole[:, first:end].reshape(-1) for first, end in pairwise(columns.tolist())]
        )
        sent, received = np.diff(columns) * len(whole), np.diff(rows) * own
        return self.group.exchange(vector, sent.tolist(), received.tolist()).reshape(n, own)

    def sums_of_outputs(
        self, indptr: Int64, columns: Int32, hidden: Float, table: Float, bias: Float
    ) -> Float:
        """Compute the last layer's pre-activations at entries, in every process, (entries,).

        Args:
            indptr: int64 (rows + 1,), the entries of each row.
            columns: int32 (entries,), rows of the table.
            hidden: (rows, own columns) of the last hidden layer.
            table: (n, own columns), this process's block.
            bias: (n,), whole in every process.
        """
        out = np.empty(len(columns), dtype=table.dtype)
        linear = activation("linear").code
        kernels.decode(indptr, columns, hidden, table, np.zeros_like(bias), linear, out)
        self.group.sum(out)
        out += bias[columns]
        return out

    def chunks(self, rows: int, width: int) -> Iterator[slice]:
        """Divide the rows of a whole table, so that only some of them are in memory at a time.

        Each chunk but the last has a multiple of 16 rows, and the last at least 16, if there are as
        many: torch then draws the same normal numbers as for the whole table.
        """
        step = max(_CHUNK // max(width, 1) // 16, 1) * 16
        cuts = list(range(0, rows, step))
        if len(cuts) > 1 and rows - cuts[-1] < 16:
            cuts.pop()
        yield from (slice(first, end) for first, end in pairwise([*cuts, rows]))
