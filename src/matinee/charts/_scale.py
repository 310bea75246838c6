"""Scales of an axis: positions of values, and ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Attributes:
        low: Value at the start.
        high: Value at the end; not equal to ``low``.
        start: Place of ``low``, in pixels.
        end: Place of ``high``.
        log: Whether equal distances are equal ratios.
        ticks: Values that are marked; round ones by default.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    ticks: tuple[float, ...] = ()

    def at(self, value: float) -> float:
        """Return the place of a value, in pixels; beyond the ends for one that is out of range."""
        low, high, value = (
            (math.log(self.low), math.log(self.high), math.log(max(value, 1e-300)))
            if self.log
            else (self.low, self.high, value)
        )
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Return whether a value is in range."""
        return self.low <= value <= self.high

    def marks(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Ticks in range, as (value, text)."""
        of_range = log_ticks if self.log else round_ticks
        values = self.ticks or of_range(self.low, self.high, wanted)
        pairs = zip(values, tick_texts(values), strict=True)
        return [(v, t.replace("-", "−", t[:1] == "-")) for v, t in pairs if self.holds(v)]


def round_ticks(low: float, high: float, wanted: int = 5) -> tuple[float, ...]:
    """Return about ``wanted`` round values between two: steps of 1, 2, 2.5 or 5."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return (low,)
    power = 10.0 ** math.floor(math.log10(span / wanted))
    step = next((m * power for m in (1, 2, 2.5, 5) if span / (m * power) <= wanted), 10 * power)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(n * step, 10) + 0.0 for n in range(first, last + 1))


def log_ticks(low: float, high: float, wanted: int = 5) -> tuple[float, ...]:
    """Return powers of ten between two values, with 3s (and 2s and 5s) if they are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in ((1,), (1, 3), (1, 2, 5)):
        ticks = [m * 10.0**p for p in range(first, last + 1) for m in steps]
        ticks = [v for v in ticks if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(ticks) >= min(wanted, 3):
            break
    every = max(1, math.ceil(len(ticks) / (2 * wanted)))
    return tuple(ticks[::every]) or (low,)


def tick_texts(values: Sequence[float]) -> tuple[str, ...]:
    """Format ticks with the number of decimals that the finest needs."""
    if any(abs(v) >= 1e5 or 0 < abs(v) < 1e-3 for v in values):
        return tuple(short(v) for v in values)
    decimals = max((len(f"{v:.6f}".rstrip("0").partition(".")[2]) for v in values), default=0)
    spread = max(values) / max(min((v for v in values if v > 0), default=1.0), 1e-12)
    if spread > 100:
        return tuple(f"{v:g}" for v in values)
    return tuple(f"{v:.{decimals}f}" for v in values)


def short(value: float) -> str:
    """Return a number of any size in a few characters: 0.8734, 12,300, 3 M, 1e-06."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.3g} M"
    if size >= 1e4:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """Return a range with some room at both ends, never empty."""
    if high <= low:
        return low - 0.5, high + 0.5
    room = (high - low) * share
    return low - room, high + room
