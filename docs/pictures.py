"""Draw the pictures of docs/ as SVG: diagrams from what is written here, charts from docs/studies.

``python docs/refresh_studies.py`` writes them to docs/pictures/.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from study_numbers import arm, curves, known, rows

from matinee.charts._svg import element, line, shape, text
from matinee.charts.chart import WIDTH, Chart, Drawing
from matinee.charts.dots import Dot, Dots
from matinee.charts.lines import Lines, Mark, Series

WIDE = 720.0


def pictures() -> dict[str, str]:
    """SVG by file name; what needs a study that has not run is left out."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    drawn = [network(), hiding(), fold_in(), falling(), published(), protocol(), time_stamps()]
    return {f"{each.name}.svg": head + each.file(WIDE) + "\n" for each in drawn if each}


@dataclass(frozen=True, kw_only=True)
class Diagram(Chart):
    """A drawing that holds no data."""

    content: Callable[[float], tuple[str, float]]
    kind = "diagram"

    def draw(self, width: float = WIDTH) -> Drawing:
        content, height = self.content(width)
        return Drawing(content, width, height)


def _box(x: float, y: float, w: float, h: float, cls: str = "hollow") -> str:
    return element("rect", x=x, y=y, width=w, height=h, rx=4.0, cls=cls)


def _arrow(x1: float, y: float, x2: float) -> str:
    tip = shape("triangle", 0, 0, 4, "dot")
    turned = element("g", tip, transform=f"translate({x2 - 3:.1f} {y:.1f}) rotate(90)")
    return line(x1, y, x2 - 5, y, "edge") + element("g", turned, cls="s7")


def _cell(x: float, y: float, words: str, style: str, size: float = 30.0) -> str:
    """A cell of a row of ratings: full, asked (dashed frame) or empty (a dot)."""
    if style == "empty":
        return text(x + size / 2, y + size / 2, "·", anchor="middle", cls="tick")
    cls = {"given": "s0", "hidden": "s1", "held": "s4", "plain": "s7"}[style]
    dash = {"given": None, "plain": None, "hidden": "5 3", "held": "2 3"}[style]
    frame = element(
        "rect", x=x + 2, y=y + 2, width=size - 4, height=size - 4, rx=4.0,
        cls="hollow", stroke_dasharray=dash,
    )  # fmt: skip
    return element("g", frame + text(x + size / 2, y + size / 2, words, anchor="middle"), cls=cls)


def network() -> Diagram:
    """From a row of ratings to a code, and back."""
    films = "ABCDEFGH"
    ratings = {0: "5", 2: "3", 3: "4", 6: "1"}
    answers = ["4.8", "3.9", "3.1", "4.2", "2.2", "4.4", "1.3", "3.5"]

    def content(width: float) -> tuple[str, float]:
        top, step = 62.0, 36.0
        left, right = 112.0, width - 122.0
        columns = [left + (right - left) * share for share in (0.28, 0.5, 0.72)]
        heights = [
            [top + step * (3.5 + (at - (n - 1) / 2) * 1.15) + 15 for at in range(n)]
            for n in (5, 3, 5)
        ]
        parts = []
        for at in ratings:
            y = top + step * at + 15
            parts += [line(left + 17, y, columns[0] - 9, other, "rule") for other in heights[0]]
        for one, other in ((0, 1), (1, 2)):
            parts += [
                line(columns[one] + 9, a, columns[other] - 9, b, "rule")
                for a in heights[one]
                for b in heights[other]
            ]
        for at in range(len(films)):
            y = top + step * at + 15
            parts += [line(columns[2] + 9, other, right - 17, y, "rule") for other in heights[2]]
        for which, column in enumerate(columns):
            cls = "s2" if which == 1 else "s7"
            dots = [element("circle", cx=column, cy=y, r=9.0, cls="hollow") for y in heights[which]]
            parts.append(element("g", "".join(dots), cls=cls))
        for at, film in enumerate(films):
            y = top + step * at
            parts.append(text(left - 26, y + 15, f"film {film}", anchor="end"))
            style = "given" if at in ratings else "empty"
            parts.append(_cell(left - 15, y, ratings.get(at, ""), style))
            style = "plain" if at in ratings else "hidden"
            parts.append(_cell(right - 17, y, answers[at], style, 34))
            parts.append(text(right + 24, y + 15, f"film {film}"))
        for x, one, two in (
            (left - 30, "what a person", "has rated"),
            (columns[1], "the code:", "a few numbers"),
            (right + 8, "a rating for", "every film"),
        ):
            parts.append(text(x, 18, one, anchor="middle", cls="axis"))
            parts.append(text(x, 34, two, anchor="middle", cls="axis"))
        bottom = top + step * len(films)
        parts.append(text((left + columns[1]) / 2, bottom + 8, "encoder", anchor="middle"))
        parts.append(text((right + columns[1]) / 2, bottom + 8, "decoder", anchor="middle"))
        return "".join(parts), bottom + 24

    return Diagram(
        name="network",
        title="An autoencoder for ratings",
        summary="Eight films. A person has rated four of them: 5, 3, 4 and 1. Only these four are "
        "connected to the first layer, of five units; it leads to a code of three units, that to "
        "five units, and these to a rating for each of the eight films, in a dashed frame where "
        "the person gave none.",
        content=content,
    )


