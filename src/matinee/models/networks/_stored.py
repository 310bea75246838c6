"""``StoredCodes``: vectors of training users, fitted to the predictions of network and teachers.

The teachers have separate rows for training users, so their predictions are more accurate than
an encoding of the ratings. The mean of the network's and its teachers' predictions has a higher
rank than the network's. It is approximated by codes x table in two least-squares solutions: the
codes for the network's own table, weighting an entry by its item's number of ratings, then the
table for these codes, weighting an entry by its user's. All users share one system of equations, as
do all items. The codes hold for the training ratings: other users, and users whose ratings have
changed, are folded in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...base.arrays import Array, Float32, Float64, Int64, Mask, UInt64
from ...base.memory import count_codes, find_entries
from ...data import Csr, Histories
from ...nn import Forward

if TYPE_CHECKING:
    from ...train import Teacher

RIDGE = 1e-6
"""Ridge penalty, relative to the mean of the equations' diagonal."""
OWN = 0.5
"""Weight of the network's own predictions in the mean with its teachers'."""
MOST_STORED = 100_000_000
"""Largest number of stored values; with more users there are no stored codes."""
ROWS = 1024
"""Rows encoded or solved for at a time."""
_NAMES = ("codes", "added", "table", "hashes")


@dataclass(frozen=True, eq=False)
class StoredCodes:
    """The last hidden layers of known users, and the matching output table.

    Attributes:
        codes: float32 (users, width). Without histories in the model folder, ``codes``, ``added``
            and ``hashes`` have no rows.
        added: float32 (users,), a constant added to each user's outputs: ``Forward.encode``.
        table: float32 (items, width).
        hashes: uint64 (users,), hashes of the ratings that each code was fitted to.
    """

    codes: Float32
    added: Float32
    table: Float32
    hashes: UInt64

    @classmethod
    def fit(
        cls, forward: Forward, known: Csr, teachers: Sequence[Teacher], unit: float = 1.0
    ) -> StoredCodes:
        """Approximate the mean of the network's and its teachers' predictions.

        The network has users as rows and a linear output; the teachers are encoded from
        ``known`` too, whose ratings are divided by ``unit``.
        """
        # The target, minus the output bias, is a sum of products users x items' of factors.
        codes, added = _encoded(forward, Histories.of(known))
        ones = np.ones(known.n_columns)
        products = [(OWN, _Columns(codes, added), _Columns(forward.table_out, ones))]
        products += [_of_teacher(forward, (1.0 - OWN) / len(teachers), each) for each in teachers]
        table = _Columns(forward.table_out, ones)
        popularity = count_codes(known.indices, known.n_columns)
        by_item = [(weight, items, users) for weight, users, items in products]
        solved = _fit(table, popularity, by_item)
        codes, added = np.ascontiguousarray(solved[:, :-1]), solved[:, -1].copy()
        products.append((-1.0, _Columns(added), _Columns(ones)))
        table_out = _fit(_Columns(codes), known.counts, products)
        return cls(codes, added, table_out, Histories.of(known.multiplied(unit)).hashes)

    def match(self, histories: Histories) -> Mask:
        """Return the mask of users with a code whose ratings are unchanged, shape (users,)."""
        users = histories.users
        known: Mask = (users >= 0) & (len(self.hashes) > 0)
        if known.any():
            known &= histories.hashes == self.hashes[np.maximum(users, 0)]
        return known

    def extended(
        self, histories: Histories, others: Mask, trained: Histories | None
    ) -> ExtendedHistories:
        """Return those of ``others`` with a code who have rated more items since training."""
        if trained is None or not len(self.hashes):
            return ExtendedHistories.of(np.empty(0, dtype=np.int64), histories, histories)
        return ExtendedHistories.of(
            np.flatnonzero(others & (histories.users >= 0)), histories, trained
        )

    def forward(self, network: Forward) -> Forward:
        """Return the network's forward pass with this output table."""
        forward_copy = copy(network)
        forward_copy.table_out = self.table
        return forward_copy

    def state(self) -> dict[str, Array]:
        """Return arrays by name, for ``restore``."""
        return {f"stored.{name}": getattr(self, name) for name in _NAMES}

    @classmethod
    def restore(cls, tensors: Mapping[str, Array], columns: int, width: int) -> StoredCodes | None:
        """Restore from saved arrays; None if there are none.

        Raises:
            ValueError: The shapes do not fit.
        """
        if "stored.codes" not in tensors:
            return None
        stored = cls(*(tensors[f"stored.{name}"] for name in _NAMES))
        n = len(stored.codes)
        shapes = tuple(tensors[f"stored.{name}"].shape for name in _NAMES)
        if shapes != ((n, width), (n,), (columns, width), (n,)):
            raise ValueError(f"stored codes of the shapes {shapes}")
        return stored


