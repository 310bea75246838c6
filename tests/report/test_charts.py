"""Charts: well-formed, in bounds, readable without colour, and what they say in words."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from matinee.charts._scale import Axis, log_ticks, round_ticks, tick_texts
from matinee.charts._svg import (
    COLOURS,
    look,
    path,
    shortened,
    simplified,
    spread,
    width as text_width,
)
from matinee.charts.bars import Histogram
from matinee.charts.calibration import Calibration, Pair
from matinee.charts.chart import Chart
from matinee.charts.dots import Dot, Dots
from matinee.charts.heat import Heat
from matinee.charts.lines import Level, Lines, Mark, Series

NASTY = '</script><script>alert("1")</script> & "quotes" \'single\''

CHARTS: list[Chart] = [
    Lines(
        name="lines",
        title=NASTY,
        summary=NASTY,
        series=[
            Series(NASTY, [1, 2, 3], [1.0, 0.9, 0.95], [0.9, 0.85, 0.9], [1.1, 0.95, 1.0]),
            Series("far", [1, 2, 3], [9.0, 9.1, 9.2]),
            Series("gap", [1, 2, 3], [math.nan, 0.8, 0.7]),
        ],
        x_title="epoch",
        y_title="RMSE",
        marks=[Mark(3, 0.5, NASTY, 0), Mark(3, 30.0, "off", 1)],
        levels=[Level(0.9, NASTY)],
    ),
    Lines(name="one", title="One point", series=[Series("a", [1], [1.0])], x_title="", y_title=""),
    Dots(
        name="dots",
        title=NASTY,
        rows=[NASTY, "b"],
        kinds=["k", NASTY],
        dots=[
            Dot(0, 0, 0.5, 0.4, 0.6),
            Dot(1, 1, 99.0),
            Dot(1, 0, math.nan),
            Dot(0, 1, 0.7),
            Dot(1, 0, 0.65),
        ],
        x_title="RMSE",
        levels=[(0.6, NASTY)],
        hollow=[1],
    ),
    Heat(
        name="heat",
        title=NASTY,
        rows=["1", NASTY],
        columns=["a", NASTY],
        values=[[0.9, math.nan], [0.8, 0.7]],
        best=[[0, 1], [1]],
    ),
    Histogram(
        name="histogram",
        title=NASTY,
        edges=[-1, 0, 1],
        counts=[3, 0],
        x_title=NASTY,
        levels=[(0.0, NASTY)],
    ),
    Calibration(name="calibration", title=NASTY, pairs=[Pair(3, 3.1, 3.0, 3.2, 9)]),
    Lines(
        name="none",
        title="Diverged",
        series=[Series("a", [1, 2], [math.nan, math.inf])],
        x_title="",
        y_title="",
    ),
    Lines(
        name="log",
        title="One point",
        series=[Series("a", [0.3], [1.0])],
        x_title="",
        y_title="",
        log_x=True,
    ),
]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
@pytest.mark.parametrize("width", [300.0, 410.0, 900.0])
def test_a_chart_is_well_formed_and_in_bounds(chart: Chart, width: float) -> None:
    drawn = chart.draw(width)
    for text in (chart.svg(width), chart.file(width)):
        root = ET.fromstring(text)
        assert "nan" not in re.sub(r">[^<]*<", "><", text)
        assert "script" not in {each.tag.rpartition("}")[2] for each in root.iter()}
        for each in root.iter():
            for name in ("x", "x1", "x2", "cx"):
                if name in each.attrib:
                    assert -1 <= float(each.attrib[name]) <= width + 1, each.attrib
            for name in ("y", "y1", "y2", "cy"):
                if name in each.attrib:
                    assert -10 <= float(each.attrib[name]) <= drawn.height + 20, each.attrib


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_file_stands_alone(chart: Chart, tmp_path: Path) -> None:
    folder = chart.save(str(tmp_path))
    text = folder.read_text("utf-8")
    root = ET.fromstring(text)
    assert root.attrib["role"] == "img"
    assert root.find("{http://www.w3.org/2000/svg}title").text == chart.title  # type: ignore[union-attr]
    assert "prefers-color-scheme" in text
    assert not re.search(r"(href|src)=|url\((?!#)|@import|http://(?!www\.w3\.org/2000/svg)", text)


def test_a_curve_far_above_the_rest_is_named_at_the_top() -> None:
    text = CHARTS[0].svg()
    assert "far ↑9.20" in text
    assert "30.00 ↑" in text


def test_values_are_kept_for_the_reader() -> None:
    hover = CHARTS[0].hover()
    assert hover["x"] == [1, 2, 3]
    assert hover["series"][0]["y"] == [10000, 9000, 9500]
    assert hover["series"][0]["down"] == [1000, 500, 500]
    assert hover["series"][0]["up"] == [1000, 500, 500]
    assert hover["series"][2]["y"] == [None, 8000, 7000]


def test_marks_beyond_the_axis_carry_their_value() -> None:
    assert "99.00 →" in CHARTS[2].svg()


def _spots(values: list[float]) -> str:
    rows = [str(at) for at in range(len(values))]
    dots = [Dot(at, 0, value) for at, value in enumerate(values)]
    return Dots(name="d", title="d", rows=rows, kinds=["k"], dots=dots, x_title="").svg()


def test_only_a_gap_sends_marks_beyond_the_axis() -> None:
    assert "→" not in _spots([0.52, 0.54, 0.61, 0.63, 0.64, 0.66, 0.68, 0.75, 0.98, 1.02, 1.05])
    assert _spots([0.7, 0.72, 0.8, 0.87, 0.9, 0.96, 2.42]).count("→") == 1


def test_the_best_of_a_column_is_marked_without_colour() -> None:
    root = ET.fromstring(CHARTS[3].svg())
    tips = [each.attrib["data-tip"] for each in root.iter() if "data-tip" in each.attrib]
    assert sum("the best of its column" in tip for tip in tips) == 2
    assert sum("not distinguishable" in tip for tip in tips) == 1
    assert ">0.900<" in CHARTS[3].svg()


def test_no_two_series_look_the_same() -> None:
    looks = [look(style) for style in range(COLOURS * 8)]
    assert len(set(looks)) == len(looks)
    assert len({shape for _, _, shape in looks[:COLOURS]}) == COLOURS


@given(
    st.lists(st.floats(0, 300), min_size=1, max_size=14),
    st.floats(1, 20),
)
def test_names_are_spread(wanted: list[float], gap: float) -> None:
    result = spread(wanted, gap, 0.0, 300.0)
    assert all(-1e-6 <= y <= 300 + 1e-6 for y in result)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    least = min(gap, 300.0 / max(len(wanted) - 1, 1))
    for one, other in itertools.pairwise(order):
        assert result[other] - result[one] >= least - 1e-6


def test_names_that_are_apart_stay_where_they_are() -> None:
    assert spread([250.0, 10.0, 100.0], 14, 0, 300) == [250.0, 10.0, 100.0]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(3, 9))
def test_ticks_are_inside_and_few(low: float, span: float, wanted: int) -> None:
    ticks = round_ticks(low, low + span, wanted)
    slack = 1e-6 * (abs(low) + span)
    assert all(low - slack <= t <= low + span + slack for t in ticks)
    assert len(ticks) <= wanted + 1


def test_ticks_read_well() -> None:
    assert tick_texts(round_ticks(0.84, 0.96, 5)) == ("0.850", "0.875", "0.900", "0.925", "0.950")
    assert log_ticks(8e3, 1e7) == (1e4, 1e5, 1e6, 1e7)
    assert tick_texts((1e4, 1e5, 1e6)) == ("10,000", "100,000", "1 M")
    assert Axis(1, 100, 0, 10, log=True).at(10) == pytest.approx(5)


def test_a_path_comes_back_to_its_points() -> None:
    points = [(10.0, 20.0), (10.5, 19.96), (300.0, 5.0), (299.9, 5.05)]
    text = path(points)
    numbers = [float(word) for word in re.findall(r"-?\d*\.?\d+", text)]
    x, y = numbers[:2]
    result = [(x, y)]
    for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
        x, y = x + dx, y + dy
        result.append((x, y))
    for (a, b), (c, d) in zip(points, result, strict=True):
        assert (a, b) == (pytest.approx(c, abs=0.06), pytest.approx(d, abs=0.06))


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=60), st.floats(0.1, 2))
def test_a_simplified_line_stays_near(heights: list[float], near: float) -> None:
    points = [(float(x), y) for x, y in enumerate(heights)]
    result = simplified(points, near)
    assert result[0] == points[0]
    assert result[-1] == points[-1]
    drawn = np.interp([x for x, _ in points], [x for x, _ in result], [y for _, y in result])
    assert np.abs(drawn - heights).max() <= near + 1e-9


def test_a_straight_line_is_two_points() -> None:
    assert len(simplified([(float(x), 2.0 * x) for x in range(50)], 0.5)) == 2


def test_long_names_are_cut() -> None:
    assert shortened("short", 100) == "short"
    cut = shortened("a name that is far too long to be written", 60)
    assert cut.endswith("…")
    assert text_width(cut) <= 60
