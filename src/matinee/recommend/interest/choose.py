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
from .scorers import item_knn, network
from .scorers.bspm import bspm
from .scorers.ials import ials
from .scorers.linear import linear
from .scorers.popularity import popularity
from .search import search_linear

AUTO_SIDE = 6000
"""Largest smaller side (users or items) for which settings of the closed form are tuned: its time
is cubic and its memory quadratic in it."""
WHOLE_SIDE = 10_000
"""Largest smaller side for which the closed form is always over all items. Above, restricting each
item to its nearest takes a fiftieth of the time, and gives better lists on sparse data."""
DENSE_ROW = 80.0
"""Mean interactions of the smaller side from which data count as dense, and the closed form is over
all items. Nearest items are better with 19 to 38 (Gowalla), equal with 22 to 68 and worse from 100
on (MovieLens-1M, thinned; docs/lab-notes.md)."""
LEAST_ROW = 8.0
"""Mean interactions of the smaller side from which a large closed form is worth its time."""
LEAST_SHARED = 0.2
"""Minimum share of interactions with items of at least two users to try anything but popularity on
large data: choices of a single user say nothing about others."""
MOST_PAIRS = 10_000.0
"""Most pairs of items of one user per interaction for which similarities of items are computed on
large data: about 20 microseconds. Of published data few have more than 1,000."""
FACTOR_WEIGHTS = (0.15, 0.3, 0.5)
"""Candidate weights of matrix factorisation or neighbours in a blend with the better scorer."""
POPULAR_WEIGHTS = (0.03, 0.1, 0.3)
"""Candidate weights of popularity, which orders items unrelated to a short history."""
LARGE_WEIGHTS = (0.3, 0.5, 0.2, 0.0)
"""Initial weights of closed form, matrix factorisation, low-pass filter and popularity on large
data: tuned on two validation parts of Gowalla's LightGCN split, one of random interactions and one
of the last ones of each user (docs/lab-notes.md)."""
NEAREST = 100
"""Number of nearest items in the restricted closed form."""
LOW_PASS = {"low_pass": 1.0, "blur": 0.0, "sharpen": 0.0}
"""Options of BSPM that reduce it to its low-pass filter."""
LARGE_FACTORS = 256
"""Factors of matrix factorisation on large data."""


