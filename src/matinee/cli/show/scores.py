"""A score as text and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...evaluate.metric import interval_text
from ..output import bold, echo, print_table

if TYPE_CHECKING:
    from ...evaluate import Evaluation, Score, Scores, Uncertainty
    from ...models import Recommender

_TRAINING = ("epochs_run", "best_epoch", "train_seconds", "seconds_per_epoch", "preset", "config")


def as_object(
    model: Recommender, folder: Path, evaluation: Evaluation | None, **more: Any
) -> dict[str, Any]:
    """Return what ``--json`` prints of a model and its score."""
    from ...evaluate import metrics_of

    training = model.record.get("training", {})
    n_valid = training.get("n_valid", 0)
    values: dict[str, Any] = {
        "model": model.kind,
        "folder": str(folder),
        "dataset": model.provenance.dataset,
        "n_users": model.n_users,
        "n_items": model.n_items,
        "n_train": model.provenance.n_ratings - n_valid,
        "n_valid": n_valid,
        "n_test": 0,
        **{metric.name: None for metric in metrics_of("rating")},
        "baselines": None,
    }
    if evaluation is not None:
        score = evaluation.as_dict()
        renamed = {"dataset": "test", "seed": "bootstrap_seed"}
        values |= {renamed.get(key, key): value for key, value in score.items() if key != "model"}
    values |= {key: training.get(key) for key in _TRAINING}
    return values | {"seed": model.provenance.seed, "split": model.record.get("split")} | more


def show_score(score: Evaluation) -> None:
    """Show a table of the model and the baselines, and whether the model beats them."""
    from ...evaluate import metrics_of

    metrics = metrics_of("rating")
    rows: list[tuple[str, Scores, bool]] = [(score.model, score, True)]
    rows += [(name, each, False) for name, each in score.baselines.items()]
    print_table(
        ["", *(head for metric in metrics for head in (metric.label, "95% interval"))],
        [
            (
                name,
                *(
                    cell
                    for m in metrics
                    for cell in _cells(each.scores[m.name], baseline or m is metrics[0])
                ),
            )
            for name, each, baseline in rows
        ],
    )
    echo(f"\n{score.verdict}")


def show_evaluation(score: Evaluation) -> None:
    """All of a score."""
    echo(f"{score.dataset}: {score.n_test:,} ratings by {score.n_test_users:,} users\n")
    if score.overlap.invalidates:
        echo(bold(_warning(score)) + "\n")
    show_score(score)
    coverage = score.coverage
    parts = {"user and item known": coverage.known, "user or item unknown": coverage.unknown}
    echo()
    print_table(
        ["test ratings", "", "RMSE", "MAE"],
        [(name, f"{part.n:,}", part.rmse, part.mae) for name, part in parts.items()],
    )
    if coverage.unknown.n:
        echo(
            f"(unknown: {coverage.unknown_users:,} users, {coverage.unknown_items:,} items; the "
            "bias model answers for them)"
        )
    echo()
    print_table(
        ["ratings the user gave", "users", "test ratings", "RMSE", "MAE", "RMSE of bias"],
        [
            (row.ratings, f"{row.n_users:,}", f"{row.n:,}", row.rmse, row.mae, row.bias_rmse)
            for row in score.by_history
        ],
    )
    if score.uncertainty is not None:
        show_uncertainty(score.uncertainty)
    echo(f"\nmean over users of each one's RMSE (another measure): {score.mean_user_rmse:.4f}")
    for text in score.notes:
        echo(f"note: {text}")


def show_uncertainty(uncertainty: Uncertainty) -> None:
    """Coverage of the intervals, and how the standard deviations compare with the errors."""
    echo()
    print_table(
        ["interval", "ratings within", "mean width"],
        [
            (f"{row.level:.0%}", f"{row.covered:.1%}", f"{row.width:.2f}")
            for row in uncertainty.intervals
        ],
    )
    groups = ", ".join(f"{group.std:.2f} ({group.rmse:.2f})" for group in uncertainty.by_std)
    echo(f"standard deviation (and RMSE) by fifths, surest first: {groups}")
    if uncertainty.source == "bias":
        echo("(the model kept no ratings apart: its standard deviations are of the bias model)")


def _warning(score: Evaluation) -> str:
    overlap, reasons = score.overlap, []
    if overlap.count:
        pairs = ", ".join(f"({user}, {item})" for user, item in overlap.examples)
        reasons.append(
            f"the model has seen {overlap.count:,} of these {score.n_test:,} ratings, among them "
            f"(user, item) {pairs}"
        )
    if overlap.renamed:
        reasons.append(f"{overlap.renamed_people:,} people were trained on under other ids")
    return f"WARNING: {'; '.join(reasons)}. The score is invalid."


def _cells(score: Score, with_interval: bool) -> tuple[float, str | None]:
    return score.value, (interval_text(score.interval) or None) if with_interval else None
