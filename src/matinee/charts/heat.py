"""``Heat``: a table of values as shades, every one written in its cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ._svg import element, mark, shape, text, width as text_width
from .chart import WIDTH, Chart, Drawing

SHADES = 7


@dataclass(frozen=True, kw_only=True)
class Heat(Chart):
    """Values by row and column. Shades are by column, so that each column shows where it is best.

    Attributes:
        rows: Names of the rows, from the top.
        columns: Names of the columns.
        values: Values by row and column; NaN if missing. Lower is better.
        row_title: What the rows are.
        column_title: What the columns are.
        best: For each column, rows whose intervals do not separate them from its best.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]
    row_title: str = ""
    column_title: str = ""
    best: Sequence[Sequence[int]] = ()

    kind: ClassVar[str] = "heat"

    def draw(self, width: float = WIDTH) -> Drawing:
        """See ``Chart.draw``."""
        left = min(max([text_width(name) for name in self.rows] + [20]) + 12, width * 0.3)
        top, tall = 58.0, 24.0
        wide = (width - left - 4) / len(self.columns)
        parts = [
            text(2, 10, self.row_title, cls="axis"),
            text(width - 4, 10, self.column_title, anchor="end", cls="axis"),
        ]
        slanted = any(text_width(name) > wide - 2 for name in self.columns)
        for at, name in enumerate(self.columns):
            # Names that would overlap alternate between two lines.
            lift = 13 * (at % 2) if slanted else 0
            x = min(left + wide * (at + 0.5), width - 2 - text_width(name) / 2)
            parts.append(text(x, top - 8 - lift, name, anchor="middle", cls="tick"))
        for row, name in enumerate(self.rows):
            parts.append(
                text(left - 6, top + tall * (row + 0.5), name, anchor="end", cls="row-name")
            )
        small = wide < 44
        for at in range(len(self.columns)):
            column = [values[at] for values in self.values]
            known = [v for v in column if math.isfinite(v)]
            low, high = (min(known), max(known)) if known else (0.0, 1.0)
            alike = self.best[at] if at < len(self.best) else ()
            for row, value in enumerate(column):
                x, y = left + wide * at, top + tall * row
                if not math.isfinite(value):
                    parts.append(text(x + wide / 2, y + tall / 2, "·", anchor="middle", cls="tick"))
                    continue
                share = (value - low) / (high - low) if high > low else 0.0
                shade = min(int(share**0.6 * SHADES), SHADES - 1)
                digits = f"{value:.3f}"
                caption = f"{self.row_title} {self.rows[row]}, {self.columns[at]}: {value:.4f}"
                if value == low:
                    caption += ", the best of its column"
                elif row in alike:
                    caption += ", not distinguishable from the best"
                cell = element(
                    "rect",
                    x=x + 1,
                    y=y + 1,
                    width=wide - 2,
                    height=tall - 2,
                    rx="2",
                    cls="cell" + (" best" if value == low else ""),
                )
                words = text(
                    x + wide / 2,
                    y + tall / 2,
                    digits[1:] if small and value < 1 else digits,
                    anchor="middle",
                    cls="value" + (" strong" if value == low else ""),
                )
                if row in alike and value != low:
                    words += shape("circle", x + wide - 6, y + 6, 1.7, "alike")
                parts.append(mark(caption, cell + words, f"h{shade}"))
        return Drawing("".join(parts), width, top + tall * len(self.rows) + 6)
