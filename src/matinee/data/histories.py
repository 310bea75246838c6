"""``Histories``: the known ratings of users, in the codes of one model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32, Int32, Int64, Mask, UInt64, row_bounds
from ..base.memory import entries_of, row_chunks
from ._group import Csr
from .fingerprints import mix


@dataclass(frozen=True, eq=False)
class Histories:
    """The rated items of users, row by row, coded by one item vocabulary.

    The input of a fitted model's predictions. Known and new users differ only in ``users``.

    Attributes:
        indptr: int64, shape (people + 1,).
        items: int32 item codes, shape (entries,), ascending and distinct within a user.
        values: float32 ratings, shape (entries,).
        users: int32 codes in the model's user vocabulary, -1 for a new user,
            shape (people,).
        weights: float32, shape (entries,): see ``Ratings.weights``; None if all are 1.
    """

    indptr: Int64
    items: Int32
    values: Float32
    users: Int32
    weights: Float32 | None = None

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def counts(self) -> Int64:
        """Number of ratings per user, int64, shape (people,)."""
        return np.diff(self.indptr)

    @property
    def entry_rows(self) -> Int64:
        """The row of each rating's user, int64, shape (entries,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def hashes(self) -> UInt64:
        """A hash of each user's items and ratings, uint64, shape (people,).

        The sum of mixed entries modulo 2^64, so that the order does not matter. Model folders keep
        such hashes.
        """
        hashes = np.empty(len(self), dtype=np.uint64)
        for some in row_chunks(self.indptr):
            bounds = self.indptr[some.start : some.stop + 1]
            part = slice(bounds[0], bounds[-1])
            bits = np.ascontiguousarray(self.values[part], dtype=np.float32).view(np.uint32)
            mixed = mix((self.items[part].astype(np.uint64) << np.uint64(32)) + bits)
            sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed)])
            hashes[some] = np.diff(sums[bounds - bounds[0]])
        return hashes

    def take(self, rows: npt.NDArray[np.integer[Any]] | Sequence[int]) -> Histories:
        """Select users, in this order; repeats are allowed."""
        chosen = np.asarray(rows, dtype=np.int64)
        indptr, entries = entries_of(self.indptr, chosen)
        return Histories(
            indptr,
            self.items[entries],
            self.values[entries],
            self.users[chosen],
            None if self.weights is None else self.weights[entries],
        )

    def take_or_empty(self, rows: Int64) -> Histories:
        """Select users as ``take``; a row of -1 gives a new user without ratings."""
        known = rows >= 0
        histories = self.take(rows[known])
        counts = np.zeros(len(rows), dtype=np.int64)
        users = np.full(len(rows), -1, dtype=np.int32)
        counts[known], users[known] = histories.counts, histories.users
        return replace(histories, indptr=row_bounds(counts), users=users)

    def where(self, mask: Mask) -> Histories:
        """Select ratings by a mask, shape (entries,), keeping all users."""
        kept = self.csr(0).where(mask)
        return Histories(kept.indptr, kept.indices, kept.values, self.users, kept.weights)

    def batches(self, size: int, rows: Int64 | None = None) -> Iterator[tuple[int, Histories]]:
        """Yield batches of at most ``size`` users, each with its start position.

        Args:
            size: Largest number of users.
            rows: Rows of the users; by default all, without copying.
        """
        if rows is not None:
            for start in range(0, len(rows), size):
                yield start, self.take(rows[start : start + size])
            return
        for start in range(0, len(self), size):
            stop = min(start + size, len(self))
            first, last = self.indptr[start], self.indptr[stop]
            yield (
                start,
                Histories(
                    self.indptr[start : stop + 1] - first,
                    self.items[first:last],
                    self.values[first:last],
                    self.users[start:stop],
                    None if self.weights is None else self.weights[first:last],
                ),
            )

    def csr(self, n_columns: int) -> Csr:
        """Return the same rows, values and weights as a user-by-item matrix, without copies.

        Args:
            n_columns: Items of the model.
        """
        return Csr(self.indptr, self.items, self.values, None, n_columns, self.weights)

    @classmethod
    def of(cls, csr: Csr, *, known: bool = True) -> Histories:
        """The histories of ratings grouped by user; ``known`` if row numbers are user codes."""
        users = np.arange(csr.n_rows, dtype=np.int32)
        users = users if known else np.full_like(users, -1)
        return cls(csr.indptr, csr.indices, csr.values, users, csr.weights)

    @classmethod
    def build(
        cls,
        people: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
        users: npt.ArrayLike | None = None,
    ) -> Histories:
        """Make histories from (item codes, ratings) of each user, in any order."""
        indptr = np.zeros(len(people) + 1, dtype=np.int64)
        items: list[Int32] = []
        values: list[Float32] = []
        for row, (codes, ratings) in enumerate(people):
            code = np.asarray(codes, dtype=np.int32)
            order = np.argsort(code, kind="stable")
            items.append(code[order])
            values.append(np.asarray(ratings, dtype=np.float32)[order])
            indptr[row + 1] = indptr[row] + len(code)
        return cls(
            indptr,
            np.concatenate(items) if items else np.empty(0, np.int32),
            np.concatenate(values) if values else np.empty(0, np.float32),
            np.full(len(people), -1, np.int32) if users is None else np.asarray(users, np.int32),
        )
