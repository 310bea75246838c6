"""Ratings kept out of training and scored after each epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.arrays import Float32, Float64, Int32, Int64, Mask
from ..data import Csr, Ratings
from ..nn import Inputs, Network, predict_entries
from ._shrink import Deviations
from .distributed import ALONE, ProcessGroup


@dataclass(frozen=True, eq=False)
class Holdout:
    """Held-out entries by row.

    Attributes:
        rows: int64 (n,), the rows that have any.
        indptr: int64 (n + 1,).
        columns: int32 (entries,).
        values: float32 (entries,), the ratings given.
        low: Lowest prediction that counts (minus infinity where predictions are not clipped).
        high: Highest.
        users_are_columns: Whether users are the columns, and items the rows.
        group: The processes that share the work of predicting; all must ask at the same time.
    """

    rows: Int64
    indptr: Int64
    columns: Int32
    values: Float32
    low: float = -np.inf
    high: float = np.inf
    users_are_columns: bool = False
    group: ProcessGroup = ALONE

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(
        cls,
        csr: Csr,
        low: float = -np.inf,
        high: float = np.inf,
        *,
        users_are_columns: bool = False,
        group: ProcessGroup = ALONE,
    ) -> Holdout:
        """Every entry of a CSR."""
        rows = np.flatnonzero(csr.counts)
        indptr = np.concatenate([[0], np.cumsum(csr.counts[rows])]).astype(np.int64)
        return cls(rows, indptr, csr.indices, csr.values, low, high, users_are_columns, group)

    def predict(self, network: Network, inputs: Inputs, known: Csr) -> Float64:
        """Predictions of each entry, not clipped, by a network that sees ``known``."""
        mine = self.group.rows(self.indptr)
        ptr = self.indptr[mine.start : mine.stop + 1]
        asked = self.columns[ptr[0] : ptr[-1]]
        told = predict_entries(network, inputs, known, self.rows[mine], ptr - ptr[0], asked)
        (whole,) = self.group.join_parts((told, ptr[0], len(self)))
        return whole

    def squared_errors(
        self, network: Network, inputs: Inputs, known: Csr, base: Float64 | None = None
    ) -> Float64:
        """Squared error of each entry, float64 (entries,), by a network that sees ``known``.

        Args:
            network: The network.
            inputs: Its input encoding.
            known: The training ratings by row.
            base: What the bias model says of each entry, if the network's deviations from it will
                be shrunk as fits these very entries: they are then scored so.
        """
        if base is None:
            guess = self.predict(network, inputs, known)
        else:
            deviations = Deviations(network, inputs, known, self, base)
            guess = deviations.shrunk(deviations.fit())
        return np.square(np.clip(guess, self.low, self.high) - self.values)

    def rmse(
        self, network: Network, inputs: Inputs, known: Csr, base: Float64 | None = None
    ) -> float:
        """Global RMSE of a network that sees ``known``, in float64; see ``squared_errors``."""
        return float(np.sqrt(self.squared_errors(network, inputs, known, base).mean()))

    def mean_user_rmse(self, squared: Float64, added: float = 0.0) -> float:
        """Mean over users of each one's RMSE, where each user weighs the same.

        Args:
            squared: Squared error of each entry, float64 (entries,).
            added: A penalty that is added to each user's mean squared error.
        """
        if self.users_are_columns:
            counts = np.bincount(self.columns)
            rated = counts > 0
            each = np.bincount(self.columns, squared)[rated] / counts[rated]
        else:
            each = np.add.reduceat(squared, self.indptr[:-1]) / np.diff(self.indptr)
        return float(np.sqrt(each + added).mean())


def carve(csr: Csr, share: float, rng: np.random.Generator) -> tuple[Csr, Csr]:
    """Part of every row's entries at random, without emptying any row: (kept, held out)."""
    out = carve_rows(csr, share, rng)
    return _where(csr, ~out), _where(csr, out)


def carve_rows(csr: Csr, share: float, rng: np.random.Generator) -> Mask:
    """``carve`` as a mask over the entries, shape (entries,)."""
    out = rng.random(len(csr.indices)) < share
    first = csr.indptr[:-1][csr.counts > 0]
    whole = np.logical_and.reduceat(out, first) if len(first) else np.empty(0, dtype=bool)
    out[first[whole]] = False
    return out


def carve_ratings(train: Ratings, share: float, rng: np.random.Generator) -> Mask:
    """Which ratings to hold out: a random share, leaving every user and item at least one.

    Unlike ``carve`` this is the same part whether users or items are the rows. It is drawn pair by
    pair in the order of ``train.by_user``, so the order of the ratings changes nothing.

    Returns:
        Mask over the ratings, shape (len(train),).
    """
    csr = train.by_user
    out = rng.random(len(train)) < share
    users = np.repeat(np.arange(csr.n_rows), csr.counts)
    for codes, size in ((users, train.n_users), (csr.indices, train.n_items)):
        emptied = np.bincount(codes, ~out, minlength=size) == 0
        theirs = np.flatnonzero(emptied[codes])
        _, first = np.unique(codes[theirs], return_index=True)
        out[theirs[first]] = False
    if csr.order is None:
        return out
    held = np.empty_like(out)
    held[csr.order] = out
    return held


def part(csr: Csr, mask: Mask) -> tuple[Csr, Csr]:
    """Split grouped ratings by a mask over the ratings they came from: (kept, held out)."""
    out = csr.aligned(mask)
    return _where(csr, ~out), _where(csr, out)


def _where(csr: Csr, mask: Mask) -> Csr:
    running = np.concatenate([[0], np.cumsum(mask)]).astype(np.int64)
    return Csr(running[csr.indptr], csr.indices[mask], csr.values[mask], None, csr.n_columns)
