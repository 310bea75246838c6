"""Scores of lists as people read them, and as programs do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..output import bold, print_table, say

if TYPE_CHECKING:
    from ...evaluate import ListEvaluation, Score
    from ...models import Recommender


def lists_object(model: Recommender, folder: Path, found: ListEvaluation) -> dict[str, Any]:
    """What ``--json`` prints of a model's lists."""
    plain = found.as_dict()
    return {
        "model": plain.pop("model"),
        "folder": str(folder),
        "dataset": model.provenance.dataset,
        "test": plain.pop("dataset"),
        "cutoffs": list(found.cutoffs),
        **plain,
        "split": model.record.get("split"),
    }


def show_lists(found: ListEvaluation) -> None:
    """All of a score of lists."""
    say(found.headline)
    if found.overlap.found:
        # Which and how many is the first of the notes.
        say("\n" + bold("WARNING: the model has seen test ratings: the score is invalid."))
    for k in found.cutoffs:
        say()
        show_cutoff(found, k)
    say(f"\n{found.verdict()}\n")
    first = found.cutoffs[0]
    names = ["model", *found.baselines]
    print_table(
        ["items in the history", "people", f"nDCG@{first}", *(f"of {each}" for each in names[1:])],
        [
            (row.items, f"{row.n_people:,}", *(row.ndcg[name] for name in names))
            for row in found.by_history
        ],
    )
    say()
    print_table(
        [
            "people who have it",
            "items",
            f"recall@{first}",
            *(f"of {each}" for each in names[1:]),
            "share of the lists",
            "of training",
        ],
        [
            (
                row.people,
                f"{row.n_items:,}",
                *(row.found[name] for name in names),
                row.shown["model"],
                row.trained,
            )
            for row in found.by_popularity
        ],
    )
    say("\nthe same lists under the formulas of (docs/lists.md)")
    metrics = ("recall", "precision", "ndcg", "map")
    print_table(
        [f"at {first}", "recall", "precision", "nDCG", "MAP"],
        [
            (name, *(values[metric] for metric in metrics))
            for name, values in found.variants[first].items()
        ],
    )
    if found.notes:
        say()
        for text in found.notes:
            say(text)


def show_briefly(found: ListEvaluation) -> None:
    """Two lines: what the lists are worth, and whether that is more than popularity's."""
    k = found.cutoffs[0]
    names = ("ndcg", "recall", "mean_rating", "coverage")
    print_table(
        [f"lists of {k}", "nDCG", "95% interval", "recall", "mean rating", "coverage"],
        [
            (
                name,
                each.value("ndcg", k),
                _within(each.scores[k]["ndcg"]),
                *(_value(each.scores[k][metric]) for metric in names[1:]),
            )
            for name, each in ((found.model, found), *found.baselines.items())
        ],
    )
    say(f"\n{found.verdict()}")


def show_cutoff(found: ListEvaluation, k: int) -> None:
    """The table of every metric at one cutoff, beside the baselines."""
    from ...evaluate import metrics_of

    print_table(
        [
            f"at {k}",
            found.model,
            "95% interval",
            *(head for name in found.baselines for head in (name, "gain, 95% interval")),
        ],
        [
            (
                metric.label,
                _value(found.scores[k][metric.name]),
                _within(found.scores[k][metric.name]),
                *(
                    cell
                    for each in found.baselines.values()
                    for cell in (
                        _value(each.scores[k][metric.name]),
                        _within(each.gains[k][metric.name]),
                    )
                ),
            )
            for metric in metrics_of("list")
        ],
    )


def _value(score: Score) -> float | None:
    return score.value if math.isfinite(score.value) else None


def _within(score: Score) -> str:
    return "" if score.interval is None else "{:.4f} to {:.4f}".format(*score.interval)
