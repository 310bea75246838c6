"""Statistics over seeds: means, paired differences, and Holm's correction.

These intervals only cover variation between seeds: of weights and batches, and of the split if each
seed has its own. With one split for all, they say nothing about other held-out ratings: for that
see ``bootstrap``.

A diverged run counts as worse than any finite value: it is represented as infinity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...base.arrays import Float64
from ..metric import Interval

ALPHA = 0.05


@dataclass(frozen=True)
class Estimate:
    """The mean of a figure over seeds.

    Attributes:
        n: Seeds.
        mean: Mean; infinite if a run diverged.
        deviation: Standard deviation between seeds; None with one seed or a diverged run.
        interval: 95% Student-t interval of the mean; None with one seed or a diverged run.
        diverged: Number of diverged runs.
    """

    n: int
    mean: float
    deviation: float | None
    interval: Interval | None
    diverged: int = 0

    @classmethod
    def of(cls, values: Sequence[float] | Float64) -> Estimate:
        """Estimate from one value per seed, shape (n,), n at least 1.

        Raises:
            ValueError: There are no values, or one is not a number.
        """
        x = _values(values)
        diverged = int(np.isinf(x).sum())
        if diverged:
            return cls(len(x), math.inf, None, None, diverged)
        mean = float(x.mean())
        if len(x) == 1:
            return cls(1, mean, None, None)
        return cls(len(x), mean, float(x.std(ddof=1)), t_interval(x))


@dataclass(frozen=True)
class Difference:
    """Difference of a figure between two arms, paired by seed: below 0, the first is lower.

    Attributes:
        n: Seeds that both have; seeds on which both diverged are left out.
        mean: Mean difference; infinite if one of them diverged on some seed.
        deviation: Standard deviation of the difference between seeds, or None.
        interval: 95% Student-t interval, not corrected; None with one seed or a diverged run.
        p: Two-sided p value of no difference; 0 if one arm diverged on every seed (at least two)
            and the other on none; None if undetermined.
        adjusted: The p value with Holm's correction over the differences tested together.
        diverged: Seeds on which one of the two diverged.
    """

    n: int
    mean: float
    deviation: float | None
    interval: Interval | None
    p: float | None
    adjusted: float | None = None
    diverged: int = 0


def t_interval(values: Sequence[float] | Float64, alpha: float = ALPHA) -> Interval | None:
    """Return the Student-t interval of the mean of finite values, shape (n,); None if n < 2."""
    x = _values(values)
    if len(x) < 2:
        return None
    from scipy.special import stdtrit  # SciPy takes a quarter of a second to import

    half = float(stdtrit(len(x) - 1, 1 - alpha / 2) * x.std(ddof=1) / math.sqrt(len(x)))
    mean = float(x.mean())
    return Interval(mean - half, mean + half)


def t_p(values: Sequence[float] | Float64, at: float = 0.0) -> float | None:
    """Return the two-sided p value of the mean being ``at``, by Student's t; None if n < 2.

    If all values are equal: 1 if they are ``at``, else 0.
    """
    x = _values(values)
    if len(x) < 2:
        return None
    error = float(x.std(ddof=1)) / math.sqrt(len(x))
    distance = abs(float(x.mean()) - at)
    # Equal values may differ by rounding, which is no deviation.
    if error <= 1e-15 * max(1.0, float(np.abs(x).max())):
        return 1.0 if distance <= 1e-12 * max(1.0, abs(at)) else 0.0
    from scipy.special import stdtr

    return float(2 * stdtr(len(x) - 1, -distance / error))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p values by Holm's step-down procedure (1979).

    Args:
        p_values: One per comparison; a None counts as a comparison that cannot be rejected.

    Returns:
        In the order given, each at most 1; None stays None.
    """
    p = np.array([1.0 if each is None else each for each in p_values])
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    steps = np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0)
    adjusted[order] = np.maximum.accumulate(steps)
    pairs = zip(p_values, adjusted.tolist(), strict=True)
    return [None if p_value is None else each for p_value, each in pairs]


def paired(one: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """Return the difference ``one - other`` over shared seeds; None if there are none.

    Args:
        one: A figure by seed; infinite if the run diverged.
        other: Likewise.
    """
    x = pairs(one, other)
    if not len(x):
        return None
    diverged = int(np.isinf(x).sum())
    if diverged:
        with np.errstate(invalid="ignore"):
            mean = float(x.mean())
        certain = diverged == len(x) > 1 and not math.isnan(mean)
        return Difference(len(x), mean, None, None, 0.0 if certain else None, diverged=diverged)
    deviation = float(x.std(ddof=1)) if len(x) > 1 else None
    return Difference(len(x), float(x.mean()), deviation, t_interval(x), t_p(x))


def pairs(one: Mapping[int, float], other: Mapping[int, float]) -> Float64:
    """Return ``one - other`` on shared seeds, in order, without those on which both diverged."""
    common = sorted(one.keys() & other.keys())
    seeds = [s for s in common if not (math.isinf(one[s]) and math.isinf(other[s]))]
    return np.array([one[seed] - other[seed] for seed in seeds], dtype=np.float64)


def adjust(differences: Sequence[Difference | None]) -> list[Difference | None]:
    """Return the differences with Holm's correction over all of them."""
    known = [d for d in differences if d is not None]
    adjusted = iter(holm([d.p for d in known]))
    return [d and replace(d, adjusted=next(adjusted)) for d in differences]


def _values(values: Sequence[float] | Float64) -> Float64:
    x = np.asarray(values, dtype=np.float64)
    if not x.size or np.isnan(x).any():
        raise ValueError(f"statistics over seeds need numbers, and there are {x.tolist()}")
    return x
