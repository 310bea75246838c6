"""Fit the scorer of interest of a configuration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data import Csr
from ...train.lists import ListsConfig
from .base import Interest
from .calibrate import NOTHING, Calibration, ChoiceRate
from .candidates import OnEpoch
from .choose import choose
from .held_out import HeldOut


@dataclass(frozen=True, eq=False)
class FittedInterest:
    """A scorer of interest and its calibration.

    Attributes:
        interest: The scorer.
        calibration: Its calibration against predicted ratings.
        rate: The rate of choice by score, if measured.
    """

    interest: Interest
    calibration: Calibration
    rate: ChoiceRate | None = None


def fit_interest(
    rows: Csr, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None = None
) -> FittedInterest | None:
    """Fit a scorer of interest.

    Settings are chosen and scores calibrated on held-out interactions; the chosen scorer is then
    fitted to all interactions.

    Args:
        rows: Training interactions by user. Their values are ratings, or all the same.
        config: The options.
        rng: Draws the held-out interactions, and seeds a network.
        on_epoch: Called after each epoch of a network.

    Returns:
        The scorer; None for ``interest = "none"``.

    Raises:
        UsageError: The closed form is configured and does not fit in memory.
        TrainingError: It has no solution to working precision, or a network diverged.
    """
    if config.interest == "none":
        return None
    part = HeldOut.draw(rows, rng)
    chosen = choose(part, config, rng, on_epoch)
    calibration = NOTHING
    twice = config.love == 0.0 and config.interest in ("linear", "network")
    if not twice and (chosen.stand_in is None or has_ratings(rows)):
        calibration = part.calibration(chosen.known)
    calibrated = calibration is not NOTHING and chosen.stand_in is None
    rate = calibration.rate if calibrated else None
    return FittedInterest(chosen.fit(rows), calibration, rate)


def has_ratings(rows: Csr) -> bool:
    """Whether values differ: interactions are all the same, and there is no liking to weigh."""
    return bool(len(rows.values)) and bool((rows.values != rows.values[0]).any())
