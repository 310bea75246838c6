"""Choose a scorer of interest on interactions held out of training."""

from __future__ import annotations

import numpy as np

from ...base.memory import count_codes
from ...data import Csr
from ...train.implicit import IalsConfig
from ...train.linear import LinearConfig, allowed_gib, solve_mib
from ...train.lists import SCORERS, ListsConfig
from .base import scorer_module
from .candidates import Candidate, OnEpoch, best, blend, gains, searched
from .held_out import HeldOut
from .scorers.bspm import bspm
from .scorers.ials import ials
from .scorers.item_knn import item_knn
from .scorers.linear import linear
from .scorers.network import network
from .scorers.popularity import popularity
from .search import search_linear

AUTO_SIDE = 6000
"""Users or items, whichever are fewer, up to which settings of the closed form are searched for:
its time grows with the cube, its memory with the square."""
WHOLE_SIDE = 10_000
"""Likewise, up to which the closed form is always that of all items. Above, the one of each item's
nearest takes a fiftieth of the time, and on sparse data its lists are better."""
DENSE_ROW = 80.0
"""Mean interactions of the smaller side from which data are dense, and the closed form is that of
all items. That of the nearest is better with 19 to 38 (Gowalla), as good with 22 to 68 and worse
from 100 on (MovieLens-1M, thinned; docs/lab-notes.md)."""
LEAST_ROW = 8.0
"""Mean interactions of the smaller side from which a large closed form is worth its time."""
LEAST_SHARED = 0.2
"""Share of the interactions that must be of items of two people and more for anything but
popularity to be tried on large data: what one person alone has chosen says nothing of another."""
FACTOR_WEIGHTS = (0.15, 0.3, 0.5)
"""Weights that matrix factorisation and neighbours may have beside what is better than they."""
POPULAR_WEIGHTS = (0.03, 0.1, 0.3)
"""Weights that popularity may have: it orders what a short history says nothing of."""
LARGE_WEIGHTS = (0.3, 0.5, 0.2, 0.0)
"""Weights of closed form, matrix factorisation, low-pass filter and popularity from which those of
large data are searched for: found on two validation parts of Gowalla's LightGCN split, one of
random interactions and one of the last of each person (docs/lab-notes.md)."""
NEAREST = 100
"""Nearest items whose weights an item has where it does not have those of all."""
LOW_PASS = {"low_pass": 1.0, "blur": 0.0, "sharpen": 0.0}
"""Options of BSPM that leave its low-pass filter alone."""
LARGE_FACTORS = 256
"""Factors of matrix factorisation there."""


