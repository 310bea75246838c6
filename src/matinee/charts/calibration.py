"""``Calibration``: observed means by predicted value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ._scale import Axis, padded
from ._svg import line, mark, shape, text
from .chart import WIDTH, Chart, Drawing, Frame, tick_room


@dataclass(frozen=True)
class Pair:
    """Predictions of about one size.

    Attributes:
        predicted: Mean of the predictions.
        actual: Mean rating.
        low: Lower end of the interval of that mean.
        high: Upper end.
        count: How many.
    """

    predicted: float
    actual: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Calibration(Chart):
    """Observed means against predictions; calibrated predictions are on the diagonal.

    Attributes:
        pairs: In any order.
        x_title: What is predicted.
        y_title: What is compared with it.
        words: Format of a dot's label: its x, its y, its count.
        line: What the diagonal is called.
    """

    pairs: Sequence[Pair]
    x_title: str = "predicted rating"
    y_title: str = "mean rating"
    words: str = "predicted {:.2f}: mean rating {:.2f}, {:,} ratings"
    line: str = "as predicted"

    kind: ClassVar[str] = "calibration"

    def draw(self, width: float = WIDTH) -> Drawing:
        """See ``Chart.draw``."""
        height = 300.0
        values = [v for p in self.pairs for v in (p.predicted, p.actual, p.low, p.high)]
        low, high = padded(min(values), max(values), 0.04)
        top, bottom = 34.0, height - 40
        left = tick_room(Axis(low, high, 0, 1))
        right = width - 12
        x_axis, y_axis = Axis(low, high, left, right), Axis(low, high, bottom, top)
        frame = Frame(left, right, top, bottom, x_axis, y_axis)
        largest = max(p.count for p in self.pairs)
        parts = [frame.draw(x_title=self.x_title, y_title=self.y_title)]
        parts.append(line(left, bottom, frame.right, top, "level"))
        third = low + 0.3 * (high - low)
        parts.append(
            text(frame.x.at(third) + 12, frame.y.at(third) + 12, self.line, cls="level-name")
        )
        for p in self.pairs:
            x = frame.x.at(p.predicted)
            words = self.words.format(p.predicted, p.actual, p.count)
            if p.high > p.low:
                words += f" ({p.low:.2f} to {p.high:.2f})"
            whisker = line(x, frame.y.at(p.low), x, frame.y.at(p.high), "whisker")
            # Area by count, so that the eye weighs them as the average does.
            dot = shape(
                "circle", x, frame.y.at(p.actual), 2.2 + 4.8 * (p.count / largest) ** 0.5, "dot"
            )
            parts.append(mark(words, whisker + dot, "s0"))
        return Drawing("".join(parts), width, height)
