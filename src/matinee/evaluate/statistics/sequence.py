"""Confidence sequences: intervals that hold simultaneously at every look."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Float64
from ..metric import Interval

ALPHA = 0.05
"""Probability that any interval misses the difference."""
LEAST = 50
"""Observations per side from which the asymptotic interval is given."""
_ADDED = np.array([0.0, 0.0, 1.0, 1.0])
"""Observations added to each side for its variance (Agresti and Coull, 1998). Without them the
variance of a small side is far too low while few of its people, or none, have accepted anything."""
_TIGHTEST = 1000
"""Total observations at which the interval is narrowest; it holds at any number."""


def difference_interval(first: Float64, second: Float64) -> Interval | None:
    """Return the anytime-valid interval of the second mean minus the first.

    With probability ``1 - ALPHA`` the intervals at all looks contain the difference, so one may
    look daily and stop at any time. It is about 1.6 times as wide as an interval that is valid for
    one look only. Observations are from 0 to 1, must be independent and must not change once
    counted; the guarantee is asymptotic in their number at the first look.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences" (Annals of Statistics, 2024), theorem 2.2, with the normal
    mixture of Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
    confidence sequences" (Annals of Statistics, 2021).

    Returns:
        The interval; None while a side has fewer than ``LEAST`` observations.
    """
    if min(len(first), len(second)) < LEAST:
        return None
    n = len(first) + len(second)
    variance = n * sum(np.append(x, _ADDED).var(ddof=1) / len(x) for x in (first, second))
    chance = -2.0 * np.log(ALPHA)
    mixed = n * (chance + np.log1p(chance)) / _TIGHTEST
    radius = np.sqrt(variance * 2.0 * (mixed + 1.0) / (n * mixed))
    radius *= np.sqrt(np.log(np.sqrt(mixed + 1.0) / ALPHA))
    difference = second.mean() - first.mean()
    return Interval(float(difference - radius), float(difference + radius))
