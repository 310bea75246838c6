"""Fit the scorer of interest that a configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data import Csr
from ...train.linear import LinearConfig, solve_mib
from ...train.lists import ListsConfig
from .base import Interest
from .calibrate import NOTHING, Calibration
from .candidates import (
    Candidate,
    OnEpoch,
    best,
    blend,
    fitted_linear,
    ials,
    item_knn,
    linear,
    network,
    popularity,
)
from .held_out import HeldOut
from .search import search_linear

AUTO_SIDE = 6000
"""Users or items, whichever are fewer, up to which settings of the closed form are searched for:
its time grows with the cube, its memory with the square. Above, "best" is one closed form with the
settings of ``_large`` if its memory allows."""


@dataclass(frozen=True, eq=False)
class FittedInterest:
    """A scorer of interest, and what its scores are worth beside a predicted rating."""

    interest: Interest
    calibration: Calibration


def fit_interest(
    rows: Csr, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None = None
) -> FittedInterest | None:
    """Fit a scorer of interest.

    Settings are chosen and scores calibrated on interactions held out; the scorer that is kept is
    fitted to all of them.

    Args:
        rows: Training interactions by user. Their values are ratings, or all the same.
        config: The options.
        rng: Draws the interactions held out, and seeds a network.
        on_epoch: Called after each epoch of a network.

    Returns:
        The scorer; None for ``interest = "none"``.

    Raises:
        UsageError: The closed form was asked for and does not fit in memory.
        TrainingError: It has no solution to working precision, or a network diverged.
    """
    if config.interest == "none":
        return None
    if config.interest == "linear" and config.love != "auto":
        return FittedInterest(fitted_linear(rows, config.linear), NOTHING)
    if config.interest == "best" and not _small(rows):
        large = _large(rows, config.linear)
        if solve_mib(rows.n_rows, rows.n_columns, large) / 1024 <= large.max_gib:
            return FittedInterest(fitted_linear(rows, large), NOTHING)
    part = HeldOut.draw(rows, rng)
    chosen = _chosen(part, config, rng, on_epoch)
    calibration = part.calibration(chosen.known)
    return FittedInterest(chosen.fit(rows), calibration)


def _small(rows: Csr) -> bool:
    """Whether settings are searched for: scoring held-out people costs by the larger side."""
    least, most = sorted((rows.n_rows, rows.n_columns))
    return least <= AUTO_SIDE and most <= 10 * AUTO_SIDE


def _large(rows: Csr, config: LinearConfig) -> LinearConfig:
    """Settings of the closed form where a system takes minutes, so that only one is solved.

    They were found on the validation part of Gowalla's LightGCN split.
    """
    mean = len(rows.indices) / max(rows.n_columns, 1)
    return config.replace({"penalty": 4.0 * mean, "user_power": 0.3, "denoising": 0.5})


def _chosen(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    kind = config.interest
    if kind == "popularity":
        return popularity(part)
    if kind == "linear":
        return linear(part, config.linear)
    if kind == "ials":
        return ials(part, config.ials, rng)
    if kind == "item-knn":
        return item_knn(part, config.knn)
    if kind == "network":
        return network(part, config.net, rng, on_epoch)
    small = _small(part.known)
    closed = linear(part, search_linear(part, config.linear)) if small else None
    if kind == "blend" and closed is None:
        closed = linear(part, config.linear)
    if kind == "auto":
        return closed or popularity(part)
    deep = network(part, config.net, rng, on_epoch)
    if closed is None:
        return best(part, [deep, popularity(part)])
    both = blend(part, closed, deep)
    return both if kind == "blend" else best(part, [both, closed, deep])
