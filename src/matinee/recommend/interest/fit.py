"""Fit the scorer of interest of a configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...data import Csr
from ...train.lists import ListsConfig
from .base import Interest, mean_one
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
        rows: Training interactions by user. Their values are ratings, or all the same. Their
            weights count relative to the mean weight.
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
    rows, unit = mean_one(rows)
    part = HeldOut.draw(rows, rng)
    chosen = choose(part, config, rng, on_epoch)
    calibration = NOTHING
    twice = config.love == 0.0 and config.interest in ("linear", "network")
    if not twice and (chosen.stand_in is None or has_ratings(rows)):
        calibration = part.calibration(chosen.known)
    calibrated = calibration is not NOTHING and chosen.stand_in is None
    rate = calibration.rate if calibrated else None
    interest = chosen.fit(rows)
    interest.unit = unit
    return FittedInterest(interest, calibration, rate)


def refitted(fitted: FittedInterest, rows: Csr) -> FittedInterest | None:
    """A scorer with the same settings and calibration, fitted to other interactions.

    Args:
        fitted: The scorer.
        rows: Training interactions by user, as for ``fit_interest``.

    Returns:
        None where the scorer cannot be fitted again.
    """
    rows, unit = mean_one(rows)
    again = fitted.interest.refitted(rows)
    if again is None:
        return None
    again.unit = unit
    return replace(fitted, interest=again)


def has_ratings(rows: Csr) -> bool:
    """Whether values differ: interactions are all the same, and there is no liking to weigh."""
    return bool(len(rows.values)) and bool((rows.values != rows.values[0]).any())
