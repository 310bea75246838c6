"""Scores of lists as text and as JSON."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...evaluate.metric import interval_text
from ..output import bold, echo, print_table

if TYPE_CHECKING:
    from ...evaluate import ListEvaluation, Score
    from ...models import Recommender


def lists_object(model: Recommender, folder: Path, evaluation: ListEvaluation) -> dict[str, Any]:
    """Return what ``--json`` prints of a model's lists."""
    plain = evaluation.as_dict()
    return {
        "model": plain.pop("model"),
        "folder": str(folder),
        "dataset": model.provenance.dataset,
        "test": plain.pop("dataset"),
        "cutoffs": list(evaluation.cutoffs),
        **plain,
        "split": model.record.get("split"),
    }


def show_lists(evaluation: ListEvaluation) -> None:
    """All of a score of lists."""
    echo(evaluation.headline)
    if evaluation.overlap.invalidates:
        # Which and how many is the first of the notes.
        echo("\n" + bold("WARNING: the model has seen test ratings: the score is invalid."))
    for k in evaluation.cutoffs:
        echo()
        show_cutoff(evaluation, k)
    echo(f"\n{evaluation.verdict()}\n")
    first = evaluation.cutoffs[0]
    names = ["model", *evaluation.baselines]
    print_table(
        ["items in the history", "people", f"nDCG@{first}", *(f"of {each}" for each in names[1:])],
        [
            (row.items, f"{row.n_people:,}", *(row.ndcg[name] for name in names))
            for row in evaluation.by_history
        ],
    )
    echo()
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
                *(row.recall[name] for name in names),
                row.shown["model"],
                row.trained,
            )
            for row in evaluation.by_popularity
        ],
    )
    echo("\nthe same lists under the formulas of (docs/lists.md)")
    metrics = ("recall", "precision", "ndcg", "map")
    print_table(
        [f"at {first}", "recall", "precision", "nDCG", "MAP"],
        [
            (name, *(values[metric] for metric in metrics))
            for name, values in evaluation.variants[first].items()
        ],
    )
    if evaluation.notes:
        echo()
        for text in evaluation.notes:
            echo(text)


def show_briefly(evaluation: ListEvaluation) -> None:
    """Two lines: the score of the lists, and its comparison with popularity."""
    k = evaluation.cutoffs[0]
    heads = {"recall": "recall", "mean_rating": "mean rating", "coverage": "coverage"}
    if _value(evaluation.scores[k]["mean_rating"]) is None:  # interactions have no ratings
        del heads["mean_rating"]
    print_table(
        [f"lists of {k}", "nDCG", "95% interval", *heads.values()],
        [
            (
                name,
                each.value("ndcg", k),
                interval_text(each.scores[k]["ndcg"].interval),
                *(_value(each.scores[k][metric]) for metric in heads),
            )
            for name, each in ((evaluation.model, evaluation), *evaluation.baselines.items())
        ],
    )
    echo(f"\n{evaluation.verdict()}")


def show_cutoff(evaluation: ListEvaluation, k: int) -> None:
    """Show every metric at one cutoff, with the baselines."""
    from ...evaluate import metrics_of

    print_table(
        [
            f"at {k}",
            evaluation.model,
            "95% interval",
            *(head for name in evaluation.baselines for head in (name, "gain, 95% interval")),
        ],
        [
            (
                metric.label,
                _value(evaluation.scores[k][metric.name]),
                interval_text(evaluation.scores[k][metric.name].interval),
                *(
                    cell
                    for each in evaluation.baselines.values()
                    for cell in (
                        _value(each.scores[k][metric.name]),
                        interval_text(each.gains[k][metric.name].interval),
                    )
                ),
            )
            for metric in metrics_of("list")
            if _value(evaluation.scores[k][metric.name]) is not None
        ],
    )


def _value(score: Score) -> float | None:
    return score.value if math.isfinite(score.value) else None
