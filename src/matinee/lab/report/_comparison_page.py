"""The page of two models side by side."""

from __future__ import annotations

from pathlib import Path

from ...base.atomic import write_text
from ...evaluate import interval_text, metrics_of
from ...evaluate.ranking.charts import list_curves
from ..comparison import Comparison, ListedItem
from ._page import render
from ._tables import Sheet, Value


def comparison_sheets(comparison: Comparison, names: tuple[str, str]) -> list[Sheet]:
    """Return the tables of a comparison: ratings, then lists by cutoff."""
    sheets = []
    if comparison.rmse is not None:
        gain = comparison.rmse
        row = ("RMSE", gain.before, gain.after, gain.gain, interval_text(gain.interval))
        sheets.append(
            Sheet(
                "ratings",
                ("ratings", *names, "lower by", "95% interval"),
                [row],
                f"{gain.n:,} ratings by {gain.n_users:,} people",
            )
        )
    for k, gains in comparison.gains.items():
        rows: list[tuple[Value, ...]] = [
            (
                metric.label,
                comparison.first.value(metric.name, k),
                comparison.second.value(metric.name, k),
                gains[metric.name].value,
                interval_text(gains[metric.name].interval),
            )
            for metric in metrics_of("list")
        ]
        heads = (f"lists of {k}", *names, "difference", "95% interval")
        sheets.append(Sheet(f"lists-{k}", heads, rows, comparison.first.headline))
    return sheets


def example_sheets(comparison: Comparison, names: tuple[str, str]) -> list[Sheet]:
    """Return a table for each example: both lists, hits marked with the test rating."""
    return [
        Sheet(
            f"example-{at}",
            ("rank", *names),
            [
                (str(rank), *(_item(each, rank - 1) for each in (example.first, example.second)))
                for rank in range(1, max(len(example.first), len(example.second)) + 1)
            ],
            f"user {example.user}; ✓ is relevant, in brackets the test rating",
            text_columns=3,
        )
        for at, example in enumerate(comparison.examples, start=1)
    ]


def write_comparison(comparison: Comparison, names: tuple[str, str], path: Path | str) -> Path:
    """Write a comparison as one self-contained HTML file.

    Raises:
        MatineeError: The file cannot be written.
    """
    curves = {
        names[0]: comparison.first.curves["model"],
        names[1]: comparison.second.curves["model"],
        **{name: each for name, each in comparison.first.curves.items() if name == "popularity"},
    }
    page = render(
        "comparison.html",
        title=f"{names[1]} against {names[0]}",
        dataset=comparison.dataset,
        headline=comparison.first.headline,
        notes=sorted({*comparison.first.notes, *comparison.second.notes}),
        about="Differences are paired: both models on the same resamples of people.",
        sheets=comparison_sheets(comparison, names),
        charts=list_curves(curves),
        examples=example_sheets(comparison, names),
    )
    write_text(path, page)
    return Path(path)


def _item(items: tuple[ListedItem, ...], at: int) -> str:
    if at >= len(items):
        return ""
    item = items[at]
    rated = "" if item.rating is None else f" ({item.rating:g})"
    return f"{'✓ ' if item.relevant else ''}{item.title}{rated}"
