"""Candidate scorers, fitted without the held-out interactions; the chosen one is refitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...base.arrays import Float32, Float64
from ...data import Csr
from ...train.lists import ListEpoch, ListRun
from .base import Interest, users_of_items
from .blend import Blend, standardised
from .held_out import HeldOut
from .weigh import Pool, weigh

OnEpoch = Callable[[ListEpoch], None]

WEIGHTS = (0.25, 0.4, 0.5, 0.6, 0.75)
"""Candidate weights of the second part of a blend."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A candidate scorer of interest.

    Attributes:
        part: The interactions, split into known and held-out ones.
        fit: Fits the scorer with the same settings to any interactions.
        fitted: The scorer fitted without the held-out interactions, if already done.
    """

    part: HeldOut
    fit: Callable[[Csr], Interest]
    fitted: Interest | None = None

    @cached_property
    def known(self) -> Interest:
        """The scorer fitted without the held-out interactions, on first access."""
        return self.fit(self.part.known) if self.fitted is None else self.fitted

    @property
    def is_fitted(self) -> bool:
        """Whether ``known`` is already fitted."""
        return self.fitted is not None or "known" in self.__dict__

    @cached_property
    def ndcg(self) -> Float64:
        """NDCG of each user's list on the held-out interactions, float64 (people,)."""
        return self.part.ndcg_each(self.known)


def trained_twice(
    part: HeldOut,
    scorer: Callable[[Float32, Any], Interest],
    train: Callable[..., ListRun[Any]],
    rng: np.random.Generator,
    *,
    choose: bool = True,
) -> Candidate:
    """Return a network trained without the held-out interactions, and refitted with as many epochs.

    Args:
        part: The interactions, split into known and held-out ones.
        scorer: Makes the scorer from the users of each item and the weights.
        train: ``fit_list_network`` or ``fit_recvae`` with its options.
        rng: Draws the seed of both trainings.
        choose: Whether to take the epoch with the best nDCG on the held-out interactions.
    """
    seed = int(rng.integers(2**63))
    counts = users_of_items(part.known)

    def score(weights: Any) -> float:
        return part.ndcg(scorer(counts, weights))

    first = train(part.known, rng=np.random.default_rng(seed), score=score if choose else None)

    def fit(rows: Csr) -> Interest:
        run = train(rows, rng=np.random.default_rng(seed), last=first.epoch)
        return scorer(users_of_items(rows), run.weights)

    return Candidate(part, fit, scorer(counts, first.weights))


def blend(
    part: HeldOut, one: Candidate, two: Candidate, weights: Sequence[float] = WEIGHTS
) -> Candidate:
    """Blend two scorers, with the best weight on the held-out interactions."""
    totals = np.zeros(len(weights))
    for people, histories in part.batches():
        first, second = (
            standardised(candidate.known.scores(histories)) for candidate in (one, two)
        )
        for at, weight in enumerate(weights):
            mixed = np.float32(1.0 - weight) * first + np.float32(weight) * second
            totals[at] += part.ndcg_of(mixed, people).sum()
    # Without held-out users all weights are equal, and the middle one is taken.
    best = weights[int(np.argmax(totals))] if totals.any() else weights[len(weights) // 2]
    return weighted(part, (one, two), (1.0 - best, best))


def weighted(part: HeldOut, candidates: Sequence[Candidate], weights: Sequence[float]) -> Candidate:
    """Blend several scorers' standardised scores with given weights."""

    def fit(rows: Csr) -> Interest:
        return Blend(users_of_items(rows), [each.fit(rows) for each in candidates], weights)

    known = None
    if all(each.is_fitted for each in candidates):
        known = Blend(users_of_items(part.known), [each.known for each in candidates], weights)
    return Candidate(part, fit, known)


def searched(part: HeldOut, candidates: Sequence[Candidate], initial: Sequence[float]) -> Candidate:
    """Blend several scorers, with weights searched on the held-out interactions.

    Returns the last scorer alone if no blend is significantly better.
    """
    pool = Pool.of(part, [each.known for each in candidates])
    weights = weigh(pool, initial)
    last_only = np.eye(len(candidates))[-1]
    if not _gains(pool.ndcg_each(weights), pool.ndcg_each(last_only)):
        return candidates[-1]
    used = [at for at, weight in enumerate(weights) if weight > 0.0]
    return weighted(part, [candidates[at] for at in used], [weights[at] for at in used])


def best(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the highest nDCG on the held-out interactions."""
    return max(candidates, key=lambda each: float(each.ndcg.sum()))


def gains(candidate: Candidate, other: Candidate) -> bool:
    """Return whether a candidate is better than another by more than a paired standard error."""
    return _gains(candidate.ndcg, other.ndcg)


def _gains(candidate: Float64, other: Float64) -> bool:
    gain = candidate - other
    if len(gain) < 2:
        return False
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))
