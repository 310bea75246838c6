"""Shrinkage of a network's predictions towards the bias model, fitted on a validation part.

With b the bias model's prediction and d the network's deviation from it, predictions become
b + c d with a coefficient c between 0 and 1, fitted by least squares on validation ratings: with
few ratings per row, or little dropout, part of d is noise. A network trained on random parts of
rows also deviates too much for long rows and too little for short ones; a second coefficient, of d
times the row's length (``row_length``), corrects this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.arrays import Float64
from ..baseline.ordinal import OrdinalLink, expected_ratings
from ..nn import row_scale

PRIOR_SLOPE, PRIOR_STD = -0.12, 0.1
"""Mean and standard deviation of the prior on the slope. Fits on parts of MovieLens-1M, at random
or by time, gave -0.14 to -0.18 (benchmarks/row_outputs.py)."""

STEIN_FACTOR = 4.0
"""Factor of the positive-part rule: coefficients below the root of this many standard errors
become 0. On small or sparse synthetic data, 1 gave models with an RMSE up to 0.007 above the bias
model's, 4 at most 0.0005; on data with user-item interactions it makes no difference
(benchmarks/shrinkage_factor.py)."""


def shrinkage_coefficient(deviation: Float64, target: Float64) -> float:
    """Return the least-squares coefficient of target on deviation, shrunk and clipped to 0 to 1.

    Args:
        deviation: Predicted deviations from the bias model, (n,).
        target: Actual deviations, (n,).
    """
    power = float(np.dot(deviation, deviation))
    coefficient = float(np.dot(deviation, target)) / power if power > 0 else 1.0
    noise = float(np.mean(np.square(target - coefficient * deviation))) if len(target) else 0.0
    return positive_part(coefficient, power, noise)


def positive_part(coefficient: float, power: float, noise: float) -> float:
    """Shrink a least-squares coefficient by its standard error s, and clip it to 0 to 1.

    Returns c max(0, 1 - ``STEIN_FACTOR`` (s / c)^2), the positive-part rule (James & Stein 1961).

    Args:
        coefficient: The least-squares coefficient c.
        power: Sum of the squared regressors.
        noise: Mean squared residual; s^2 = noise / power.
    """
    if coefficient <= 0.0:
        return 0.0
    chance = noise / (power * coefficient**2) if power > 0 else 0.0
    return min(coefficient * max(1.0 - STEIN_FACTOR * chance, 0.0), 1.0)


@dataclass(frozen=True)
class Shrinkage:
    """Fitted shrinkage of a network's deviations from the bias model.

    Attributes:
        coefficient: The coefficient, 0 to 1.
        slope: Relative change of the coefficient per unit of a row's length.
        pivot: Log number of ratings at which the length is 0.
    """

    coefficient: float
    slope: float
    pivot: float


@dataclass(frozen=True, eq=False)
class Deviations:
    """A network's deviations from the bias model at validation entries, before shrinkage.

    Attributes:
        base: Predictions of the bias model, float64 (entries,).
        target: The ratings minus these, float64 (entries,).
        whole: The network's predictions minus these, float64 (entries,).
        vectors: The part of ``whole`` due to the rows' vectors, which their lengths scale, without
            that of the output biases, float64 (entries,).
        lengths: ``row_length`` of the row of each entry, float64 (entries,).
        pivot: Log number of ratings at which it is 0.
        link: The link of a network with ordinal outputs, or None.
    """

    base: Float64
    target: Float64
    whole: Float64
    vectors: Float64
    lengths: Float64
    pivot: float
    link: OrdinalLink | None

    def fit(self) -> Shrinkage:
        """Minimise the penalised squared error on the validation part."""
        coefficient = shrinkage_coefficient(self.whole, self.target)
        noise = float(np.mean(np.square(self.target - coefficient * self.whole)))
        if coefficient == 0.0 or noise == 0.0:
            return Shrinkage(coefficient, 0.0, self.pivot)
        tilt = self.lengths * self.vectors
        columns = np.column_stack([self.whole + PRIOR_SLOPE * tilt, tilt])
        power = columns.T @ columns
        power[1, 1] += noise / (PRIOR_STD * coefficient) ** 2
        first, second = np.linalg.lstsq(power, columns.T @ self.target, rcond=None)[0]
        coefficient = positive_part(float(first), float(power[0, 0]), noise)
        if coefficient == 0.0:
            return Shrinkage(0.0, 0.0, self.pivot)
        return Shrinkage(coefficient, PRIOR_SLOPE + float(second / first), self.pivot)

    def shrunk(self, fit: Shrinkage) -> Float64:
        """Return unclipped predictions after shrinkage, float64 (entries,)."""
        further = row_scale(self.lengths, fit.slope) - 1.0
        scores = self.base + fit.coefficient * (self.whole + further * self.vectors)
        return expected_ratings(scores, self.link)