def choose(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """Choose the scorer according to ``ListsConfig.interest``."""
    kind = config.interest
    if kind in SCORERS:
        return scorer_module(kind).candidate(part, config, rng, on_epoch)
    small = is_small(part.known)
    settings, fitted = search_linear(part, config.linear) if small else (config.linear, None)
    closed = linear(part, settings, fitted)
    if kind == "blend":
        return blend(part, closed, network.candidate(part, config, rng, on_epoch))
    if not small:
        return large(part, config, rng, solve=kind == "best")
    quick = with_popularity(part, closed)
    # If a quick scorer finds nothing, neither does a network: stop early at popularity.
    if kind == "auto" or not gains(quick, popularity(part)):
        return quick
    deep = network.candidate(part, config, rng, on_epoch)
    candidate = best([blend(part, closed, deep), closed, deep])
    candidate = joined(part, candidate, ials(part, search_ials(part, config.ials, rng), rng))
    return with_popularity(part, candidate)


def is_small(rows: Csr) -> bool:
    """Return whether settings are tuned: the cost of scoring grows with the larger side."""
    smaller, larger = sorted((rows.n_rows, rows.n_columns))
    return smaller <= AUTO_SIDE and larger <= 10 * AUTO_SIDE


def large(part: HeldOut, config: ListsConfig, rng: np.random.Generator, solve: bool) -> Candidate:
    """Choose among scorers that are fast on large data: factors, neighbours and popularity.

    On sparse data, the closed form over nearest items is a further candidate. Neighbours are left
    out where users with very many items would make them slow (``MOST_PAIRS``).

    Args:
        part: The interactions, split into known and held-out ones.
        config: The options.
        rng: Draws initial vectors.
        solve: Whether the closed form over all items is added if data are dense enough. Above
            ``WHOLE_SIDE``, or if memory does not suffice for it, a low-pass filter is added as
            well, and the weights of the blend are searched from ``LARGE_WEIGHTS``.
    """
    known = part.known
    counts = count_codes(known.indices, known.n_columns)
    if counts[counts > 1].sum() < LEAST_SHARED * len(known.indices):
        return popularity(part)
    smaller = min(known.n_rows, known.n_columns)
    solve = solve and len(known.indices) >= LEAST_ROW * smaller
    settings = large_linear(part, config.linear)
    larger = smaller > WHOLE_SIDE or settings.nearest > 0
    factors = ials(part, large_ials(part, config.ials, LARGE_FACTORS if solve else None), rng)
    if np.square(known.counts, dtype=np.float64).sum() > MOST_PAIRS * len(known.indices):
        return with_popularity(part, factors)
    knn, popular = item_knn.candidate(part, config, rng, None), popularity(part)
    if solve and larger and gains(knn, popular):
        smooth = bspm(part, config.bspm.replace(LOW_PASS))
        scorers = [linear(part, settings), factors, smooth, popular]
        return searched(part, scorers, LARGE_WEIGHTS)
    first, second = (factors, knn) if best([factors, knn]) is factors else (knn, factors)
    quick = with_popularity(part, joined(part, first, second))
    # Without ``solve``, only over nearest items, which are slow and gain less on dense data.
    affordable = solve or LEAST_ROW * smaller <= len(known.indices) < DENSE_ROW * smaller
    if not affordable or (solve and larger) or not gains(quick, popular):
        return quick
    closed = linear(part, settings if solve else nearest_of(settings))
    return with_popularity(part, best([joined(part, closed, quick), quick]))


def joined(part: HeldOut, candidate: Candidate, other: Candidate) -> Candidate:
    """Return a scorer, or its blend with another if that is significantly better."""
    blended = blend(part, candidate, other, FACTOR_WEIGHTS)
    return blended if gains(blended, candidate) else candidate


def with_popularity(part: HeldOut, candidate: Candidate) -> Candidate:
    """Return a scorer, with popularity blended in if that is significantly better.

    Returns popularity alone if neither is significantly better than it.
    """
    popular = popularity(part)
    blended = blend(part, candidate, popular, POPULAR_WEIGHTS)
    candidate = blended if gains(blended, candidate) else candidate
    return candidate if gains(candidate, popular) else popular


def large_linear(part: HeldOut, config: LinearConfig) -> LinearConfig:
    """Return fixed settings of the closed form for data where a system takes minutes.

    They were tuned on the validation part of Gowalla's LightGCN split. On sparse data above
    ``WHOLE_SIDE``, or if memory does not suffice for all items, only nearest items are used.
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
    """Restrict the settings of a closed form to the nearest items."""
    restricted = {"nearest": settings.nearest or NEAREST, "relax": 0.0, "diagonal_power": 1.0}
    return settings.replace(restricted)


def density(part: HeldOut) -> float:
    """Return the share of all pairs that are interactions."""
    return len(part.known.indices) / max(part.known.n_rows * part.known.n_columns, 1)


def large_ials(part: HeldOut, config: IalsConfig, factors: int | None) -> IalsConfig:
    """Return fixed settings of matrix factorisation for large data, as for ``large_linear``."""
    values = {"unobserved": 17.0 * density(part), "ridge": 0.002, "sweeps": 6}
    return config.replace({**values, "factors": factors or config.factors})


def search_ials(part: HeldOut, config: IalsConfig, rng: np.random.Generator) -> IalsConfig:
    """Tune the settings of matrix factorisation on held-out interactions."""
    rare = density(part)
    tried = [
        config.replace({"unobserved": times * rare, "ridge": ridge, "sweeps": 8})
        for times, ridge in ((1.0, 0.01), (3.0, 0.01), (12.0, 0.003))
    ]
    return max(tried, key=lambda each: float(ials(part, each, rng).ndcg.sum()))