def hiding() -> Diagram:
    """What is shown and what is asked, in training and in scoring."""
    row = ["5", "", "3", "4", "", "", "1", "2", "", "4", "5", ""]
    held = {3, 9}
    hidden = {2, 10}
    lines = [
        ("all that a person rated", lambda at: "plain"),
        ("reconstruct: shown", lambda at: "empty" if at in held else "given"),
        ("reconstruct: asked", lambda at: "empty" if at in held else "given"),
        ("conditional: shown", lambda at: "empty" if at in held | hidden else "given"),
        ("conditional: asked", lambda at: "hidden" if at in hidden else "empty"),
        ("scoring: shown", lambda at: "empty" if at in held else "given"),
        ("scoring: asked", lambda at: "held" if at in held else "empty"),
    ]
    notes = {2: "the same ratings: copying pays", 4: "others, new at every step",
             6: "held out: never seen in training"}  # fmt: skip

    def content(width: float) -> tuple[str, float]:
        parts, y = [], 6.0
        for at, (name, style) in enumerate(lines):
            parts.append(text(150, y + 15, name, anchor="end"))
            for film, value in enumerate(row):
                parts.append(_cell(160 + 29 * film, y, value, style(film) if value else "empty"))
            if at in notes:
                parts.append(text(160 + 29 * len(row) + 8, y + 15, notes[at], cls="axis"))
            y += 32
            if at % 2 == 0:
                y += 10
                parts.append(line(12, y - 5, width - 12, y - 5, "rule"))
        return "".join(parts), y

    return Diagram(
        name="hiding",
        title="What is shown, what is asked",
        summary="One person's row of twelve films, seven of them rated. Two of the ratings are "
        "held out. Reconstruct: the five others are shown, and the same five are asked. "
        "Conditional: two of the five are hidden for this step and asked, three are shown. "
        "Scoring: the five are shown and the two that were held out are asked.",
        content=content,
    )


def fold_in() -> Diagram:
    """Why somebody new needs no training."""

    def content(width: float) -> tuple[str, float]:
        middle, top = width / 2, 34.0
        parts = [
            text(16, 14, "training, once", cls="axis"),
            _people(16, top, [["5", "", "3"], ["", "2", "4"], ["1", "5", ""]]),
            text(16, top + 108, "people who were there"),
            _arrow(120, top + 45, middle - 100),
            element("g", _box(middle - 92, top + 12, 184, 66), cls="s2"),
            text(middle, top + 36, "weights: of films", anchor="middle"),
            text(middle, top + 56, "and layers, not of people", anchor="middle"),
        ]
        y = top + 172
        parts += [
            line(12, y - 34, width - 12, y - 34, "rule"),
            text(16, y - 18, "afterwards, in milliseconds", cls="axis"),
            _people(16, y, [["4", "", "5"]]),
            text(16, y + 46, "somebody new"),
            _arrow(120, y + 15, middle - 100),
            element("g", _box(middle - 92, y - 8, 184, 46), cls="s2"),
            text(middle, y + 15, "the same weights", anchor="middle"),
            _arrow(middle + 98, y + 15, width - 132),
            *(_cell(width - 126 + 36 * at, y - 2, v, "hidden" if at == 1 else "plain", 34)
              for at, v in enumerate(["4.1", "3.7", "4.6"])),
            text(width - 16, y + 46, "a rating for every film", anchor="end"),
        ]  # fmt: skip
        return "".join(parts), y + 62

    return Diagram(
        name="fold-in",
        title="Fold-in: somebody new is one more row",
        summary="Training turns the rows of the people who were there into weights, which belong "
        "to films and layers and not to people. Afterwards the row of somebody new, with two "
        "ratings, goes through the same weights and comes out as a rating for every film.",
        content=content,
    )


def _people(x: float, y: float, table: list[list[str]]) -> str:
    return "".join(
        _cell(x + 30 * column, y + 30 * row, value, "given" if value else "empty")
        for row, values in enumerate(table)
        for column, value in enumerate(values)
    )


def time_stamps() -> Chart:
    """Mean rating by how many ratings its person gave in the second."""
    with (Path(__file__).parent / "results" / "time-stamps.csv").open(encoding="utf-8") as file:
        table = [row for row in csv.DictReader(file) if row["part"] != "all"]
    numbers = [1, 2, 3, 4]
    series = [
        Series(
            f"{row['data']}, {row['part']}", numbers, [float(row[f"n{n}"]) for n in numbers],
            style=at,
        )
        for at, row in enumerate(table)
    ]  # fmt: skip
    return Lines(
        name="time-stamps",
        title="Mean rating by how many ratings its person gave in the second",
        note="",
        summary="; ".join(f"{s.name}: {s.y[0]:.2f} alone, {s.y[1]:.2f} in pairs" for s in series)
        + ".",
        series=series,
        x_title="ratings of the person in the same second (4: four and more)",
        y_title="mean rating",
        x_ticks=(1, 2, 3, 4),
        height=360.0,
    )


