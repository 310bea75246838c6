"""The page and the tables of an online comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...base.atomic import write_text
from ...charts.calibration import Calibration, Pair
from ...charts.chart import Chart
from ...charts.lines import Level, Lines, Series
from ..online import ModelLists, OnlineComparison
from ._page import render
from ._tables import Sheet


def online_sheets(comparison: OnlineComparison) -> list[Sheet]:
    """Return the tables: acceptance, and the most recommended items."""
    sides = (comparison.first, comparison.second)
    bounds = ""
    if comparison.interval is not None:
        bounds = "{:+.4f} to {:+.4f}".format(*comparison.interval)
    scores = Sheet(
        "acceptance",
        ("model", "people", "lists", "acceptance", "coverage", "Gini"),
        [
            (each.name, each.n_people, each.n_lists, each.acceptance, each.coverage, each.gini)
            for each in sides
        ],
        f"acceptance: mean over people of the share of their lists in {comparison.days:g} days "
        "from which they accepted something",
    )
    difference = Sheet(
        "difference",
        ("acceptance", "difference", "95% interval, valid at every look"),
        [(f"{sides[1].name} less {sides[0].name}", comparison.difference, bounds)],
        comparison.verdict,
    )
    top = [
        Sheet(
            f"top-{at}",
            ("item", "share of lists"),
            list(each.top),
            f"most recommended by {each.name}",
        )
        for at, each in enumerate(sides, 1)
    ]
    return [scores, difference, *top]


def write_online(comparison: OnlineComparison, path: Path | str) -> Path:
    """Write an online comparison as one self-contained HTML file.

    Raises:
        MatineeError: The file cannot be written.
    """
    one, two = comparison.first, comparison.second
    notes = []
    if comparison.n_both:
        notes.append(
            f"{comparison.n_both:,} people saw lists of both models and count for the model of "
            "their first list."
        )
    page = render(
        "comparison.html",
        title=f"{two.name} against {one.name}",
        dataset="served lists",
        headline=comparison.verdict,
        notes=notes,
        about="One person is one observation, which counts once "
        f"{comparison.days:g} days have passed since their first list. The interval may be looked "
        "at as often as you like.",
        sheets=online_sheets(comparison),
        charts=list(_charts(comparison)),
        examples=[],
    )
    write_text(path, page)
    return Path(path)


def _charts(comparison: OnlineComparison) -> Iterator[Chart]:
    sides = (comparison.first, comparison.second)
    looks = comparison.looks
    if len(looks) > 1:
        yield Lines(
            name="looks",
            title=f"Acceptance of {sides[1].name} less that of {sides[0].name}, by day",
            note="The band is the 95% interval, valid for all days at once.",
            series=[
                Series(
                    "difference",
                    [look.day for look in looks],
                    [look.difference for look in looks],
                    [look.interval.low for look in looks],
                    [look.interval.high for look in looks],
                )
            ],
            x_title="days since the first person counted",
            y_title="difference in acceptance",
            levels=[Level(0.0, "none")],
            cut=False,
        )
    ranked = [(each, [share for share in each.by_rank if share is not None]) for each in sides]
    if all(shares for _, shares in ranked):
        yield Lines(
            name="ranks",
            title="Acceptance by rank",
            note="Share of the items at each rank that were accepted from their list.",
            series=[
                Series(each.name, range(1, len(shares) + 1), shares) for each, shares in ranked
            ],
            x_title="rank",
            y_title="share accepted",
            cut=False,
        )
    for at, each in enumerate(sides, 1):
        if each.calibration:
            yield _calibration(f"calibration-{at}", each)
    drifting = [each for each in sides if len(each.drift) > 1]
    if drifting:
        yield Lines(
            name="drift",
            title="Calibration by time",
            note="Mean rating less mean prediction; each prediction uses earlier ratings alone.",
            series=[
                Series(
                    each.name,
                    [part.day for part in each.drift],
                    [part.given - part.predicted for part in each.drift],
                    [part.given - part.predicted - part.error for part in each.drift],
                    [part.given - part.predicted + part.error for part in each.drift],
                )
                for each in drifting
            ],
            x_title="days since the first rating",
            y_title="rating less prediction",
            levels=[Level(0.0, "calibrated")],
            cut=False,
        )


def _calibration(name: str, side: ModelLists) -> Calibration:
    return Calibration(
        name=name,
        title=f"Calibration of {side.name}",
        note="Ratings that people gave since they saw its lists, and that it was not trained on.",
        pairs=[
            Pair(
                part.predicted, part.given, part.given - part.error, part.given + part.error, part.n
            )
            for part in side.calibration
        ],
    )
