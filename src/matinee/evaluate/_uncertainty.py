"""Calibration of predictive standard deviations on held-out ratings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..base.arrays import Array, Float64
from ..data import Scale

LEVELS = (0.5, 0.8, 0.95)
_BINS = 4000
_GROUPS = 5


@dataclass(frozen=True)
class IntervalCoverage:
    """Coverage of the prediction intervals of one level.

    An interval is the prediction plus or minus the standard deviations that contain ``level`` of a
    normal distribution, cut to the scale.

    Attributes:
        level: Nominal coverage.
        covered: Share of ratings inside their intervals.
        width: Mean width of the intervals, in units of the ratings.
    """

    level: float
    covered: float
    width: float


@dataclass(frozen=True)
class StdGroup:
    """Predictions with similar standard deviations.

    Attributes:
        n: Number of predictions.
        std: Root mean square of the standard deviations.
        rmse: Root mean square of the errors, which should equal ``std``.
    """

    n: int
    std: float
    rmse: float


@dataclass(frozen=True)
class Uncertainty:
    """Calibration of a model's standard deviations against its errors.

    Attributes:
        intervals: Coverage of the 50%, 80% and 95% intervals.
        std: Root mean square of the standard deviations; equals the RMSE if calibrated.
        z_rms: Root mean square of error over standard deviation; 1 if calibrated.
        by_std: Fifths of the predictions, by ascending standard deviation.
        source: What the standard deviations were fitted on: "validation", "cross-fitting",
            "leave-one-out", or "bias" (errors of the bias model, if no ratings were held out).
    """

    intervals: tuple[IntervalCoverage, ...]
    std: float
    z_rms: float
    by_std: tuple[StdGroup, ...]
    source: str


class UncertaintySums:
    """Sums over batches from which ``Uncertainty`` is computed."""

    def __init__(self, scale: Scale, source: str) -> None:
        self._scale = scale
        self._source = source
        self._n = 0
        self._covered = np.zeros(len(LEVELS))
        self._width = np.zeros(len(LEVELS))
        self._z = 0.0
        self._bins = np.zeros((3, _BINS))

    def add(self, predicted: Float64, std: Float64, values: Array) -> None:
        """Add predictions, their standard deviations, and the ratings, each of shape (n,)."""
        from scipy.special import ndtri  # takes a quarter of a second to import; only needed here

        low, high = self._scale.low, self._scale.high
        for at, level in enumerate(LEVELS):
            reach = float(ndtri((1.0 + level) / 2.0)) * std
            bottom = np.clip(predicted - reach, low, high)
            top = np.clip(predicted + reach, low, high)
            self._covered[at] += int(((values >= bottom) & (values <= top)).sum())
            self._width[at] += float((top - bottom).sum())
        squared = np.square(predicted - values)
        self._n += len(values)
        self._z += float((squared / np.square(std)).sum())
        # Logarithmic bins: 4000 from a ten-thousandth of the scale up are 0.23% apart.
        unit = max(high - low, 1e-12)
        position = (1.0 + np.log10(std / unit) / 4.0) * _BINS
        bins = np.clip(position, 0, _BINS - 1).astype(np.int64)
        for row, weight in enumerate((np.ones(len(values)), np.square(std), squared)):
            self._bins[row] += np.bincount(bins, weight, minlength=_BINS)

    def result(self) -> Uncertainty | None:
        """Return the calibration; None without predictions."""
        if self._n == 0:
            return None
        return Uncertainty(
            intervals=tuple(
                IntervalCoverage(level, float(covered) / self._n, float(width) / self._n)
                for level, covered, width in zip(LEVELS, self._covered, self._width, strict=True)
            ),
            std=float(np.sqrt(self._bins[1].sum() / self._n)),
            z_rms=float(np.sqrt(self._z / self._n)),
            by_std=tuple(self._groups()),
            source=self._source,
        )

    def _groups(self) -> Iterator[StdGroup]:
        running = np.cumsum(self._bins[0])
        ends = np.searchsorted(running, running[-1] * np.arange(1, _GROUPS + 1) / _GROUPS)
        first = 0
        for end in ends.tolist():
            n, std, squared = self._bins[:, first : end + 1].sum(axis=1)
            first = max(first, end + 1)
            if n:
                yield StdGroup(int(n), float(np.sqrt(std / n)), float(np.sqrt(squared / n)))
