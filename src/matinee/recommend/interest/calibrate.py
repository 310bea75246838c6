"""Calibration of scores of interest on held-out interactions.

The rate at which a user chooses an unseen item is modelled as proportional to ``max(score, floor)
** power``, with the score in units of the root mean square of the user's scores, by Poisson
regression on held-out interactions over all unseen items of a sample of users. The expected number
of choices of each user is fixed to the observed one, so that active users do not dominate. The
probability that an item is chosen and liked is ``rate * P(liked)``, which gives the same order as
``max(score, floor) * P(liked) ** (1 / power)``: ``1 / power`` is the exponent of the probability of
liking. If scores do not predict choices, the power is near zero, and the predicted rating
determines the order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.arrays import Array, Float32, Float64, Int64, Mask
from ...data import Csr

FLOORS = (0.02, 0.1, 0.3, 1.0, 2.0)
"""Candidate floors, in units of the root mean square of a user's scores."""
GREATEST_LOVE = 20.0
"""Largest exponent of the probability of liking."""
_BINS = 256
_STEPS = 40
_RIDGE = 1e-3
_LEAST_GAIN = 2.0
"""Minimum gain in log likelihood over constant scores: a chi-squared test at 5%."""


@dataclass(frozen=True)
class Calibration:
    """Calibration of a scorer of interest.

    Attributes:
        love: Exponent of the probability of liking, ``1 / power``.
        floor: Lower bound of the scores, in units of the root mean square of the user's scores.
    """

    love: float
    floor: float

    @property
    def rate(self) -> ChoiceRate:
        """The rate of choice by score; constant if scores have no predictive power."""
        power = 0.0 if self.love >= GREATEST_LOVE else 1.0 / self.love
        return ChoiceRate(power, self.floor)


NOTHING = Calibration(1.0, 0.0)


@dataclass(frozen=True)
class ChoiceRate:
    """The rate of choice by score of interest.

    Attributes:
        power: The rate is proportional to ``max(score, floor) ** power``.
        floor: In units of the root mean square of the user's scores; positive.
    """

    power: float
    floor: float

    def shares(self, scores: Float32, seen: Mask) -> Float64:
        """Return the probability that each item is a user's next choice, float64 (people, items).

        Args:
            scores: float32 (people, items).
            seen: Items of each user's history, bool (people, items); their probability is 0.
        """
        size = np.sqrt(np.mean(np.square(scores, dtype=np.float64), axis=1, keepdims=True))
        rates = np.maximum(scores / np.maximum(size, 1e-12), self.floor) ** self.power
        rates[seen] = 0.0
        return rates / np.maximum(rates.sum(axis=1, keepdims=True), 1e-300)


class ChoiceCounts:
    """Expected and observed choices by score, accumulated over batches."""

    def __init__(self) -> None:
        self.edges = np.geomspace(1e-3, 1e3, _BINS - 1)
        self.expected = np.zeros(_BINS)
        self.hits = np.zeros(_BINS)
        self.sums = np.zeros(_BINS)

    def add(self, scores: Array, known: Csr, held: Csr, people: Int64) -> None:
        """Add the unseen items of some users.

        Args:
            scores: Scores of all items, (people, items).
            known: Interactions from which the scores were computed.
            held: Held-out interactions.
            people: Rows of the users in both.
        """
        for row, person in enumerate(people.tolist()):
            scaled = scores[row] / max(float(np.sqrt(np.mean(np.square(scores[row])))), 1e-12)
            seen = known.indices[known.indptr[person] : known.indptr[person + 1]]
            chosen = held.indices[held.indptr[person] : held.indptr[person + 1]]
            unseen = np.ones(len(scaled), dtype=np.bool_)
            unseen[seen] = False
            above = np.flatnonzero(scaled > self.edges[0])  # the rest are most, in bin 0
            bin_index = np.zeros(len(scaled), dtype=np.int64)
            bin_index[above] = np.searchsorted(self.edges, scaled[above])
            share = len(chosen) / max(int(unseen.sum()), 1)
            self.expected += share * np.bincount(bin_index[unseen], minlength=_BINS)
            positive = np.maximum(scaled[unseen], 0.0)
            self.sums += share * np.bincount(bin_index[unseen], positive, minlength=_BINS)
            self.hits += np.bincount(bin_index[chosen], minlength=_BINS)

    def calibration(self) -> Calibration:
        """Fit floor and power by maximum likelihood."""
        some = self.expected > 0
        if not some.any() or self.hits.sum() == 0:
            return NOTHING
        expected, hits = self.expected[some], self.hits[some]
        score = self.sums[some] / expected
        best = (-np.inf, 0.0, 0.0)
        for floor in FLOORS:
            power, likelihood = _poisson(np.log(np.maximum(score, floor)), expected, hits)
            if likelihood > best[0]:
                best = (likelihood, power, floor)
        likelihood, power, floor = best
        nothing = float(hits.sum() * (np.log(hits.sum() / expected.sum()) - 1.0))
        if likelihood - nothing < _LEAST_GAIN:
            power = 0.0
        return Calibration(min(1.0 / max(power, 1e-6), GREATEST_LOVE), float(floor))


def _poisson(x: Float64, exposure: Float64, hits: Float64) -> tuple[float, float]:
    """Fit slope and log likelihood of hits ~ Poisson(exposure * exp(a + slope * x)), slope >= 0."""
    x = x - np.average(x, weights=exposure)
    a, slope = float(np.log(hits.sum() / exposure.sum())), 0.0
    for _ in range(_STEPS):
        rate = exposure * np.exp(np.clip(a + slope * x, -50.0, 50.0))
        gradient = np.array([(hits - rate).sum(), ((hits - rate) * x).sum() - _RIDGE * slope])
        inner = np.array(
            [[rate.sum(), (rate * x).sum()], [(rate * x).sum(), (rate * x * x).sum() + _RIDGE]]
        )
        step = np.clip(np.linalg.solve(inner, gradient), -1.0, 1.0)
        a, slope = a + float(step[0]), slope + float(step[1])
        if np.abs(step).max() < 1e-9:
            break
    if slope < 0.0:
        a, slope = float(np.log(hits.sum() / exposure.sum())), 0.0
    logs = a + slope * x
    return slope, float((hits * logs).sum() - (exposure * np.exp(np.clip(logs, -50, 50))).sum())