def falling() -> Chart | None:
    """The two networks of the reference study: the training figure falls, the held-out one not."""
    name = "reference"
    series, marks = [], []
    labels = (
        ("l2/off", "where it began", 0, 2),
        ("conclusion/conclusion", "its conclusion", 1, 3),
    )
    for which, words, held, trained in labels:
        if not curves(name, which, "held_out"):
            return None
        for figure, style, what in (
            ("held_out", held, "held out"),
            ("reference", trained, "on training ratings"),
        ):
            points = curves(name, which, figure)
            series.append(
                Series(f"{words}: {what}", [x for x, _ in points], [y for _, y in points],
                       style=style)
            )  # fmt: skip
    base, end = arm(name, "base/base"), arm(name, "conclusion/conclusion")
    assert base is not None
    assert end is not None
    marks = [
        Mark(50, float(base["published_test"]), "where it began, published as test", 2),
        Mark(100, float(end["published_test"]), "its conclusion, published as test", 3),
    ]
    bias = known(name, "base/base", "bias_rmse")
    assert bias is not None
    series.append(Series("bias model: held out", [1, 100], [bias, bias], style=7))
    return Lines(
        name="falling",
        title="The study's first and last network: RMSE by epoch",
        note="",
        summary="; ".join(
            f"{s.name}: lowest {min(s.y):.3f} at epoch {s.x[list(s.y).index(min(s.y))]}, "
            f"{s.y[-1]:.3f} at epoch {s.x[-1]}"
            for s in series[:-1]
        )
        + f". Bias model: {bias:.3f}. Published as test (hollow): "
        f"{marks[0].y} at epoch 50 and {marks[1].y} at epoch 100.",
        series=series,
        x_title="epoch (hollow marks: published as test error)",
        y_title="RMSE",
        marks=marks,
        height=360.0,
    )


def published() -> Dots | None:
    """Every published test figure beside what it is, and beside what it should have been."""
    published = [
        row
        for row in rows("reference", "summary.csv")
        if row["published_test"] and row["reference"]
    ]
    arms = [
        row
        for row in published
        if not row["arm"].startswith("predecessor") and float(row["published_test"]) < 1.5
    ]
    if not arms:
        return None
    kinds = ["held-out RMSE", "the same formula, measured here on training ratings",
             "published as test error"]  # fmt: skip
    dots = []
    for at, row in enumerate(arms):
        for kind, column in enumerate(("held_out", "reference", "published_test")):
            dots.append(Dot(at, kind, float(row[column])))
    gaps = sorted(abs(float(r["published_test"]) - float(r["reference"])) for r in arms)
    honest = sorted(abs(float(r["published_test"]) - float(r["held_out"])) for r in arms)
    return Dots(
        name="published",
        title="What was published as test error is the error on training ratings",
        summary=f"{len(arms)} of the {len(published)} arms with a published figure: without the "
        "predecessor and those published above 1.5. Median distance of the published figure from "
        f"the formula on training ratings: {gaps[len(gaps) // 2]:.3f}; from the held-out RMSE: "
        f"{honest[len(honest) // 2]:.3f}.",
        rows=[_plain(row["arm"]) for row in arms],
        kinds=kinds,
        dots=dots,
        x_title="RMSE",
        hollow=[2],
        styles=[0, 1, 1],
    )


def _plain(name: str) -> str:
    group, _, name_of_arm = name.partition("/")
    return f"{group.replace('_', ' ')} {name_of_arm}" if name_of_arm != group else group


def protocol() -> Dots | None:
    """One model under every formula."""
    summary = [row for row in rows("protocol", "summary.csv") if row["data"] == "ml-1m"]
    keys = [key for key in (summary[0] if summary else {}) if key.startswith("protocol.")]
    if not keys:
        return None
    dots = [
        Dot(at, kind, float(row[key]))
        for at, key in enumerate(keys)
        for kind, row in enumerate(summary)
        if row[key] and math.isfinite(float(row[key]))
    ]
    names = [key.partition(".")[2].replace("_", " ") for key in keys]
    return Dots(
        name="formulas",
        title="The same models under nine formulas that are called RMSE (MovieLens-1M)",
        summary="; ".join(
            f"{row['arm'].partition('/')[2]}: "
            + ", ".join(
                f"{n} {float(row[k]):.3f}" for n, k in zip(names, keys, strict=True) if row[k]
            )
            for row in summary
        ),
        rows=names,
        kinds=[row["arm"].partition("/")[2] for row in summary],
        dots=dots,
        x_title="what would be published",
    )
