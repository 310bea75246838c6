"""The charts of recommended lists: recall and precision by length, and popularity."""

from __future__ import annotations

from collections.abc import Mapping

from ...charts.chart import Chart
from ...charts.lines import Lines, Series
from ...evaluate import ListEvaluation
from ...evaluate.ranking.result import ListCurve


def of_lists(found: ListEvaluation) -> list[Chart]:
    """Every chart of one model's lists, with the model under its kind."""
    names = {"model": found.model}
    curves = {names.get(name, f"by {name}"): curve for name, curve in found.curves.items()}
    picture = popularity_picture(found)
    return [*list_curves(curves), *([] if picture is None else [picture])]


def list_curves(curves: Mapping[str, ListCurve]) -> list[Lines]:
    """Recall and precision by length of the list, of several models."""
    charts = []
    for metric in ("recall", "precision"):
        series = []
        for name, curve in curves.items():
            values = getattr(curve, metric)
            series.append(Series(name, [float(k) for k in range(1, len(values) + 1)], values))
        ends = "; ".join(f"{s.name} {s.y[min(9, len(s.y) - 1)]:.4f}" for s in series)
        charts.append(
            Lines(
                name=f"list-{metric}",
                title=f"{metric.capitalize()} by length of the list",
                note="Means over the people with a relevant test item; all items are ranked.",
                summary=f"{metric} of lists of 10: {ends}",
                series=series,
                x_title="items in the list",
                y_title=metric,
            )
        )
    return charts


def popularity_picture(found: ListEvaluation) -> Lines | None:
    """Share of the lists that each part of the catalogue takes, the most popular items first."""
    rows = [row for row in reversed(found.by_popularity) if row.n_items]
    if len(rows) < 2:
        return None
    total = sum(row.n_items for row in rows)
    share = [0.0]
    for row in rows:
        share.append(share[-1] + 100 * row.n_items / total)
    parts = {"training": [row.trained for row in rows]}
    parts |= {name: [row.shown[name] for row in rows] for name in rows[0].shown}
    series = []
    for name, values in parts.items():
        ys = [0.0]
        for value in values:
            ys.append(ys[-1] + 100 * value)
        series.append(Series(name, share, ys))
    first = found.cutoffs[0]
    return Lines(
        name="list-popularity",
        title="What the lists show, the most popular items first",
        note=f"Share of the places of all lists of {first} that the most popular items take, and "
        "of the training interactions. The further above training, the more popular the lists.",
        summary="; ".join(f"{s.name}: {s.y[1]:.0f}% are of the most popular" for s in series),
        series=series,
        x_title="% of the items",
        y_title="% of the places",
    )
