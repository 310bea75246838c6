"""A trained model as one page."""

from __future__ import annotations

import json
import platform
import shlex
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...base.atomic import write_text
from ...charts.chart import Chart
from ...data import Ratings
from ...errors import DataError
from ...evaluate import (
    Breakdown,
    Evaluation,
    ListEvaluation,
    Uncertainty,
    interval_text,
)
from ...evaluate.rating_charts import of_breakdown, spread
from ...models import LovePoint, Neighbours, Recommender, breakdown, by_love, neighbours
from ...models.interactive.curves import curves_of, training_chart
from ...recommend import HistoriesLike
from ..comparison import lists_beside_popularity
from ._love import love_charts, love_sheet
from ._page import render
from ._score_sheets import ScoreSheets
from ._tables import Sheet, Value, data_url

_LISTED = 10
"""Length of the lists that are scored."""


@dataclass(frozen=True)
class ModelReport:
    """The contents of a model's report.

    Attributes:
        model: The model.
        score: Scores of predicted ratings on the test; None without one, or without ratings.
        breakdown: The breakdown of its errors on them.
        alike: Nearest items of a few items; empty if items have no vectors.
        charts: By section of the page.
        lists: The evaluation of its lists; None without relevant test ratings.
        loves: Scores of its lists by love; empty if it ranks only by interest or by ratings.
    """

    model: Recommender
    score: Evaluation | None
    breakdown: Breakdown | None
    alike: tuple[Neighbours, ...]
    charts: dict[str, list[Chart]]
    lists: ListEvaluation | None
    loves: tuple[LovePoint, ...]

    @classmethod
    def of(
        cls,
        model: Recommender,
        test: Ratings | None = None,
        *,
        histories: HistoriesLike | None = None,
        allow_overlap: bool = False,
        seed: int = 0,
    ) -> ModelReport:
        """Evaluate a model for its report; arguments as for ``write_model_report``."""
        score = errors = lists = None
        loves: list[LovePoint] = []
        if test is not None:
            options: dict[str, Any] = {"histories": histories, "seed": seed}
            if model.knows_ratings and not test.implicit:
                score = model.evaluate(test, allow_overlap=allow_overlap, **options)
                errors = breakdown(model, test, **options)
            lists = _evaluated(model, test, allow_overlap=allow_overlap, **options)
            if lists and model.knows_ratings and not test.implicit:
                loves = by_love(model, test, relevant=lists.relevant, k=_LISTED, **options)
        bias = score.baselines["bias"].rmse if score and "bias" in score.baselines else None
        curve = training_chart(curves_of(getattr(model, "epochs", [])), bias)
        charts: dict[str, list[Chart]] = {
            "lists": lists.plot.all() if lists else [],
            "love": love_charts(loves, _LISTED),
            "training": [curve] if curve else [],
            "errors": of_breakdown(errors) if errors else [],
            "uncertainty": [spread(score.uncertainty)] if score and score.uncertainty else [],
        }
        alike = tuple(neighbours(model))
        return cls(model, score, errors, alike, charts, lists, tuple(loves))

    def html(self) -> str:
        """Return the page as one self-contained file."""
        model, score = self.model, self.score
        training = model.record.get("training", {})
        settings = training.get("config")
        name = training.get("preset") or model.kind
        sheets = ScoreSheets.of(model.kind, model.record, score, self.lists)
        scores = sheets.scores()
        return render(
            "model.html",
            title=f"{name} on {model.provenance.dataset} · Matinee",
            kind=model.kind,
            name=name,
            dataset=model.provenance.dataset,
            headline=score.verdict if score else sheets.headline,
            facts=_facts(model),
            notes=list(score.notes) if score else [],
            cards=sheets.cards(),
            charts={**self.charts, "score": sheets.charts()},
            scores=scores,
            lists=sheets.list_scores(),
            love=love_sheet(self.loves, _LISTED),
            sizes=_sizes(self.breakdown) if self.breakdown else [],
            breakdown=self.breakdown,
            worst=_worst(self.breakdown) if self.breakdown else None,
            uncertainty=_uncertainty(score.uncertainty) if score and score.uncertainty else None,
            alike=self.alike,
            provenance=_provenance(model),
            environment=_environment(),
            commands=_commands(model),
            settings=json.dumps(settings, indent=2) if settings else "",
            csv=data_url("csv", scores.csv()) if scores else "",
            markdown=data_url("markdown", scores.markdown()) if scores else "",
        )


