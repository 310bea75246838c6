"""Weights of a blend of several scorers, tuned on held-out interactions.

Each scorer ranks all items once for the users with held-out interactions. Its top ``DEPTH`` items
are kept with all scorers' scores, and the weights are searched on these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...base.arrays import Float32, Float64, row_bounds
from ...base.top import top_k
from ...data import Csr
from .base import Interest
from .blend import standardised
from .held_out import HeldOut

DEPTH = 100
"""Number of top items kept per scorer and user."""
STEP = 0.1
"""Smallest step of the weights."""
TOLERANCE = 0.03
"""Relative gain up to which the initial weights are kept if random interactions are held out, not
the latest: on Gowalla the best weights of the two differ by this much (docs/lab-notes.md)."""
TOLERANCE_LATEST = 0.01
"""Likewise if the latest are held out."""
_LEAST = -1e6
"""Score of known items and of padding."""

Weights = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Pool:
    """The top items of each scorer, and the scores of all scorers for them.

    Attributes:
        scores: float32 (people, places, scorers), standardised. A user's last places are the
            held-out items: among equal scores they rank last.
        part: The places as items, with the held-out ones.
        tolerance: Relative gain up to which the initial weights are kept.
    """

    scores: Float32
    part: HeldOut
    tolerance: float

    @classmethod
    def of(cls, part: HeldOut, scorers: Sequence[Interest]) -> Pool:
        """Build the pool of scorers fitted to ``part.known``."""
        kept: list[Float32] = []
        for people, histories in part.batches():
            scores = [standardised(each.scores(histories)) for each in scorers]
            for row, person in enumerate(people):
                mine = slice(part.known.indptr[person], part.known.indptr[person + 1])
                for each in scores:
                    each[row, part.known.indices[mine]] = _LEAST
            first = np.concatenate([top_k(each, DEPTH)[0] for each in scores], axis=1)
            for row, person in enumerate(people):
                mine = slice(part.held.indptr[person], part.held.indptr[person + 1])
                held = part.held.indices[mine]
                places = np.r_[np.setdiff1d(first[row], held), held]
                kept.append(np.stack([each[row, places] for each in scores], axis=1))
        width = max((len(each) for each in kept), default=0)
        pool = np.full((len(kept), width, len(scorers)), _LEAST, dtype=np.float32)
        for row, each in enumerate(kept):
            pool[row, width - len(each) :] = each
        counts = part.held.counts[part.people]
        ends = row_bounds(counts)
        held = (width - np.repeat(ends[1:], counts) + np.arange(ends[-1])).astype(np.int32)
        ones = np.ones(len(held), dtype=np.float32)
        nothing = Csr(np.zeros_like(ends), held[:0], ones[:0], None, width)
        people = np.arange(len(kept))
        tolerance = TOLERANCE_LATEST if part.latest else TOLERANCE
        return cls(pool, HeldOut(nothing, Csr(ends, held, ones, None, width), people), tolerance)

    def ndcg_each(self, weights: Sequence[float] | Float64) -> Float64:
        """Return the nDCG of each user's list by weighted scores, float64 (people,)."""
        total = self.scores @ np.asarray(weights, dtype=np.float32)
        return self.part.ndcg_of(total, self.part.people)

    def ndcg(self, weights: Sequence[float] | Float64) -> float:
        """Return the mean nDCG; 0 without users."""
        return float(self.ndcg_each(weights).mean()) if len(self.scores) else 0.0


def weigh(pool: Pool, initial: Sequence[float]) -> Weights:
    """Find weights for the scorers of a pool, non-negative, with sum 1.

    The search moves weight from one scorer to another, in decreasing steps. If the best weights
    gain a share g over the initial ones, the result is the point between the two closest to the
    initial weights that loses no more than ``tolerance`` squared over g of the score, at most
    ``tolerance``: a small gain on a sample does not justify leaving the initial weights.

    Args:
        pool: The pool of scores.
        initial: Initial weights, with sum 1, to which the result is kept close.
    """
    begin = np.asarray(initial, dtype=np.float64)
    chosen, score = begin, pool.ndcg(begin)
    step = 4 * STEP
    while step > STEP / 2:
        neighbours = [(pool.ndcg(each), each) for each in _moves(chosen, step)]
        best, weights = max(neighbours, key=lambda pair: pair[0], default=(0.0, begin))
        if best > score:
            chosen, score = weights, best
        else:
            step /= 2
    gain = score / max(pool.ndcg(begin), 1e-12) - 1.0
    lowest = score * (1.0 - pool.tolerance * min(1.0, pool.tolerance / max(gain, 1e-12)))
    weights_between = begin
    for share in np.linspace(0.0, 1.0, 21):
        weights_between = begin + share * (chosen - begin)
        if pool.ndcg(weights_between) >= lowest:
            break
    return tuple(float(weight) for weight in np.round(weights_between, 4))


def _moves(weights: Float64, step: float) -> list[Float64]:
    """Return the weights with ``step``, or all available, moved from one to another."""
    neighbours = []
    for giver in range(len(weights)):
        amount = min(step, weights[giver])
        if amount < 1e-9:
            continue
        for taker in range(len(weights)):
            if taker != giver:
                each = weights.copy()
                each[giver] -= amount
                each[taker] += amount
                neighbours.append(np.round(each, 6))
    return neighbours
