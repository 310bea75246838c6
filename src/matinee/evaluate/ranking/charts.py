"""The charts of recommended lists: recall and precision by length, and popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ...charts.chart import Chart
from ...charts.lines import Lines, Series
from ...errors import UsageError
from .rows import ListCurve, ListPopularityBin


@dataclass(frozen=True)
class ListPlots:
    """The charts of a list evaluation, displayed in notebooks; ``save`` writes SVG.

    Attributes:
        model: The model's name.
        curves: Recall and precision by length of the list, of "model" and each baseline.
        by_popularity: Share of the lists by popularity of the items.
        k: Length of the lists in ``by_popularity``.
    """

    model: str
    curves: Mapping[str, ListCurve]
    by_popularity: Sequence[ListPopularityBin]
    k: int

    def recall(self) -> Lines:
        """Chart recall by length of the list."""
        return self._curves()[0]

    def precision(self) -> Lines:
        """Chart precision by length of the list."""
        return self._curves()[1]

    def popularity(self) -> Lines:
        """Chart the share of the lists taken by each part of the catalogue.

        Raises:
            UsageError: All items are equally popular.
        """
        chart = popularity_picture(self.by_popularity, self.k)
        if chart is None:
            raise UsageError("all items are about equally popular: there is nothing to draw")
        return chart

    def all(self) -> list[Chart]:
        """Return every chart."""
        picture = popularity_picture(self.by_popularity, self.k)
        return [*self._curves(), *([] if picture is None else [picture])]

    def _curves(self) -> list[Lines]:
        names = {"model": self.model}
        return list_curves({names.get(n, f"by {n}"): curve for n, curve in self.curves.items()})


def list_curves(curves: Mapping[str, ListCurve]) -> list[Lines]:
    """Chart recall and precision of several models by length of the list."""
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


def popularity_picture(bins: Sequence[ListPopularityBin], k: int) -> Lines | None:
    """Chart the share of lists of k taken by each part of the catalogue, most popular first."""
    rows = [row for row in reversed(bins) if row.n_items]
    if len(rows) < 2:
        return None
    total = sum(row.n_items for row in rows)
    share = list(accumulate((100 * row.n_items / total for row in rows), initial=0.0))
    parts = {"training": [row.trained for row in rows]}
    parts |= {name: [row.shown[name] for row in rows] for name in rows[0].shown}
    series = [
        Series(name, share, list(accumulate((100 * value for value in values), initial=0.0)))
        for name, values in parts.items()
    ]
    return Lines(
        name="list-popularity",
        title="What the lists show, the most popular items first",
        note=f"Share of the places of all lists of {k} that the most popular items take, and "
        "of the training interactions. The further above training, the more popular the lists.",
        summary="; ".join(f"{s.name}: {s.y[1]:.0f}% are of the most popular" for s in series),
        series=series,
        x_title="% of the items",
        y_title="% of the places",
    )
