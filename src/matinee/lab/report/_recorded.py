"""The scores that a model folder carries, for a report without test ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...charts.chart import Chart
from ...evaluate import Interval, Score, interval_text, metrics_of
from ...evaluate.rating_charts import NAMES, score_card
from ._tables import Sheet, Value

Cards = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Recorded:
    """Scores as ``train`` wrote them into the folder.

    Attributes:
        model: The model's kind.
        metrics: The manifest's scores of ratings; empty without.
        lists: Its scores of lists of ten; empty without.
    """

    model: str
    metrics: Mapping[str, Any]
    lists: Mapping[str, Any]

    @classmethod
    def of(cls, model: str, record: Mapping[str, Any]) -> Recorded:
        """The scores of a model's record."""
        metrics, lists = record.get("metrics"), record.get("lists")
        rated = isinstance(metrics, Mapping) and isinstance(metrics.get("rmse"), int | float)
        listed = isinstance(lists, Mapping) and "ndcg@10" in lists
        return cls(model, metrics if rated and metrics else {}, lists if listed and lists else {})

    @property
    def headline(self) -> str:
        """Where the scores come from."""
        if not self.metrics and not self.lists:
            return "No test ratings were given: there is no score."
        return "The scores are those computed when the model was trained, as its folder has them."

    def charts(self) -> list[Chart]:
        """The RMSE beside the baselines."""
        models = self._models()
        if len(models) < 2:
            return []
        return [score_card(self.model, {n: _score(scores, "rmse") for n, scores in models.items()})]

    def cards(self) -> Cards:
        """(figure, what it is, beside it)."""
        if not self.metrics:
            return []
        result: Cards = []
        for metric in metrics_of("rating"):
            if isinstance(self.metrics.get(metric.name), int | float):
                score = _score(self.metrics, metric.name)
                result.append((f"{score.value:.4f}", metric.label, interval_text(score.interval)))
        if self.metrics.get("n_test"):
            users = self.metrics.get("n_test_users", 0)
            result.append((f"{self.metrics['n_test']:,}", "test ratings", f"by {users:,} users"))
        return result

    def scores(self) -> Sheet | None:
        """The scores of ratings, beside the baselines."""
        rows: list[list[Value]] = []
        names = [m for m in metrics_of("rating") if m.name in self.metrics]
        for name, scores_of in self._models().items():
            values = [_score(scores_of, metric.name).value for metric in names]
            label = name if name == self.model else NAMES.get(name, name)
            rows.append([label, *values, interval_text(_score(scores_of, "rmse").interval)])
        if not rows:
            return None
        columns = ["", *(metric.label for metric in names), "95% interval of the RMSE"]
        return Sheet("scores", columns, rows, "When the model was trained.", (0,))

    def list_scores(self) -> Sheet | None:
        """The scores of lists of ten, beside the baselines."""
        if not self.lists:
            return None
        baselines: Mapping[str, Any] = self.lists.get("baselines") or {}
        rows: list[list[Value]] = []
        for metric in metrics_of("list"):
            key = f"{metric.name}@10"
            if isinstance(self.lists.get(key), int | float):
                others = [baseline.get(key) for baseline in baselines.values()]
                score = _score(self.lists, key)
                rows.append([metric.label, score.value, interval_text(score.interval), *others])
        columns = ["lists of 10", self.model, "95% interval", *baselines]
        caption = (
            f"When the model was trained: {self.lists.get('n_relevant', 0):,} relevant ratings of "
            f"{self.lists.get('n_people', 0):,} people; all items ranked, none sampled."
        )
        return Sheet("lists", columns, rows, caption)

    def _models(self) -> dict[str, Mapping[str, Any]]:
        if not self.metrics:
            return {}
        return {self.model: self.metrics, **(self.metrics.get("baselines") or {})}


def _score(scores: Mapping[str, Any], key: str) -> Score:
    value, within = scores.get(key), scores.get(f"{key}_interval")
    number = float(value) if isinstance(value, int | float) else float("nan")
    return Score(number, None if within is None else Interval(*within))
