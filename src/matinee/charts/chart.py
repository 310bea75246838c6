"""``Chart``: the base class of charts, in pages and as SVG files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

from markupsafe import escape

from ..base.atomic import write_text
from ._scale import Axis
from ._svg import SIZE, element, line, n, path, text, width as text_width

WIDTH = 410.0
"""Drawn so wide, a chart fills a column of the page and is still readable on a phone."""


@dataclass(frozen=True)
class Drawing:
    """A chart at one size.

    Attributes:
        content: SVG markup, without the outer element.
        width: In pixels.
        height: In pixels.
        hover: What the page's script needs: either "xs" (places of the values of ``x``) or
            empty if each mark has its own tooltip.
    """

    content: str
    width: float
    height: float
    hover: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Chart(ABC):
    """A chart: data and words, drawn at any width.

    Attributes:
        name: Short, for its file and its place on the page.
        title: What it shows, above it.
        note: How to read it, below it.
        summary: Text alternative, for screen readers.
    """

    name: str
    title: str
    note: str = ""
    summary: str = ""

    kind: ClassVar[str] = "chart"

    @abstractmethod
    def draw(self, width: float = WIDTH) -> Drawing:
        """Return the chart at a width."""

    def hover(self) -> dict[str, Any]:
        """Return values for tooltips, JSON-serialisable; empty if the marks have them."""
        return {}

    def svg(self, width: float = WIDTH) -> str:
        """Return the chart as an element of a page, whose style sheet and script it shares."""
        drawing = self.draw(width)
        more = {f"data_{key}": str(value) for key, value in drawing.hover.items()}
        return element(
            "svg",
            drawing.content,
            viewBox=f"0 0 {n(drawing.width)} {n(drawing.height)}",
            role="img",
            aria_labelledby=f"{self.name}-title {self.name}-summary",
            cls=f"chart {self.kind}",
            **more,
        )

    def file(self, width: float = 640.0) -> str:
        """Return the chart as a standalone SVG file, light or dark by the viewer's setting."""
        drawing = self.draw(width)
        head = 34.0
        body = element("g", drawing.content, transform=f"translate(0 {n(head)})")
        content = (
            element("title", str(escape(self.title)))
            + (element("desc", str(escape(self.summary))) if self.summary else "")
            + element("style", asset("chart.css").replace("<", ""))
            + element("rect", width="100%", height="100%", rx="6", cls="paper")
            + text(12.0, 18.0, self.title, cls="heading")
            + body
        )
        height = drawing.height + head + 4
        return element(
            "svg",
            content,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {n(drawing.width)} {n(height)}",
            width=n(drawing.width),
            height=n(height),
            role="img",
            cls=f"chart alone {self.kind}",
        )

    def _repr_svg_(self) -> str:
        return self.file()

    def save(self, folder: str | Path, width: float = 640.0) -> Path:
        """Write NAME.svg into a folder."""
        file = Path(folder) / f"{self.name}.svg"
        write_text(file, '<?xml version="1.0" encoding="UTF-8"?>\n' + self.file(width) + "\n")
        return file


def asset(name: str) -> str:
    """Return a file of the package's templates."""
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")


@dataclass(frozen=True)
class Frame:
    """The rectangle that values are drawn in, with its axes.

    Attributes:
        left: Left edge of the plot, in pixels; likewise ``right``, ``top`` and ``bottom``.
        x: Horizontal axis.
        y: Vertical axis.
    """

    left: float
    right: float
    top: float
    bottom: float
    x: Axis
    y: Axis

    def draw(
        self,
        *,
        x_title: str = "",
        y_title: str = "",
        x_ticks: int = 6,
        upright: bool = False,
    ) -> str:
        """Ticks, their texts, rules across the plot, and the titles of the axes.

        With ``upright`` the vertical axis is of rows: it has no ticks, and the rules are vertical.
        """
        parts = []
        across: list[str] = []  # one path for all rules: pages are full of them
        for value, label in () if upright else self.y.marks(6):
            y = self.y.at(value)
            across.append(path([(self.left, y), (self.right, y)]))
            parts.append(text(self.left - 6, y, label, anchor="end", cls="tick"))
        for value, label in self.x.marks(x_ticks):
            x = self.x.at(value)
            if upright:
                across.append(path([(x, self.top), (x, self.bottom)]))
            else:
                parts.append(line(x, self.bottom, x, self.bottom + 4, "edge"))
            parts.append(text(x, self.bottom + 13, label, anchor="middle", cls="tick"))
        parts.insert(0, element("path", d="".join(across), cls="rule"))
        parts.append(line(self.left, self.bottom, self.right, self.bottom, "edge"))
        if y_title:
            parts.append(text(2, self.top - 14, y_title, cls="axis"))
        if x_title:
            middle = (self.left + self.right) / 2
            parts.append(text(middle, self.bottom + 30, x_title, anchor="middle", cls="axis"))
        return "".join(parts)

    def level(self, value: float, name: str, *, over: float, y: float, gap: float, cls: str) -> str:
        """Return a vertical line at a value, named on the side with more room; "" out of range.

        The line is ``over`` pixels longer than the plot, at the top; ``y`` is the middle of the
        name's height, ``gap`` its distance from the line.
        """
        if not self.x.holds(value):
            return ""
        x = self.x.at(value)
        shift, anchor = (-gap, "end") if x > (self.left + self.right) / 2 else (gap, "start")
        rule = line(x, self.top - over, x, self.bottom, "level")
        return rule + text(x + shift, y, name, anchor=anchor, cls=cls)


def tick_room(axis: Axis) -> float:
    """Room that the texts of a vertical axis take."""
    return max((text_width(label) for _, label in axis.marks(6)), default=SIZE) + 12
