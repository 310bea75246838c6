"""Held-out interactions, to choose settings and to calibrate scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int32, Int64
from ...data import Csr, Histories
from .base import Interest
from .calibrate import Calibration, ChoiceCounts

SHARE = 0.2
"""Held-out share of each user's interactions, at least one of two or more."""
PEOPLE = 2500
"""Largest number of users whose lists are scored."""
SCORES = 1 << 28
"""Largest number of scores for that, of all items each: fewer users on wide catalogues."""
CUTOFF = 20
_BATCH = 512
_CELLS = 1 << 21
"""Scores in memory (8 MiB as float32): of more, the allocator returns the memory each time, and the
system clears it anew."""
_CALIBRATED = 1 << 25
"""Largest number of scores to calibrate on."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Interactions with a random part of each user's held out.

    Attributes:
        known: The remaining interactions, by user.
        held: The held-out interactions, by user.
        people: A sample of the users with both, int64 (n,), ascending.
    """

    known: Csr
    held: Csr
    people: Int64

    @classmethod
    def draw(cls, rows: Csr, rng: np.random.Generator, share: float = SHARE) -> HeldOut:
        """Hold out a random share of each row."""
        counts = rows.counts
        number = np.where(counts >= 2, np.maximum(1, np.round(share * counts)), 0)
        owner = np.repeat(np.arange(rows.n_rows), counts)
        order = np.lexsort((rng.random(len(owner)), owner))
        position = np.arange(len(owner)) - np.repeat(rows.indptr[:-1], counts)
        out = np.zeros(len(owner), dtype=np.bool_)
        out[order] = position < np.repeat(number.astype(np.int64), counts)
        known, held = _keep(rows, ~out), _keep(rows, out)
        people = np.flatnonzero((held.counts > 0) & (known.counts > 0))
        most = min(PEOPLE, max(200, SCORES // max(rows.n_columns, 1)))
        if len(people) > most:
            people = np.sort(rng.choice(people, most, replace=False))
        return cls(known, held, people)

    def batches(self) -> Iterator[tuple[Int64, Histories]]:
        """Batches of users with their known interactions."""
        every = Histories.of(self.known)
        size = max(1, min(_BATCH, _CELLS // max(self.known.n_columns, 1)))
        for start in range(0, len(self.people), size):
            some = self.people[start : start + size]
            yield some, every.take(some)

    def ndcg(self, interest: Interest) -> float:
        """Mean nDCG@``CUTOFF`` of a scorer that was fitted to ``known``; 0 for no people."""
        return float(self.ndcg_each(interest).mean()) if len(self.people) else 0.0

    def ndcg_each(self, interest: Interest) -> Float64:
        """``ndcg`` of each person, float64 (people,)."""
        values = [self.ndcg_of(interest.scores(who), some) for some, who in self.batches()]
        return np.concatenate(values) if values else np.zeros(0)

    def ndcg_of(self, scores: Float32, people: Int64) -> Float64:
        """nDCG@``CUTOFF`` of some people, relevance binary, known items left out.

        Args:
            scores: float32 (people, items); changed.
            people: Their rows in ``known`` and ``held``.

        Returns:
            float64 (people,).
        """
        k = min(CUTOFF, scores.shape[1])
        gains = 1.0 / np.log2(np.arange(2, k + 2))
        ideal = np.cumsum(gains)
        values = np.zeros(len(people))
        for row, person in enumerate(people.tolist()):
            mine = scores[row]
            mine[_row(self.known, person)] = -np.inf
            relevant = _row(self.held, person)
            hits = [gains[rank] for rank in _ranks(mine, relevant, k)]
            values[row] = sum(hits) / ideal[min(k, len(relevant)) - 1]
        return values

    def calibration(self, interest: Interest) -> Calibration:
        """Calibrate a scorer that was fitted to ``known``."""
        counts = ChoiceCounts()
        step = max(1, len(self.people) * self.known.n_columns // _CALIBRATED)
        for some, who in replace(self, people=self.people[::step]).batches():
            counts.add(interest.scores(who), self.known, self.held, some)
        return counts.calibration()


def _ranks(scores: Float32, items: Int32, k: int) -> Iterator[int]:
    """The ranks below ``k`` of some items among all, from 0; equal scores rank by item code.

    Counting the items before each takes a twentieth of the time of sorting out the best k, where
    few items are asked about.

    Args:
        scores: float32 (items,).
        items: int32, ascending.
        k: The ranks of interest.
    """
    for item in items[np.argsort(-scores[items], kind="stable")][:k].tolist():
        score = scores[item]
        rank = int(np.count_nonzero(scores[:item] >= score))
        rank += int(np.count_nonzero(scores[item + 1 :] > score))
        if rank >= k:
            return
        yield rank


def _row(rows: Csr, person: int) -> npt.NDArray[np.int32]:
    return rows.indices[rows.indptr[person] : rows.indptr[person + 1]]


def _keep(rows: Csr, chosen: npt.NDArray[np.bool_]) -> Csr:
    owner = np.repeat(np.arange(rows.n_rows), rows.counts)[chosen]
    indptr = np.zeros(rows.n_rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=rows.n_rows), out=indptr[1:])
    return Csr(indptr, rows.indices[chosen], rows.values[chosen], None, rows.n_columns)
