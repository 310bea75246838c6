"""``Metric``: an entry of the registry of metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Kind = Literal["rating", "list"]
"""What is scored: predicted ratings, or lists of recommended items."""

Better = Literal["lower", "higher", "zero"]
"""Which values are better: low, high, or near zero."""


class Interval(NamedTuple):
    """A 95% percentile interval."""

    low: float
    high: float


def interval_text(interval: Interval | None) -> str:
    """Format an interval, "0.8120 to 0.8240"; "" for None."""
    return "" if interval is None else f"{interval.low:.4f} to {interval.high:.4f}"


class Score(NamedTuple):
    """A metric's value, and its 95% interval by bootstrap over users.

    Attributes:
        value: Over all test ratings.
        interval: None with fewer than two users.
    """

    value: float
    interval: Interval | None

    def row(self, gain: Score | None) -> dict[str, float | None]:
        """Return value, low, high, gain, gain_low and gain_high, None where there is none."""
        low, high = self.interval or (None, None)
        gained, bounds = gain or (None, None)
        gain_low, gain_high = bounds or (None, None)
        values = {"value": self.value, "low": low, "high": high}
        return {**values, "gain": gained, "gain_low": gain_low, "gain_high": gain_high}


@dataclass(frozen=True)
class Metric:
    """An evaluation metric of predicted ratings or of lists.

    Attributes:
        name: Name in Python, JSON and studies ("rmse").
        label: Name in tables ("RMSE").
        kind: "rating" or "list".
        better: Which values are better.
        from_sums: Computes the metric from sums over users; called on all users, on some, and on
            bootstrap resamples. For kind "rating" it takes ``ErrorTotals``, arrays of shape
            (..., models), and returns float64 of that shape. For kind "list" it takes
            ``ListTotals``, the sums at one cutoff k, likewise.
        describe: One line for the documentation.
    """

    name: str
    label: str
    kind: Kind
    better: Better
    from_sums: Callable[[Any], npt.NDArray[np.float64]]
    describe: str
