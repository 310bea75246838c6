"""``StoredCodes``: vectors of the users trained on, which carry what the teachers predict for them.

A network's teachers have rows of their own for these users, so their predictions say more of them
than an encoding of the ratings. The mean of the network's and its teachers' predictions is of a
higher rank than the network's. It is approximated by codes x table, with two least-squares
solutions: the codes with the network's own table, then the table with these codes. An entry weighs
as much as its item has ratings in the first, as its user has in the second. All users share one
system of equations, and so do all items. The codes are of the ratings of training: other users, and
these with other ratings, are folded in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Mask, UInt64
from ...base.memory import count_codes
from ...data import Csr, Histories
from ...nn import Forward
from ._grown import Grown

if TYPE_CHECKING:
    from ...train import Teacher

RIDGE = 1e-6
"""Regularisation of the equations, relative to the mean of their diagonal."""
OWN = 0.5
"""Weight of the network's own predictions in the mean with its teachers'."""
MOST_STORED = 100_000_000
"""Most numbers that are stored; with more users there are no stored codes."""
ROWS = 1024
"""Rows encoded, or solved for, at once."""
_NAMES = ("codes", "added", "table", "hashes")


@dataclass(frozen=True, eq=False)
class StoredCodes:
    """The last hidden layers of known users, and the output table that goes with them.

    Attributes:
        codes: float32 (users, width); without rows where the model was saved without histories, as
            are the next and the last.
        added: float32 (users,), the constant of each user's outputs: ``Forward.encode``.
        table: float32 (items, width).
        hashes: uint64 (users,), of the ratings that each code is of.
    """

    codes: Float32
    added: Float32
    table: Float32
    hashes: UInt64

    @classmethod
    def fit(cls, forward: Forward, known: Csr, teachers: Sequence[Teacher]) -> StoredCodes:
        """Approximate the mean of the network's and its teachers' predictions.

        Args:
            forward: The network, users as rows, with a linear output.
            known: The ratings by user from which predictions are made.
            teachers: The teachers, encoded from the same ratings.
        """
        # The target is the sum of users x items' over the pairs of factors, above the output bias.
        codes, added = _encoded(forward, Histories.of(known))
        ones = np.ones(known.n_columns)
        products = [_Product(OWN, _Columns(codes, added), _Columns(forward.table_out, ones))]
        products += [_of_teacher(forward, (1.0 - OWN) / len(teachers), each) for each in teachers]
        table = _Columns(forward.table_out, ones)
        popularity = count_codes(known.indices, known.n_columns)
        solved = _fit(
            table, popularity, [(each.weight, each.items, each.users) for each in products]
        )
        codes, added = np.ascontiguousarray(solved[:, :-1]), solved[:, -1].copy()
        products = [*products, _Product(-1.0, _Columns(added), _Columns(ones))]
        table_out = _fit(
            _Columns(codes),
            known.counts,
            [(each.weight, each.users, each.items) for each in products],
        )
        return cls(codes, added, table_out, Histories.of(known).hashes)

    def match(self, histories: Histories) -> Mask:
        """Mask of the users with a code whose ratings are those of training, shape (users,)."""
        users = histories.users
        known: Mask = (users >= 0) & (len(self.hashes) > 0)
        if known.any():
            known &= histories.hashes == self.hashes[np.maximum(users, 0)]
        return known

    def grown(self, histories: Histories, others: Mask, trained: Histories | None) -> Grown:
        """The users with a code who have rated further items since.

        Args:
            histories: The users with their present ratings.
            others: Those that do not ``match``.
            trained: The ratings of training of all users; None where they are not known.
        """
        if trained is None or not len(self.hashes):
            return Grown.of(np.empty(0, dtype=np.int64), histories, histories)
        return Grown.of(np.flatnonzero(others & (histories.users >= 0)), histories, trained)

    def forward(self, network: Forward) -> Forward:
        """The network's forward pass with this output table."""
        copied = copy(network)
        copied.table_out = self.table
        return copied

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays by name, for ``restore``."""
        return {f"stored.{name}": getattr(self, name) for name in _NAMES}

    @classmethod
    def restore(
        cls, tensors: Mapping[str, npt.NDArray[Any]], columns: int, width: int
    ) -> StoredCodes | None:
        """From saved arrays; None where there are none.

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


def _encoded(forward: Forward, histories: Histories) -> tuple[Float32, Float32]:
    """The last hidden layer of all people, and the constants of their outputs."""
    columns = len(forward.offset)
    parts = [forward.encode(batch.csr(columns)) for _, batch in histories.batches(ROWS)]
    if not parts:
        return np.empty((0, forward.table_out.shape[1]), np.float32), np.empty(0, np.float32)
    codes, added = (np.concatenate(each) for each in zip(*parts, strict=True))
    return codes, added


def _fit(
    basis: _Columns,
    counts: npt.NDArray[Any],
    factors: Sequence[tuple[float, _Columns, _Columns]],
) -> Float32:
    """Weighted least squares of a sum of products on a basis, in blocks of rows.

    Args:
        basis: (n, k).
        counts: Weight of each row of it, (n,).
        factors: Weights and pairs (n, r) and (m, r); the target is the sum of
            weight x first x second'.

    Returns:
        float32 (m, k): times the basis, it is the nearest to the target.
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
    """Arrays side by side as one matrix, of which float64 rows are formed a block at a time."""

    def __init__(self, *parts: npt.NDArray[Any]) -> None:
        self._parts = [part if part.ndim == 2 else part[:, None] for part in parts]
        self.width = sum(part.shape[1] for part in self._parts)

    def __len__(self) -> int:
        return len(self._parts[0])

    def __getitem__(self, rows: slice) -> Float64:
        return np.concatenate([part[rows] for part in self._parts], axis=1, dtype=np.float64)

    def blocks(self) -> Iterator[slice]:
        """Slices of ``ROWS`` rows, which together are all."""
        return (slice(first, first + ROWS) for first in range(0, len(self), ROWS))


@dataclass(frozen=True)
class _Product:
    """A part of the target: weight x users x items'."""

    weight: float
    users: _Columns
    items: _Columns


def _of_teacher(forward: Forward, weight: float, teacher: Teacher) -> _Product:
    """A teacher's predictions, above the output bias of a network."""
    start = (forward.bias_out + forward.offset).astype(np.float32)
    users = _Columns(teacher.table, np.ones(len(teacher.table)), teacher.bias + teacher.offset)
    items = _Columns(teacher.vectors, teacher.added - start, np.ones(len(teacher.vectors)))
    return _Product(weight, users, items)
