"""``Dots``: a dot plot with intervals, one row per entry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ._scale import Axis, padded
from ._svg import SIZE, element, line, look, mark, shape, shortened, text, width as text_width
from .chart import WIDTH, Chart, Drawing, Frame


@dataclass(frozen=True)
class Dot:
    """A figure of a row.

    Attributes:
        row: Which row.
        kind: Which of the chart's kinds.
        value: Position on the axis.
        low: Lower end of its interval, or None.
        high: Upper end.
    """

    row: int
    kind: int
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Dots(Chart):
    """Figures side by side, row by row.

    Attributes:
        rows: Names of the rows, from the top.
        kinds: What the marks are; the legend is written from it.
        dots: The marks.
        x_title: What is measured.
        levels: Vertical lines to compare with, as (value, name).
        hollow: Kinds drawn as outlines: published values.
        styles: Number of the colour and shape of each kind; its place by default.
        digits: Decimals of the values in labels.
    """

    rows: Sequence[str]
    kinds: Sequence[str]
    dots: Sequence[Dot]
    x_title: str
    levels: Sequence[tuple[float, str]] = ()
    hollow: Sequence[int] = ()
    styles: Sequence[int] = ()
    digits: int = 3

    kind: ClassVar[str] = "dots"

    def draw(self, width: float = WIDTH) -> Drawing:
        """See ``Chart.draw``."""
        legend, legend_height = self._legend(width) if len(self.kinds) > 1 else ("", 0.0)
        apart = self._apart()
        step = 18.0 + 2.0 * apart * len(self.kinds) / 3 + (2.0 if len(self.kinds) > 2 else 0.0)
        left = min(max(text_width(name) for name in self.rows) + 14, width * 0.42)
        top = legend_height + 10 + (16 if self.levels else 0)
        bottom = top + step * len(self.rows)
        low, high = self._range()
        right = width - 14
        x_axis, of_rows = Axis(low, high, left, right), Axis(0.0, 1.0, top, bottom)
        frame = Frame(left, right, top, bottom, x_axis, of_rows)
        parts = [legend, frame.draw(x_title=self.x_title, x_ticks=5, upright=True)]
        for value, name in self.levels:
            parts.append(frame.level(value, name, over=4, y=top - 8, gap=4, cls="level-name"))
        for row, name in enumerate(self.rows):
            y = top + step * (row + 0.5)
            parts.append(line(left, y, right, y, "rule faint"))
            parts.append(
                text(left - 8, y, shortened(name, left - 12), anchor="end", cls="row-name")
            )
        beyond: dict[int, float] = {}
        for dot in sorted(self.dots, key=lambda d: (d.row, -d.value)):
            y = top + step * (dot.row + 0.5) + apart * (dot.kind - (len(self.kinds) - 1) / 2)
            # Marks beyond the axis are drawn at its end, side by side, each with its value.
            end = beyond.get(dot.row, right - 4)
            parts.append(self._dot(frame.x, dot, y, end))
            if dot.value > high:
                beyond[dot.row] = end - 24 - text_width(f"{dot.value:.2f}")
        height = bottom + (38 if self.x_title else 22)
        return Drawing("".join(parts), width, height)

    def _apart(self) -> float:
        """Return the distance of kinds in a row, so that wide intervals do not overlap."""
        spans = [d.high - d.low for d in self.dots if d.low is not None and d.high is not None]
        low, high = self._range()
        wide = sum(span > 0.05 * (high - low) for span in spans)
        return 6.0 if 1 < len(self.kinds) <= 3 and wide > len(self.rows) / 2 else 0.0

    def _style(self, kind: int) -> int:
        return self.styles[kind] if self.styles else kind

    def _range(self) -> tuple[float, float]:
        """Values on the axis: all but those far above the rest, which are named at the edge."""
        known = sorted(d.value for d in self.dots if math.isfinite(d.value))
        known += [v for v, _ in self.levels]
        if not known:
            return 0.0, 1.0
        ordered = sorted(known)
        limit = ordered[-1]
        for at in range(math.ceil(0.6 * len(ordered)), len(ordered)):
            span = max(ordered[at - 1] - ordered[0], 0.02)
            if ordered[at] - ordered[0] > 2.5 * span:  # a gap that would compress all others
                limit = ordered[at - 1]
                break
        near = [v for v in ordered if v <= limit]
        reach = limit + 0.25 * max(limit - ordered[0], 0.02)
        ends = [
            e
            for d in self.dots
            if d.value <= limit
            for e in (d.low, d.high)
            if e is not None and math.isfinite(e) and e <= reach
        ]
        values = [*near, *ends]
        low, high = padded(min(values), max(values), 0.05)
        beyond = ordered[-1] > limit  # their marks and values need extra room
        return low, high + 0.2 * (high - low) * beyond

    def _dot(self, axis: Axis, dot: Dot, y: float, edge: float) -> str:
        if not math.isfinite(dot.value):
            return ""
        value = f"{dot.value:.{self.digits}f}"
        words = f"{self.rows[dot.row]}, {self.kinds[dot.kind]}: {value}"
        parts = []
        if dot.low is not None and dot.high is not None:
            words += f" ({dot.low:.{self.digits}f} to {dot.high:.{self.digits}f})"
            a, b = axis.at(max(dot.low, axis.low)), axis.at(min(dot.high, axis.high))
            if b - a > 3:
                parts.append(line(a, y, b, y, "whisker"))
        colour, _, kind = look(self._style(dot.kind))
        cls = "hollow" if dot.kind in self.hollow else "dot"
        if dot.value > axis.high:
            parts.append(shape(kind, edge, y, 4.0, cls))
            words_there = f"{dot.value:.2f}" + " →" * (edge == axis.end - 4)
            parts.append(text(edge - 7, y, words_there, anchor="end", cls="name halo"))
        else:
            parts.append(shape(kind, axis.at(dot.value), y, 4.4 if cls == "hollow" else 3.9, cls))
        return mark(words, "".join(parts), colour)

    def _legend(self, width: float) -> tuple[str, float]:
        parts, x, y = [], 6.0, 8.0
        for at, name in enumerate(self.kinds):
            wide = text_width(name) + 26
            if x > 6.0 and x + wide > width:
                x, y = 6.0, y + SIZE + 5
            cls = "hollow" if at in self.hollow else "dot"
            colour, _, kind = look(self._style(at))
            drawn = shape(kind, x + 4, y, 4.0, cls)
            words = text(x + 13, y, shortened(name, width - x - 14), cls="name")
            parts.append(element("g", drawn + words, cls=colour))
            x += wide
        return "".join(parts), y + SIZE
