"""Fit the scorer of interest of a configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...base.arrays import Int64
from ...data import Csr
from ...train.linear import half_of_memory, solve_mib
from ...train.lists import ListsConfig
from .base import Interest, mean_one
from .blend import Blend
from .calibrate import NOTHING, Calibration, ChoiceRate
from .candidates import OnEpoch
from .choose import NEAREST, choose, is_small
from .held_out import HeldOut
from .scorers.linear import Linear

NOTED = "lists: "
"""Prefix of the notes of a scorer."""


@dataclass(frozen=True, eq=False)
class FittedInterest:
    """A scorer of interest and its calibration.

    Attributes:
        interest: The scorer.
        calibration: Its calibration against predicted ratings.
        rate: The rate of choice by score, if fitted.
        notes: Notes for the user on what was left out and why.
    """

    interest: Interest
    calibration: Calibration
    rate: ChoiceRate | None = None
    notes: tuple[str, ...] = ()


def fit_interest(
    rows: Csr,
    config: ListsConfig,
    rng: np.random.Generator,
    on_epoch: OnEpoch | None = None,
    times: Int64 | None = None,
) -> FittedInterest | None:
    """Fit a scorer of interest.

    Settings are chosen and scores calibrated on held-out interactions; the chosen scorer is then
    fitted to all interactions.

    Args:
        rows: Training interactions by user. Their values are ratings, or constant. Their
            weights count relative to the mean weight.
        config: The options.
        rng: Draws the held-out interactions, and seeds a network.
        on_epoch: Called after each epoch of a network.
        times: Time of each interaction, int64 (entries,), or None. On large data the latest are
            then held out instead of a random part.

    Returns:
        The scorer; None for ``interest = "none"``.

    Raises:
        UsageError: The closed form is configured and does not fit in memory.
        TrainingError: The closed form is singular to working precision, or a network diverged.
    """
    if config.interest == "none":
        return None
    rows, unit = mean_one(rows)
    part = HeldOut.draw(rows, rng, times=None if is_small(rows) else times)
    chosen = choose(part, config, rng, on_epoch)
    calibration = NOTHING
    # Calibration needs a second fit, without the held-out interactions.
    if not (config.love == 0.0 and config.interest in ("linear", "network")):
        calibration = part.calibration(chosen.known)
    rate = None if calibration is NOTHING else calibration.rate
    interest = chosen.fit(rows)
    interest.unit = unit
    return FittedInterest(interest, calibration, rate, _notes(rows, config, interest))


def refitted(fitted: FittedInterest, rows: Csr, config: ListsConfig) -> FittedInterest | None:
    """Fit a scorer with the same settings and calibration to other interactions.

    None if it cannot be refitted. ``rows`` are as for ``fit_interest``; the options are for notes.
    """
    rows, unit = mean_one(rows)
    scorer = fitted.interest.refitted(rows)
    if scorer is None:
        return None
    scorer.unit = unit
    return replace(fitted, interest=scorer, notes=_notes(rows, config, scorer))


def _notes(rows: Csr, lists: ListsConfig, interest: Interest) -> tuple[str, ...]:
    """Note that items are restricted to their nearest, and how to use all of them.

    Only for "best", which aims at the best lists: "auto" is meant to be fast.
    """
    if lists.interest != "best":
        return ()
    config = lists.linear
    parts = interest.parts if isinstance(interest, Blend) else ()
    settings = [part.settings for part in parts if isinstance(part, Linear)]
    if config.nearest or not any(each is not None and each.nearest for each in settings):
        return ()
    need = solve_mib(rows.n_rows, rows.n_columns, config) / 1024
    more = "" if need <= config.max_gib else f" --set lists.linear.max_gib={math.ceil(need)}"
    advice = f" (--preset ease{more})" if need <= half_of_memory() else ""
    return (
        f"{NOTED}with {rows.n_rows:,} users by {rows.n_columns:,} items, each item has weights of "
        f"its {NEAREST} nearest; those of all items take {need:.1f} GiB{advice}",
    )
