"""How a model's lists change with love: charts and a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...charts.chart import Chart
from ...charts.lines import Lines, Mark, Series
from ...evaluate import METRICS, Score, interval_text
from ...models import LovePoint
from ._tables import Sheet, Value

_HITS = ("ndcg", "recall")
_SHOWN = ("ndcg", "recall", "mean_rating", "coverage")


def love_charts(points: Sequence[LovePoint], k: int) -> list[Chart]:
    """Chart hits and the mean rating of listed items by love; empty without points."""
    drawn = [point for point in points if math.isfinite(point.love)]
    if len(drawn) < 2:
        return []
    own = next((point for point in drawn if point.own), None)
    ring = f" The ring is the model’s own, {own.love:.4g}." if own else ""
    note = "Love is the exponent of the probability of liking: 0 ranks by interest alone."
    series = [_series(drawn, name, f"{METRICS[name].label}@{k}") for name in _HITS]
    charts: list[Chart] = [
        _chart(
            "love-hits", f"Hits of lists of {k} by love", note + ring, "nDCG, recall", series, own
        )
    ]
    ratings = _series(drawn, "mean_rating", "mean rating")
    if all(map(math.isfinite, ratings.y)):
        title = f"Rating of what lists of {k} show, by love"
        note = "Mean test rating of the listed items that have one, with its 95% interval."
        charts.append(_chart("love-ratings", title, note + ring, "mean rating", [ratings], own))
    return charts


def love_sheet(points: Sequence[LovePoint], k: int) -> Sheet | None:
    """Return the scores for each love; None without points."""
    if not points:
        return None
    rows: list[list[Value]] = []
    for point in points:
        love = "by rating alone" if point.love == math.inf else f"{point.love:.4g}"
        cells: list[Value] = [f"{love} (own)" if point.own else love]
        for name in _SHOWN:
            score = point.scores[name]
            cells.append(None if math.isnan(score.value) else score.value)
            if name == "ndcg":
                cells.append(interval_text(score.interval) or None)
        rows.append(cells)
    columns = ["love"]
    for name in _SHOWN:
        columns += [f"{METRICS[name].label}@{k}", *(["95% interval"] if name == "ndcg" else [])]
    caption = (
        "Lists are ranked by interest times the probability that the item is liked to the power of "
        "love; “own” marks the model’s value. recommend(love=...), --love and the page of serve "
        "set another."
    )
    own = [at for at, point in enumerate(points) if point.own]
    return Sheet("love", columns, rows, caption, own)


def _chart(
    name: str, title: str, note: str, y_title: str, series: list[Series], own: LovePoint | None
) -> Lines:
    marks = []
    for style, each in enumerate(series if own else []):
        assert own is not None
        y = each.y[list(each.x).index(own.love)]
        marks.append(Mark(own.love, y, f"{each.name} with the model’s own love", style))
    ends = "; ".join(
        f"{s.name} {s.y[0]:.4f} at love {s.x[0]:g}, {s.y[-1]:.4f} at {s.x[-1]:g}" for s in series
    )
    return Lines(
        name=name,
        title=title,
        note=note,
        summary=ends,
        series=series,
        x_title="love",
        y_title=y_title,
        marks=marks,
        cut=False,
    )


def _series(points: Sequence[LovePoint], metric: str, name: str) -> Series:
    scores = [point.scores[metric] for point in points]
    return Series(
        name,
        [point.love for point in points],
        [score.value for score in scores],
        [_end(score, 0) for score in scores],
        [_end(score, 1) for score in scores],
    )


def _end(score: Score, at: int) -> float:
    return float("nan") if score.interval is None else score.interval[at]
