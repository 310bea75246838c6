"""Held-out interactions, to choose settings and to calibrate scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...base.compiled import kernel
from ...base.memory import row_chunks, rows_at_once
from ...data import Csr, Histories
from .base import Interest
from .calibrate import Calibration, ChoiceCounts

SHARE = 0.2
"""Held-out share of each user's interactions; at least one if there are two or more."""
PEOPLE = 2500
"""Largest number of users whose lists are scored."""
SCORES = 1 << 28
"""Largest number of scores computed for it: fewer users with large catalogues."""
CUTOFF = 20
_BATCH = 512
_CELLS = 1 << 21
"""Scores held in memory (8 MiB as float32): for larger arrays, the allocator returns the memory
each time and the system clears it again."""
_CALIBRATED = 1 << 25
"""Largest number of scores to calibrate on."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Interactions with a part of each user's held out, at random or the latest.

    Attributes:
        known: The remaining interactions, by user, with their weights.
        held: The held-out interactions, by user. Each counts 1, as future interactions would.
        people: A sample of the users with both kinds, int64 (n,), ascending.
        latest: Whether the latest are held out.
    """

    known: Csr
    held: Csr
    people: Int64
    latest: bool = False

    @classmethod
    def draw(
        cls,
        rows: Csr,
        rng: np.random.Generator,
        share: float = SHARE,
        times: Int64 | None = None,
    ) -> HeldOut:
        """Hold out a share of each row.

        Args:
            rows: The interactions.
            rng: Draws the held-out interactions and the sample of users.
            share: The held-out share.
            times: Time of each entry, int64 (entries,): the latest are held out. Without times, a
                random part is held out.
        """
        counts = rows.counts
        number = np.where(counts >= 2, np.maximum(1, np.round(share * counts)), 0)
        out = np.zeros(len(rows.indices), dtype=np.bool_)
        for some in row_chunks(rows.indptr):
            entries = slice(rows.indptr[some.start], rows.indptr[some.stop])
            each = counts[some]
            owner = np.repeat(np.arange(len(each)), each)
            drawn = rng.random(len(owner))
            later = () if times is None else (-times[entries],)
            position = np.arange(len(owner)) - np.repeat(np.cumsum(each) - each, each)
            chosen = position < np.repeat(number[some].astype(np.int64), each)
            out[entries][np.lexsort((drawn, *later, owner))] = chosen
        known, held = rows.where(~out), rows.where(out)
        people = np.flatnonzero((held.counts > 0) & (known.counts > 0))
        limit = min(PEOPLE, max(200, SCORES // max(rows.n_columns, 1)))
        if len(people) > limit:
            people = np.sort(rng.choice(people, limit, replace=False))
        return cls(known, held, people, times is not None)

    def batches(self) -> Iterator[tuple[Int64, Histories]]:
        """Yield batches of users with their known interactions."""
        every = Histories.of(self.known)
        size = min(_BATCH, rows_at_once(self.known.n_columns, _CELLS))
        for start in range(0, len(self.people), size):
            part = self.people[start : start + size]
            yield part, every.take(part)

    def ndcg(self, interest: Interest) -> float:
        """Return the mean nDCG@``CUTOFF`` of a scorer fitted to ``known``; 0 without users."""
        return float(self.ndcg_each(interest).mean()) if len(self.people) else 0.0

    def ndcg_each(self, interest: Interest) -> Float64:
        """Return ``ndcg`` of each user, float64 (people,)."""
        values = [self.ndcg_of(interest.scores(who), part) for part, who in self.batches()]
        return np.concatenate(values) if values else np.zeros(0)

    def ndcg_of(self, scores: Float32, people: Int64) -> Float64:
        """Return nDCG@``CUTOFF`` of users, with binary relevance, excluding known items.

        Args:
            scores: float32 (people, items); modified.
            people: Rows of the users in ``known`` and ``held``.

        Returns:
            float64 (people,).
        """
        gains = 1.0 / np.log2(np.arange(2, min(CUTOFF, scores.shape[1]) + 2))
        values = np.empty(len(people))
        known, held = self.known, self.held
        _ndcg(
            np.ascontiguousarray(scores),
            people,
            known.indptr,
            known.indices,
            held.indptr,
            held.indices,
            gains,
            np.cumsum(gains),
            values,
        )
        return values

    def calibration(self, interest: Interest) -> Calibration:
        """Calibrate a scorer fitted to ``known``."""
        counts = ChoiceCounts()
        step = max(1, len(self.people) * self.known.n_columns // _CALIBRATED)
        for part, who in replace(self, people=self.people[::step]).batches():
            counts.add(interest.scores(who), self.known, self.held, part)
        return counts.calibration()


@kernel()
def _ndcg(
    scores: Float32,
    people: Int64,
    known_ptr: Int64,
    known: Int32,
    held_ptr: Int64,
    held: Int32,
    gains: Float64,
    ideal: Float64,
    values: Float64,
) -> None:
    """Compute the nDCG of users; ties rank by item code.

    With few held-out items, counting the items that rank before each of them takes a twentieth of
    the time of selecting the top items. Held-out items are ranked best first, and the first one
    outside the list ends the loop.

    Args:
        scores: float32 (people, items); those of known items are set to -inf.
        people: int64 (people,), rows of the users.
        known_ptr: int64 (rows + 1,).
        known: int32, the known items of each row.
        held_ptr: int64 (rows + 1,).
        held: int32, the held-out items of each row, ascending.
        gains: float64 (k,), the gain at each rank.
        ideal: float64 (k,), cumulative sum of ``gains``.
        values: float64 (people,), overwritten.
    """
    k = len(gains)
    for row in range(len(people)):
        row_scores = scores[row]
        person = people[row]
        for entry in range(known_ptr[person], known_ptr[person + 1]):
            row_scores[known[entry]] = -np.inf
        relevant = held[held_ptr[person] : held_ptr[person + 1]]
        n = len(relevant) if len(relevant) < k else k
        total, score, item = 0.0, np.inf, np.int32(-1)
        for _ in range(n):
            best = np.int32(-1)
            for other in relevant:
                after = row_scores[other] < score or (row_scores[other] == score and other > item)
                if after and (best < 0 or row_scores[other] > row_scores[best]):
                    best = other
            item, score, rank = best, row_scores[best], 0
            for other in range(item):
                rank += row_scores[other] >= score
            for other in range(item + 1, len(row_scores)):
                rank += row_scores[other] > score
            if rank >= k:
                break
            total += gains[rank]
        values[row] = total / ideal[n - 1]
