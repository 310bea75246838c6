"""SVG as text: elements, marks, and texts whose width is estimated, as fonts are not read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from markupsafe import escape

SIZE = 12.0
"""Font size in pixels of a chart's own coordinates."""
SHAPES = ("circle", "square", "triangle", "diamond", "down", "cross", "plus", "left")
COLOURS = 8
"""Colours of ``chart.css``; dashes change with every series, so colour is not the only cue."""
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4", "1 2.5", "8 2 2 2 2 2")


def look(style: int) -> tuple[str, str, str]:
    """Class of the colour, dash and shape of a series: no two of the first 64 share all three."""
    turn = style + style // COLOURS
    return f"s{style % COLOURS}", DASHES[turn % len(DASHES)], SHAPES[turn % len(SHAPES)]


def n(value: float) -> str:
    """Return a coordinate: to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def element(name: str, content: str = "", **attributes: str | float | None) -> str:
    """An element; ``content`` is markup, attribute values are escaped. ``cls`` is the class."""
    parts = [name]
    for key, value in attributes.items():
        if value is None:
            continue
        word = "class" if key == "cls" else key.replace("_", "-")
        parts.append(f'{word}="{n(value) if isinstance(value, float) else escape(value)}"')
    head = " ".join(parts)
    return f"<{head}>{content}</{name}>" if content else f"<{head}/>"


def text(x: float, y: float, words: str, *, anchor: str = "start", cls: str = "") -> str:
    """Return a line of text; ``y`` is the middle of its height."""
    anchors = None if anchor == "start" else anchor
    return element(
        "text",
        str(escape(words)),
        x=float(x),
        y=float(y + SIZE * 0.35),
        text_anchor=anchors,
        cls=cls or None,
    )


def width(words: str) -> float:
    """About how wide a text is, in pixels, in the fonts of any system."""
    wide = sum(0.9 if c in "MWmw@%—" else 0.32 if c in "iIjl.,:;'|!()1 " else 0.6 for c in words)
    return SIZE * wide


def shortened(words: str, room: float) -> str:
    """Return the text, cut with an ellipsis if it is too wide."""
    if width(words) <= room:
        return words
    while words and width(words + "…") > room:
        words = words[:-1]
    return words.rstrip() + "…"


def mark(words: str, content: str, cls: str) -> str:
    """Return markup with a tooltip, shown by the page's script and the browser."""
    title = element("title", str(escape(words)))
    return element("g", title + content, cls=f"mark {cls}", data_tip=words)


def line(x1: float, y1: float, x2: float, y2: float, cls: str) -> str:
    """Return a straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), cls=cls)


def path(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    """Path data through points: steps from one to the next, which are shorter than places."""
    corners = [(round(10 * x), round(10 * y)) for x, y in points]
    steps = [_pair(x - a, y - b) for (a, b), (x, y) in itertools.pairwise(corners)]
    return f"M{_pair(*corners[0])}" + ("l" + " ".join(steps) if steps else "") + "Z" * closed


def _pair(x: int, y: int) -> str:
    """Two coordinates in tenths of a pixel, in as few characters as SVG allows."""
    one, other = (f"{v / 10:g}".replace("0.", ".", abs(v) < 10) for v in (x, y))
    return one + ("" if other.startswith("-") else " ") + other


def shape(kind: str, x: float, y: float, radius: float, cls: str) -> str:
    """Return a mark of one of ``SHAPES``, about the same area each."""
    return element("path", d=outline(kind, x, y, radius), cls=cls)


def outline(kind: str, x: float, y: float, radius: float) -> str:
    """Return path data of a mark; several can be joined in one path."""
    r = radius
    match kind:
        case "circle":
            arc = f"a{n(r)} {n(r)} 0 1 0"
            return f"M{n(x - r)} {n(y)}{arc} {n(2 * r)} 0{arc} {n(-2 * r)} 0Z"
        case "square":
            corners = [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
        case "triangle":
            corners = [(0, -1.2), (1.1, 0.8), (-1.1, 0.8)]
        case "down":
            corners = [(0, 1.2), (1.1, -0.8), (-1.1, -0.8)]
        case "diamond":
            corners = [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)]
        case "left":
            corners = [(-1.2, 0), (0.8, -1.1), (0.8, 1.1)]
        case _:
            turn = math.pi / 4 if kind == "cross" else 0.0
            arm = [(-0.35, -1.3), (0.35, -1.3), (0.35, -0.35), (1.3, -0.35), (1.3, 0.35)]
            arm += [(0.35, 0.35), (0.35, 1.3), (-0.35, 1.3), (-0.35, 0.35), (-1.3, 0.35)]
            arm += [(-1.3, -0.35), (-0.35, -0.35)]
            cos, sin = math.cos(turn), math.sin(turn)
            corners = [(a * cos - b * sin, a * sin + b * cos) for a, b in arm]
    return path([(x + a * r, y + b * r) for a, b in corners], closed=True)


def simplified(points: Sequence[tuple[float, float]], near: float) -> list[tuple[float, float]]:
    """The same line with fewer points: none left out is farther than ``near`` above or below it.

    Douglas and Peucker (1973), with vertical distances, as the points are ascending in x.
    """
    kept, unsettled = {0, len(points) - 1}, [(0, len(points) - 1)]
    while unsettled:
        first, last = unsettled.pop()
        (x1, y1), (x2, y2) = points[first], points[last]
        slope = (y2 - y1) / (x2 - x1) if x2 != x1 else 0.0
        gaps = [
            (abs(points[i][1] - y1 - slope * (points[i][0] - x1)), i)
            for i in range(first + 1, last)
        ]
        gap, at = max(gaps, default=(0.0, 0))
        if gap > near:
            kept.add(at)
            unsettled += [(first, at), (at, last)]
    return [points[i] for i in sorted(kept)]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions near the wanted ones, in order, at least ``gap`` apart, within bounds.

    Without enough room they are packed evenly.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gap = min(gap, (high - low) / max(len(order) - 1, 1))
    # Colliding neighbours are joined into blocks, each centred on its wanted positions.
    blocks: list[list[float]] = []  # [sum of wanted starts, members]
    for rank, index in enumerate(order):
        blocks.append([wanted[index] - rank * gap, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, members = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += members
    bases = [total / members for total, members in blocks for _ in range(int(members))]
    last = high - (len(order) - 1) * gap
    out = [0.0] * len(order)
    for rank, index in enumerate(order):
        out[index] = min(max(bases[rank], low), last) + rank * gap
    return out