def write_model_report(
    model: Recommender,
    test: Ratings | None,
    path: Path | str,
    *,
    histories: HistoriesLike | None = None,
    allow_overlap: bool = False,
    seed: int = 0,
) -> Path:
    """Write a model's report: one HTML file that opens from disk, with no network and no server.

    Args:
        model: The model.
        test: Ratings it was not trained on, or None for a page without a score.
        path: The file.
        histories: Histories of the test users, if they were not in training.
        allow_overlap: Whether to continue, with a mark, if the model has seen test ratings.
        seed: Seeds the bootstrap of the intervals.

    Raises:
        LeakError: The model has seen test ratings.
        MatineeError: The file cannot be written.
    """
    file = Path(path).expanduser()
    report = ModelReport.of(
        model, test, histories=histories, allow_overlap=allow_overlap, seed=seed
    )
    write_text(file, report.html())
    return file


def _evaluated(model: Recommender, test: Ratings, **options: Any) -> ListEvaluation | None:
    try:
        return lists_beside_popularity(model, test, k=_LISTED, **options)
    except DataError:  # no test rating is relevant
        return None


def _facts(model: Recommender) -> str:
    training = model.record.get("training", {})
    parts = [
        f"{model.provenance.n_ratings:,} training ratings",
        f"{model.n_users:,} users",
        f"{model.n_items:,} items",
        f"seed {model.provenance.seed}",
    ]
    if "epochs_run" in training:
        parts.append(f"{training['epochs_run']} epochs")
    if "train_seconds" in training:
        parts.append(f"{training['train_seconds']:,.1f} s")
    return " · ".join(parts)


def _sizes(breakdown: Breakdown) -> list[Sheet]:
    sheets = []
    for name, members, bins in (
        ("by-user", "users", breakdown.by_user),
        ("by-item", "items", breakdown.by_item),
    ):
        rows: list[list[Value]] = [
            [b.ratings, b.members, b.n, b.rmse, interval_text(b.rmse_interval) or None, b.bias_rmse]
            for b in bins
        ]
        columns = ["training ratings", members, "test ratings", "RMSE", "95% interval"]
        title = f"Error by number of training ratings of the {members[:-1]}"
        sheets.append(Sheet(name, [*columns, "RMSE of the bias model"], rows, title))
    return sheets


def _worst(breakdown: Breakdown) -> Sheet:
    rows: list[list[Value]] = [
        [w.title, w.n, w.rmse, w.at_least, w.actual, w.predicted] for w in breakdown.worst
    ]
    columns = ["item", "test ratings", "RMSE", "lower end", "mean rating", "mean prediction"]
    caption = (
        f"Of {breakdown.judged:,} items with {breakdown.enough} or more test ratings, those with "
        "the highest lower end of the RMSE’s 95% interval, so that none is here by chance."
    )
    return Sheet("worst", columns, rows, caption)


def _uncertainty(uncertainty: Uncertainty) -> Sheet:
    rows: list[list[Value]] = [
        [f"{100 * each.level:g}%", f"{100 * each.covered:.1f}%", each.width]
        for each in uncertainty.intervals
    ]
    source = {
        "validation": "on a validation part of the training ratings",
        "cross-fitting": "on training ratings, each predicted by a model of the other folds",
        "leave-one-out": "on training ratings left out one by one",
        "bias": "on errors of the bias model",
    }
    caption = (
        "Share of the test ratings within the prediction intervals, which were fitted "
        f"{source.get(uncertainty.source, uncertainty.source)}. Error over standard deviation: "
        f"{uncertainty.z_rms:.3f} in root mean square, 1 where they are calibrated."
    )
    return Sheet("uncertainty", ["interval", "test ratings within", "mean width"], rows, caption)


def _provenance(model: Recommender) -> Sheet:
    split = model.record.get("split")
    rows: list[list[Value]] = [
        ["ratings", model.provenance.dataset],
        ["fingerprint", model.provenance.fingerprint],
        ["scale", f"{model.scale.low:g} to {model.scale.high:g}"],
        ["held out", json.dumps(split) if split else "nothing recorded"],
    ]
    rows += [["note", note] for note in model.provenance.notes]
    return Sheet("provenance", ["property", "value"], rows, text_columns=2)


def _environment() -> Sheet:
    rows: list[list[Value]] = [
        ["matinee", __version__],
        ["Python", platform.python_version()],
        ["processor", platform.processor() or platform.machine()],
    ]
    rows += [[name, metadata.version(name)] for name in ("numpy", "numba", "torch")]
    caption = "Where this page was written; the model may have been trained elsewhere."
    return Sheet("environment", ["property", "value"], rows, caption, (), 2)


def _commands(model: Recommender) -> str:
    command = model.record.get("training", {}).get("command")
    lines = [shlex.join(["matinee", *map(str, command)])] if command else []
    return "\n".join([*lines, "matinee report MODEL"])