def choose(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """The scorer that ``ListsConfig.interest`` asks for, of whatever kind it may be."""
    kind = config.interest
    if kind in SCORERS:
        return scorer_module(kind).candidate(part, config, rng, on_epoch)
    small = is_small(part.known)
    settings, fitted = search_linear(part, config.linear) if small else (config.linear, None)
    closed = linear(part, settings, fitted)
    if kind == "blend":
        return blend(part, closed, network(part, config.net, rng, on_epoch))
    if not small:
        return large(part, config, rng, solve=kind == "best")
    quick = with_popularity(part, closed)
    # What one scorer does not find, a network does not find either: popularity is the answer soon.
    if kind == "auto" or not gains(quick, popularity(part)):
        return quick
    deep = network(part, config.net, rng, on_epoch)
    candidate = best([blend(part, closed, deep), closed, deep])
    candidate = joined(part, candidate, ials(part, search_ials(part, config.ials, rng), rng))
    return with_popularity(part, candidate)


def is_small(rows: Csr) -> bool:
    """Whether settings are searched for: scoring held-out people costs by the larger side."""
    smaller, larger = sorted((rows.n_rows, rows.n_columns))
    return smaller <= AUTO_SIDE and larger <= 10 * AUTO_SIDE


def large(part: HeldOut, config: ListsConfig, rng: np.random.Generator, solve: bool) -> Candidate:
    """What takes little time by data size: matrix factorisation, neighbours, and popularity.

    On sparse data there is a closed form of the nearest items beside them.

    Args:
        part: The interactions, with some of them held out.
        config: The options.
        rng: Draws initial vectors.
        solve: Whether a closed form of all items is added where the data are dense enough. Above
            ``WHOLE_SIDE``, or where memory does not allow weights of all items, a low-pass filter
            is added as well, and the weights of the blend are searched for from ``LARGE_WEIGHTS``.
    """
    known = part.known
    counts = count_codes(known.indices, known.n_columns)
    if counts[counts > 1].sum() < LEAST_SHARED * len(known.indices):
        return popularity(part)
    smaller = min(known.n_rows, known.n_columns)
    solve = solve and len(known.indices) >= LEAST_ROW * smaller
    settings = large_linear(part, config.linear)
    larger = smaller > WHOLE_SIDE or settings.nearest > 0
    near, popular = item_knn(part, config.knn), popularity(part)
    factors = ials(part, large_ials(part, config.ials, LARGE_FACTORS if solve else None), rng)
    if solve and larger and gains(near, popular):
        smooth = bspm(part, config.bspm.replace(LOW_PASS))
        scorers = [linear(part, settings), factors, smooth, popular]
        return searched(part, scorers, LARGE_WEIGHTS)
    first, second = (factors, near) if best([factors, near]) is factors else (near, factors)
    quick = with_popularity(part, joined(part, first, second))
    # Without ``solve``, of the nearest alone, which on dense data are slow and gain less.
    suited = solve or LEAST_ROW * smaller <= len(known.indices) < DENSE_ROW * smaller
    if not suited or (solve and larger) or not gains(quick, popular):
        return quick
    closed = linear(part, settings if solve else nearest_of(settings))
    return with_popularity(part, best([joined(part, closed, quick), quick]))


def joined(part: HeldOut, candidate: Candidate, other: Candidate) -> Candidate:
    """A scorer, or its blend with another where that is clearly better."""
    both = blend(part, candidate, other, FACTOR_WEIGHTS)
    return both if gains(both, candidate) else candidate


def with_popularity(part: HeldOut, candidate: Candidate) -> Candidate:
    """A scorer, with popularity added where that is clearly better.

    It is popularity alone where neither is clearly better than that.
    """
    popular = popularity(part)
    both = blend(part, candidate, popular, POPULAR_WEIGHTS)
    candidate = both if gains(both, candidate) else candidate
    return candidate if gains(candidate, popular) else popular


def large_linear(part: HeldOut, config: LinearConfig) -> LinearConfig:
    """Settings of the closed form where a system takes minutes, so that none are searched for.

    They were found on the validation part of Gowalla's LightGCN split. On sparse data above
    ``WHOLE_SIDE``, or where memory does not allow weights of all items, they are of the nearest.
    """
    shape = part.known.n_rows, part.known.n_columns
    mean = len(part.known.indices) / max(shape[1], 1)
    settings = config.replace({"penalty": 4.0 * mean, "user_power": 0.3, "denoising": 0.5})
    fits = solve_mib(*shape, settings) / 1024 <= allowed_gib(settings)
    dense = len(part.known.indices) >= DENSE_ROW * min(shape)
    if settings.nearest or (fits and (dense or min(shape) <= WHOLE_SIDE)):
        return settings
    return nearest_of(settings)


def nearest_of(settings: LinearConfig) -> LinearConfig:
    """The settings of a closed form whose items have weights of their nearest alone."""
    few = {"nearest": settings.nearest or NEAREST, "relax": 0.0, "diagonal_power": 1.0}
    return settings.replace(few)


def density(part: HeldOut) -> float:
    """Share of all pairs that are interactions."""
    return len(part.known.indices) / max(part.known.n_rows * part.known.n_columns, 1)


def large_ials(part: HeldOut, config: IalsConfig, factors: int | None) -> IalsConfig:
    """Settings of matrix factorisation for large data, found as those of ``large_linear``."""
    values = {"unobserved": 17.0 * density(part), "ridge": 0.002, "sweeps": 6}
    return config.replace({**values, "factors": factors or config.factors})


def search_ials(part: HeldOut, config: IalsConfig, rng: np.random.Generator) -> IalsConfig:
    """The settings of matrix factorisation with the best lists on held-out interactions."""
    rare = density(part)
    tried = [
        config.replace({"unobserved": times * rare, "ridge": ridge, "sweeps": 8})
        for times, ridge in ((1.0, 0.01), (3.0, 0.01), (12.0, 0.003))
    ]
    return max(tried, key=lambda each: float(ials(part, each, rng).ndcg.sum()))
