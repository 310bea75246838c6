"""Candidate scorers, fitted without the held-out interactions; the chosen one is refitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...base.arrays import Float32, Float64
from ...data import Csr
from ...train.lists import ListEpoch
from .base import Interest, users_of_items
from .blend import Blend, standardised
from .held_out import HeldOut
from .weigh import Pool, weigh

OnEpoch = Callable[[ListEpoch], None]

WEIGHTS = (0.25, 0.4, 0.5, 0.6, 0.75)
"""Weights that the second part of a blend may have; the first has the rest."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A scorer of interest that may be chosen.

    Attributes:
        part: The interactions, some of them held out.
        fit: Fits the scorer with the same settings to any interactions.
        fitted: It, fitted without the interactions held out, where that was done already.
    """

    part: HeldOut
    fit: Callable[[Csr], Interest]
    fitted: Interest | None = None

    @cached_property
    def known(self) -> Interest:
        """It, fitted without the interactions held out when this is first asked for."""
        return self.fit(self.part.known) if self.fitted is None else self.fitted

    @property
    def is_fitted(self) -> bool:
        """Whether ``known`` takes no fitting any more."""
        return self.fitted is not None or "known" in self.__dict__

    @cached_property
    def ndcg(self) -> Float64:
        """NDCG of each person's list on the interactions held out, float64 (people,)."""
        return self.part.ndcg_each(self.known)


def blend(
    part: HeldOut, one: Candidate, two: Candidate, weights: Sequence[float] = WEIGHTS
) -> Candidate:
    """A blend of two scorers, with the best weight on the held-out interactions."""
    totals = np.zeros(len(weights))
    for people, histories in part.batches():
        first, second = (
            standardised(candidate.known.scores(histories)) for candidate in (one, two)
        )
        for at, weight in enumerate(weights):
            totals[at] += part.ndcg_of(_mixed(first, second, weight), people).sum()
    # Without held-out users all weights are equal, and the middle one is taken.
    best = weights[int(np.argmax(totals))] if totals.any() else weights[len(weights) // 2]
    return weighted(part, (one, two), (1.0 - best, best))


def weighted(part: HeldOut, candidates: Sequence[Candidate], weights: Sequence[float]) -> Candidate:
    """Several scorers' standardised scores, with given weights."""

    def fit(rows: Csr) -> Interest:
        return Blend(users_of_items(rows), [each.fit(rows) for each in candidates], weights)

    known = None
    if all(each.is_fitted for each in candidates):
        known = Blend(users_of_items(part.known), [each.known for each in candidates], weights)
    return Candidate(part, fit, known)


def searched(part: HeldOut, candidates: Sequence[Candidate], initial: Sequence[float]) -> Candidate:
    """A blend of several scorers, with weights searched for on the held-out interactions.

    It is the last scorer alone where no blend is clearly better than that.
    """
    pool = Pool.of(part, [each.known for each in candidates])
    weights = weigh(pool, initial)
    alone = np.eye(len(candidates))[-1]
    if not _gains(pool.ndcg_each(weights), pool.ndcg_each(alone)):
        return candidates[-1]
    used = [at for at, weight in enumerate(weights) if weight > 0.0]
    return weighted(part, [candidates[at] for at in used], [weights[at] for at in used])


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate with the highest nDCG on the held-out interactions."""
    return max(candidates, key=lambda each: float(each.ndcg.sum()))


def gains(one: Candidate, other: Candidate) -> bool:
    """Whether a candidate is better than another by more than a standard error, paired."""
    return _gains(one.ndcg, other.ndcg)


def _gains(one: Float64, other: Float64) -> bool:
    gain = one - other
    if len(gain) < 2:
        return False
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _mixed(first: Float32, second: Float32, weight: float) -> Float32:
    return np.float32(1.0 - weight) * first + np.float32(weight) * second
