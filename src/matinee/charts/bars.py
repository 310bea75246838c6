"""``Histogram``: how often values fall between edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ._scale import Axis
from ._svg import element, mark
from .chart import WIDTH, Chart, Drawing, Frame, tick_room


@dataclass(frozen=True, kw_only=True)
class Histogram(Chart):
    """Shares between edges, with vertical reference lines.

    Attributes:
        edges: Ascending, one more than the shares.
        counts: How many fall between an edge and the next.
        x_title: What is counted.
        levels: Vertical lines, as (value, name).
    """

    edges: Sequence[float]
    counts: Sequence[float]
    x_title: str
    levels: Sequence[tuple[float, str]] = ()

    kind: ClassVar[str] = "histogram"

    def draw(self, width: float = WIDTH) -> Drawing:
        """See ``Chart.draw``."""
        height = 270.0
        total = sum(self.counts) or 1.0
        shares = [100.0 * count / total for count in self.counts]
        top, bottom = 36.0, height - 40
        highest = max([*shares, 1e-9]) * 1.05
        left = tick_room(Axis(0.0, highest, 0, 1))
        right = width - 12
        x_axis = Axis(self.edges[0], self.edges[-1], left, right)
        frame = Frame(left, right, top, bottom, x_axis, Axis(0.0, highest, bottom, top))
        parts = [frame.draw(x_title=self.x_title, y_title="% of test ratings")]
        for at, share in enumerate(shares):
            a, b = frame.x.at(self.edges[at]), frame.x.at(self.edges[at + 1])
            y = frame.y.at(share)
            words = (
                f"{self.edges[at]:g} to {self.edges[at + 1]:g}: {int(self.counts[at]):,} "
                f"({share:.1f}%)"
            )
            bar = element(
                "rect", x=a + 0.5, y=float(y), width=max(b - a - 1, 0.5), height=bottom - y
            )
            parts.append(mark(words, bar, "bar s0"))
        for at, (value, name) in enumerate(self.levels):
            y = top + 4 + 15 * at
            parts.append(frame.level(value, name, over=2, y=y, gap=5, cls="level-name halo"))
        return Drawing("".join(parts), width, height)
