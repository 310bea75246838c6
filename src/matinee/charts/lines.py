"""``Lines``: curves with bands, named at their ends, and published values as hollow marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import escape

from ._scale import Axis, padded
from ._svg import (
    SIZE,
    element,
    line,
    look,
    outline,
    path,
    shape,
    shortened,
    simplified,
    spread,
    text,
    width as text_width,
)
from .chart import WIDTH, Chart, Drawing, Frame, tick_room

_HEIGHT = 300.0
_GAP = SIZE + 1.5


@dataclass(frozen=True)
class Series:
    """A curve.

    Attributes:
        name: Written at its end.
        x: Ascending.
        y: One per x; NaN if missing.
        low: Lower ends of the band, or none.
        high: Upper ends.
        style: Number of its colour, dash and marker, if not its position in the chart.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    style: int | None = None


@dataclass(frozen=True)
class Mark:
    """A published value: a hollow mark, in the colour of a series."""

    x: float
    y: float
    name: str
    style: int


@dataclass(frozen=True)
class Level:
    """A horizontal line to compare with."""

    y: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Lines(Chart):
    """Curves over one quantity.

    Attributes:
        series: The curves, at least one.
        x_title: What x is, with its unit.
        y_title: What y is.
        marks: Published figures.
        levels: Lines to compare with.
        log_x: Whether equal distances of x are equal ratios.
        x_ticks: Values of x that are marked; round ones by default.
        bands: Whether intervals are drawn; a reader may ask for their values in any case.
        cut: Whether a curve far above the others may leave the chart, so that they can
            be told apart; it is then named at the top, with its last value.
        height: In pixels.
    """

    series: Sequence[Series]
    x_title: str
    y_title: str
    marks: Sequence[Mark] = ()
    levels: Sequence[Level] = ()
    log_x: bool = False
    x_ticks: tuple[float, ...] = ()
    bands: bool = True
    cut: bool = True
    height: float = _HEIGHT

    kind: ClassVar[str] = "lines"

    def hover(self) -> dict[str, Any]:
        """Return values by x of every series, in ten-thousandths, with the extent of bands."""
        xs = sorted({float(x) for s in self.series for x in s.x})
        hovers = []
        for s in self.series:
            at = {float(x): i for i, x in enumerate(s.x)}
            rows = [at.get(x) for x in xs]
            y = [_value(s.y, i) for i in rows]
            entry: dict[str, Any] = {"name": s.name, "y": y}
            if len(s.low):
                entry["down"] = [_gap(v, _value(s.low, i)) for v, i in zip(y, rows, strict=True)]
                entry["up"] = [_gap(_value(s.high, i), v) for v, i in zip(y, rows, strict=True)]
            hovers.append(entry)
        whole = [int(x) if x == int(x) else x for x in xs]
        return {"x_title": self.x_title, "x": whole, "series": hovers}

    def draw(self, width: float = WIDTH) -> Drawing:
        """See ``Chart.draw``."""
        low, high = self._range()
        names = self._labels(high)
        room = min(max([text_width(name) for name in names] + [30.0]) + 22, width * 0.36)
        left = tick_room(Axis(low, high, 0, 1))
        top, bottom = 34.0, self.height - (40.0 if self.x_title else 24.0)
        xs = [x for s in self.series for x in s.x] + [m.x for m in self.marks]
        first, last = min(xs), max(xs)
        if first == last:
            first, last = (first / 2, first * 2) if self.log_x else padded(first, last)
        frame = Frame(
            left,
            width - room,
            top,
            bottom,
            Axis(first, last, left, width - room - 6, log=self.log_x, ticks=self.x_ticks),
            Axis(low, high, bottom, top),
        )
        parts = [frame.draw(x_title=self.x_title, y_title=self.y_title)]
        levels = [level for level in self.levels if frame.y.holds(level.y)]
        for level in levels:
            y = frame.y.at(level.y)
            parts.append(line(frame.left, y, frame.right, y, "level"))
        clip = f"clip-{self.name}-{int(width)}"
        box = element("rect", x=left, y=top - 4, width=frame.right - left, height=bottom - top + 4)
        parts.append(element("clipPath", box, id=clip))
        curves = [self._curve(frame, s, self._style(i)) for i, s in enumerate(self.series)]
        parts.append(element("g", "".join(curves), clip_path=f"url(#{clip})"))
        for level in levels:
            y = frame.y.at(level.y) - 8
            parts.append(text(frame.left + 4, y, level.name, cls="level-name halo"))
        parts += [self._mark(frame, mark) for mark in self.marks]
        parts.append(self._names(frame, names, width))
        hover = {
            "plot": f"{frame.x.start:.1f} {frame.x.end:.1f} {top:.1f} {bottom:.1f}",
            "x": f"{first} {last} {int(self.log_x)}",
        }
        return Drawing("".join(parts), width, self.height, hover)

    def _style(self, index: int) -> int:
        style = self.series[index].style
        return index if style is None else style

    def _range(self) -> tuple[float, float]:
        """Return values that the chart shows: all of them, or all but curves far above the rest."""
        tops, lows, ends = [], [], []
        for s in self.series:
            known = [(y, s.high[i] if len(s.high) else y) for i, y in enumerate(s.y) if _finite(y)]
            if known:
                later = known[len(known) // 5 :] if len(known) > 5 else known
                tops.append(max(h if _finite(h) and self.bands else y for y, h in later))
                ends.append(known[-1][0])
                lows.append(min(y for y, _ in known))
        fixed = [m.y for m in self.marks] + [level.y for level in self.levels]
        if not lows + fixed:
            return 0.0, 1.0
        low = min(lows + fixed)
        high = max(tops + fixed)
        if self.cut:
            middles = sorted([*ends, *fixed])
            middle = middles[len(middles) // 2]
            unit = max(middle - low, 0.1)
            limit = middle + 2.0 * unit
            pairs = zip(tops, ends, strict=True)
            near = [min(t, middle + 3.0 * unit) for t, end in pairs if end <= limit]
            high = max([*near, middle, *(y for y in fixed if y <= limit)])
        else:
            everything = [y for s in self.series for y in (*s.y, *s.high) if _finite(y)]
            high = max(everything + fixed)
        return padded(low, high)

    def _curve(self, frame: Frame, s: Series, style: int) -> str:
        points = [
            (frame.x.at(x), frame.y.at(y)) for x, y in zip(s.x, s.y, strict=True) if _finite(y)
        ]
        parts = []
        if len(s.low) and self.bands:
            band = [
                (frame.x.at(x), frame.y.at(a), frame.y.at(b))
                for x, a, b in zip(s.x, s.low, s.high, strict=True)
                if _finite(a) and _finite(b)
            ]
            if len(band) > 1:
                # Bands are most of a page's size: differences below a pixel are invisible.
                below = simplified([(x, a) for x, a, _ in band], 0.8)
                above = simplified([(x, b) for x, _, b in band], 0.8)
                edge = path([*below, *reversed(above)], closed=True)
                parts.append(element("path", d=edge, cls="band"))
            elif band:
                parts.append(line(band[0][0], band[0][1], band[0][0], band[0][2], "whisker"))
        colour, dash, kind = look(style)
        drawn = path(simplified(points, 0.25)) if points else ""
        parts.append(element("path", d=drawn, cls="curve", stroke_dasharray=dash or None))
        every = max(1, len(points) // 4)
        # Markers start at different points, so that those of neighbours do not overlap.
        offset = (style * max(1, every // 3)) % every
        shown = {*range(offset, len(points), every), len(points) - 1} if points else set()
        dots = "".join(outline(kind, points[i][0], points[i][1], 3.2) for i in sorted(shown))
        parts.append(element("path", d=dots, cls="dot"))
        return element("g", "".join(parts), cls=colour)

    def _mark(self, frame: Frame, mark: Mark) -> str:
        x, y = frame.x.at(mark.x), frame.y.at(min(mark.y, frame.y.high))
        words = f"{mark.name}: {mark.y:.3f}"
        colour, _, kind = look(mark.style)
        ring = shape(kind, x, y, 6.0, "hollow")
        if mark.y > frame.y.high:
            ring += text(x - 10, y, f"{mark.y:.2f} ↑", anchor="end", cls="name halo")
        title = element("title", str(escape(words)))
        return element("g", title + ring, cls=colour)

    def _labels(self, high: float) -> list[str]:
        """Return names at the ends, with the value for a curve that ends above the chart."""
        labels = []
        for s in self.series:
            last = next((y for y in reversed(s.y) if _finite(y)), 0.0)
            labels.append(f"{s.name} ↑{last:.2f}" if last > high else s.name)
        return labels

    def _names(self, frame: Frame, names: Sequence[str], width: float) -> str:
        """Draw names at the ends of the curves, pushed apart if they would overlap."""
        ends = []
        for s in self.series:
            known = [(x, y) for x, y in zip(s.x, s.y, strict=True) if _finite(y)]
            ends.append(known[-1] if known else (frame.x.high, frame.y.low))
        wanted = [frame.y.at(min(y, frame.y.high)) for _, y in ends]
        positions = spread(wanted, _GAP, frame.top - 4, frame.bottom)
        parts = []
        for i in range(len(self.series)):
            colour, _, kind = look(self._style(i))
            x = frame.right + 16
            from_x = min(frame.x.at(ends[i][0]) + 5, frame.right + 1)
            leader = line(from_x, wanted[i], x - 11, positions[i], "leader")
            parts.append(
                element(
                    "g",
                    leader
                    + shape(kind, x - 6, positions[i], 3.2, "dot")
                    + text(x + 1, positions[i], shortened(names[i], width - x - 2), cls="name"),
                    cls=colour,
                )
            )
        return "".join(parts)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _value(values: Sequence[float], index: int | None) -> int | None:
    if index is None or not _finite(values[index]):
        return None
    return round(1e4 * values[index])


def _gap(high: int | None, low: int | None) -> int | None:
    return None if high is None or low is None else high - low
