"""``Sheet``: a table for a page, and the same as CSV and Markdown."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ...base import markdown

Value = str | float | int | None


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        name: Name of its file.
        columns: Headings.
        rows: Cells; numbers as numbers, None if missing.
        caption: What it shows.
        strong: Rows that are set off, by place.
        text_columns: Number of leading columns with names, not numbers.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    caption: str = ""
    strong: Sequence[int] = ()
    text_columns: int = 1

    def csv(self) -> str:
        """Return CSV with a heading line: numbers in full, empty fields for None."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_full(value) for value in row] for row in self.rows)
        return out.getvalue()

    def markdown(self) -> str:
        """As a Markdown table, numbers as on the page."""
        numbers = range(self.text_columns, len(self.columns))
        return markdown.table(self.columns, [[cell(v) for v in row] for row in self.rows], numbers)


def data_url(kind: str, text: str) -> str:
    """Return a data URL with a text, of kind "csv" or "markdown"."""
    return f"data:text/{kind};charset=utf-8,{quote(text)}"


def cell(value: Value) -> str:
    """Format a cell: four decimals, thousands separators, "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "diverged"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 20 else f"{value:.4f}"
    return text.replace("-", "−")


def _full(value: Value) -> str | int:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.8g}"
    return value
