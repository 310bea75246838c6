"""Fit the scorer of interest that a configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data import Csr
from ...train.linear import LinearConfig, fit_linear
from ...train.lists.config import ListsConfig
from .base import Interest
from .calibrate import NOTHING, Calibration
from .held_out import HeldOut
from .linear import Linear, Tilt
from .popularity import Popularity
from .search import search_linear

AUTO_SIDE = 6000
"""Users or items, whichever are fewer, up to which "auto" takes the closed form: its time grows
with the cube, its memory with the square."""


@dataclass(frozen=True, eq=False)
class FittedInterest:
    """A scorer of interest, and what its scores are worth beside a predicted rating."""

    interest: Interest
    calibration: Calibration


def fit_interest(rows: Csr, config: ListsConfig, rng: np.random.Generator) -> FittedInterest | None:
    """Fit a scorer of interest.

    Settings are chosen and scores calibrated on interactions held out; the scorer that is kept is
    fitted to all of them.

    Args:
        rows: Training interactions by user. Their values are ratings, or all the same.
        config: The options.
        rng: Draws the interactions held out.

    Returns:
        The scorer; None for ``interest = "none"``.

    Raises:
        UsageError: The closed form was asked for and does not fit in memory.
        TrainingError: It has no solution to working precision.
    """
    if config.interest == "none":
        return None
    if config.interest == "linear" and config.love != "auto":
        return FittedInterest(_fitted(rows, config.linear), NOTHING)
    part = HeldOut.draw(rows, rng)
    chosen: LinearConfig | None = config.linear
    if config.interest == "auto":
        small = min(rows.n_rows, rows.n_columns) <= AUTO_SIDE
        chosen = search_linear(part, config.linear) if small else None
    elif config.interest == "popularity":
        chosen = None
    calibration = part.calibration(_fitted(part.known, chosen))
    return FittedInterest(_fitted(rows, chosen), calibration)


def _fitted(rows: Csr, config: LinearConfig | None) -> Interest:
    """The linear autoencoder, or popularity for None."""
    counts = np.bincount(rows.indices, minlength=rows.n_columns).astype(np.float32)
    if config is None:
        return Popularity(counts)
    tilt = Tilt.of(config.tilt, rows.values)
    return Linear(counts, fit_linear(rows, config, tilt.strengths(rows.values)), tilt)