@dataclass(frozen=True, eq=False)
class ExtendedHistories:
    """Users with a stored code who have all their training ratings and further ones.

    The prediction for them is fold-in from all ratings, plus the gain of the stored code over
    fold-in from the training ratings. Otherwise a single new rating would discard that gain.

    Attributes:
        rows: int64 (n,), their rows in the histories, ascending.
        weight: float32 (n,), weight of the stored code's gain: the share of their ratings that the
            code was fitted to.
        before: Their training ratings, in this order.
    """

    rows: Int64
    weight: Float32
    before: Histories

    @classmethod
    def of(cls, rows: Int64, histories: Histories, trained: Histories) -> ExtendedHistories:
        """Find such users among some rows of histories.

        Users without one of their training items are excluded: withdrawn ratings must not be used.
        """
        if not len(rows):
            return cls(rows, np.empty(0, dtype=np.float32), histories.take(rows))
        before, now = trained.take(histories.users[rows]), histories.take(rows)
        shared, unchanged = _common(before, now)
        complete = shared == before.counts
        weight = (unchanged / np.maximum(now.counts, 1)).astype(np.float32)
        return cls(rows[complete], weight[complete], before.take(np.flatnonzero(complete)))


def _common(before: Histories, now: Histories) -> tuple[Int64, Int64]:
    """Count each user's items that are in both, and those of them with an equal rating."""
    user = before.entry_rows
    entries = find_entries(now.indptr, now.items, user, before.items)
    common = entries >= 0
    equal = np.append(now.values, np.float32(np.nan))[entries] == before.values
    counts = [np.bincount(user[mask], minlength=len(before)) for mask in (common, equal)]
    return counts[0], counts[1]


def _encoded(forward: Forward, histories: Histories) -> tuple[Float32, Float32]:
    """Return the last hidden layer of all users, and the constants of their outputs."""
    columns = len(forward.offset)
    parts = [forward.encode(batch.csr(columns)) for _, batch in histories.batches(ROWS)]
    if not parts:
        return np.empty((0, forward.table_out.shape[1]), np.float32), np.empty(0, np.float32)
    codes, added = (np.concatenate(each) for each in zip(*parts, strict=True))
    return codes, added


def _fit(
    basis: _Columns,
    counts: Array,
    factors: Sequence[tuple[float, _Columns, _Columns]],
) -> Float32:
    """Solve the weighted least squares of a sum of products on a basis, in blocks of rows.

    Args:
        basis: (n, k).
        counts: Weight of each row of the basis, (n,).
        factors: Weights and pairs (n, r) and (m, r); the target is the sum of weight x first x
            second'.

    Returns:
        float32 (m, k), the coefficients.
    """
    power = np.zeros((basis.width, basis.width))
    crossed = [np.zeros((basis.width, first.width)) for _, first, _ in factors]
    for rows in basis.blocks():
        block = basis[rows]
        weighted = (block * counts[rows, None]).T
        power += weighted @ block
        for sums, (weight, first, _) in zip(crossed, factors, strict=True):
            sums += weight * (weighted @ first[rows])
    power[np.diag_indices_from(power)] += max(RIDGE * np.trace(power) / len(power), 1e-300)
    crossed = [np.linalg.solve(power, sums) for sums in crossed]
    last = factors[0][2]
    solved = np.empty((len(last), basis.width), dtype=np.float32)
    for rows in last.blocks():
        solved[rows] = sum(
            second[rows] @ sums.T for sums, (_, _, second) in zip(crossed, factors, strict=True)
        )
    return solved


class _Columns:
    """Arrays concatenated by column, read as float64 blocks of rows."""

    def __init__(self, *parts: Array) -> None:
        self._parts = [part if part.ndim == 2 else part[:, None] for part in parts]
        self.width = sum(part.shape[1] for part in self._parts)

    def __len__(self) -> int:
        return len(self._parts[0])

    def __getitem__(self, rows: slice) -> Float64:
        return np.concatenate([part[rows] for part in self._parts], axis=1, dtype=np.float64)

    def blocks(self) -> Iterator[slice]:
        """Yield slices of ``ROWS`` rows that cover all."""
        return (slice(first, first + ROWS) for first in range(0, len(self), ROWS))


def _of_teacher(
    forward: Forward, weight: float, teacher: Teacher
) -> tuple[float, _Columns, _Columns]:
    """Return a teacher's predictions minus the output bias of a network, as a term of a target."""
    start = (forward.bias_out + forward.offset).astype(np.float32)
    users = _Columns(teacher.table, np.ones(len(teacher.table)), teacher.bias + teacher.offset)
    items = _Columns(teacher.vectors, teacher.added - start, np.ones(len(teacher.vectors)))
    return weight, users, items
