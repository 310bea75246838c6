"""Candidate scorers, fitted without the held-out interactions; the chosen one is refitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...base.arrays import Float32, Float64
from ...data import Csr
from ...train.implicit import BspmConfig, IalsConfig, ItemKnnConfig, fit_ials, fit_item_knn
from ...train.linear import LinearConfig
from ...train.lists import (
    ListEpoch,
    ListNetworkConfig,
    ListNetworkRun,
    ListNetworkWeights,
    RecVaeConfig,
    RecVaeWeights,
)
from .base import Interest
from .blend import Blend, standardised
from .bspm import Bspm
from .factors import Factors
from .held_out import HeldOut
from .linear import Linear
from .neighbours import Neighbours
from .network import Network
from .popularity import Popularity
from .recvae import RecVae

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
        stand_in: What is calibrated in its place where fitting it twice would take too long.
    """

    part: HeldOut
    fit: Callable[[Csr], Interest]
    fitted: Interest | None = None
    stand_in: Candidate | None = None

    @cached_property
    def known(self) -> Interest:
        """It, fitted without the interactions held out when this is first asked for."""
        if self.stand_in is not None:
            return self.stand_in.known
        return self.fit(self.part.known) if self.fitted is None else self.fitted

    @property
    def is_fitted(self) -> bool:
        """Whether ``known`` takes no fitting any more."""
        return self.fitted is not None or "known" in self.__dict__

    @cached_property
    def ndcg(self) -> Float64:
        """NDCG of each person's list on the interactions held out, float64 (people,)."""
        return self.part.ndcg_each(self.known)


def popularity(part: HeldOut) -> Candidate:
    """Popularity, the same scores for all users."""

    def fit(rows: Csr) -> Interest:
        return Popularity(_counts(rows))

    return Candidate(part, fit)


def linear(part: HeldOut, config: LinearConfig, fitted: Interest | None = None) -> Candidate:
    """A linear autoencoder in closed form; ``fitted`` as for ``Candidate``."""

    def fit(rows: Csr) -> Interest:
        return Linear.fitted(rows, config)

    return Candidate(part, fit, fitted)


def ials(part: HeldOut, config: IalsConfig, rng: np.random.Generator) -> Candidate:
    """Matrix factorisation of interactions."""
    seed = int(rng.integers(2**63))

    def fit(rows: Csr) -> Interest:
        return Factors(_counts(rows), fit_ials(rows, config, np.random.default_rng(seed)))

    return Candidate(part, fit)


def item_knn(part: HeldOut, config: ItemKnnConfig) -> Candidate:
    """The nearest neighbours of items."""

    def fit(rows: Csr) -> Interest:
        return Neighbours(_counts(rows), fit_item_knn(rows, config))

    return Candidate(part, fit)


def bspm(part: HeldOut, config: BspmConfig) -> Candidate:
    """Interactions blurred and sharpened."""

    def fit(rows: Csr) -> Interest:
        return Bspm.fitted(rows, config)

    return Candidate(part, fit)


def network(
    part: HeldOut,
    config: ListNetworkConfig,
    rng: np.random.Generator,
    on_epoch: OnEpoch | None = None,
) -> Candidate:
    """A deep autoencoder; its epochs are reported of both trainings."""
    from ...train.lists import fit_list_network  # imports torch

    seed = int(rng.integers(2**63))
    counts = _counts(part.known)

    def score(weights: ListNetworkWeights) -> float:
        return part.ndcg(Network(counts, weights))

    def run(rows: Csr, last: int | None, choose: bool = False) -> ListNetworkRun:
        chosen = score if choose else None
        draw = np.random.default_rng(seed)
        return fit_list_network(rows, config, draw, last=last, score=chosen, on_epoch=on_epoch)

    first = run(part.known, None, config.choose_epoch)

    def fit(rows: Csr) -> Interest:
        return Network(_counts(rows), run(rows, first.epoch).weights)

    return Candidate(part, fit, Network(counts, first.weights))


def recvae(
    part: HeldOut, config: RecVaeConfig, rng: np.random.Generator, on_epoch: OnEpoch | None = None
) -> Candidate:
    """RecVAE, with the round that is best on the interactions held out."""
    from ...train.lists import fit_recvae  # imports torch

    seed = int(rng.integers(2**63))
    counts = _counts(part.known)

    def score(weights: RecVaeWeights) -> float:
        return part.ndcg(RecVae(counts, weights))

    draw = np.random.default_rng(seed)
    first = fit_recvae(part.known, config, draw, score=score, on_epoch=on_epoch)

    def fit(rows: Csr) -> Interest:
        draw = np.random.default_rng(seed)
        run = fit_recvae(rows, config, draw, last=first.epoch, on_epoch=on_epoch)
        return RecVae(_counts(rows), run.weights)

    return Candidate(part, fit, RecVae(counts, first.weights))


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
        return Blend(_counts(rows), [each.fit(rows) for each in candidates], weights)

    known = None
    if all(each.is_fitted for each in candidates):
        known = Blend(_counts(part.known), [each.known for each in candidates], weights)
    return Candidate(part, fit, known)


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate with the highest nDCG on the held-out interactions."""
    return max(candidates, key=lambda each: float(each.ndcg.sum()))


def gains(one: Candidate, other: Candidate) -> bool:
    """Whether a candidate is better than another by more than a standard error, paired."""
    gain = one.ndcg - other.ndcg
    if len(gain) < 2:
        return False
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _mixed(first: Float32, second: Float32, weight: float) -> Float32:
    return np.float32(1.0 - weight) * first + np.float32(weight) * second


def _counts(rows: Csr) -> Float32:
    """Users of each item, float32 (items,)."""
    return np.bincount(rows.indices, minlength=rows.n_columns).astype(np.float32)
