"""The scores of a model's report, measured now or stored in the model folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ...base import text
from ...charts.chart import Chart
from ...evaluate import Evaluation, Interval, ListEvaluation, Score, interval_text, metrics_of
from ...evaluate.rating_charts import NAMES, score_card
from ._tables import Sheet, Value


@dataclass(frozen=True)
class ScoreSheets:
    """Scores as plain values, from evaluations or model folders.

    Attributes:
        model: The model's kind.
        metrics: Scores of ratings; empty without.
        lists: Scores of lists of ten; empty without.
        when: "When the model was trained", for scores of a model folder; else "".
    """

    model: str
    metrics: Mapping[str, Any]
    lists: Mapping[str, Any]
    when: str = ""

    @classmethod
    def of(
        cls,
        model: str,
        record: Mapping[str, Any],
        score: Evaluation | None,
        lists: ListEvaluation | None,
    ) -> Self:
        """Return scores measured now or, without any, those of the model's record."""
        if score is not None or lists is not None:
            metrics = score.as_dict() if score else {}
            return cls(model, metrics, lists.summary() if lists else {})
        kept, of_lists = record.get("metrics"), record.get("lists")
        rated = isinstance(kept, Mapping) and isinstance(kept.get("rmse"), int | float)
        listed = isinstance(of_lists, Mapping) and "ndcg@10" in of_lists
        return cls(
            model,
            kept if rated and kept else {},
            of_lists if listed and of_lists else {},
            "When the model was trained",
        )

    @property
    def headline(self) -> str:
        """The source of the scores."""
        if not self.metrics and not self.lists:
            return "No test ratings were given: there is no score."
        return "The scores were computed when the model was trained, and saved in its folder."

    def charts(self) -> list[Chart]:
        """Chart the RMSE with the baselines."""
        models = self._models()
        if len(models) < 2:
            return []
        return [score_card(self.model, {n: _score(scores, "rmse") for n, scores in models.items()})]

    def cards(self) -> list[tuple[str, str, str]]:
        """Return (figure, name, interval or other detail)."""
        cards = []
        for metric in metrics_of("rating"):
            if isinstance(self.metrics.get(metric.name), int | float):
                score = _score(self.metrics, metric.name)
                signed = metric.better == "zero"
                figure = text.signed(score.value) if signed else f"{score.value:.4f}"
                cards.append((figure, metric.label, _within(score.interval)))
        _, *baselines = self._models().items() or [("", {})]
        gains = [(b["rmse"], name, _score(b, "rmse_gain")) for name, b in baselines]
        if gains:
            _, name, gain = min(gains)
            label = f"RMSE gained on the {NAMES.get(name, name)}"
            cards.append((text.signed(gain.value), label, _within(gain.interval)))
        if self.metrics.get("n_test"):
            users = self.metrics.get("n_test_users", 0)
            cards.append((f"{self.metrics['n_test']:,}", "test ratings", f"by {users:,} users"))
        return cards

    def scores(self) -> Sheet | None:
        """Return the scores of ratings, with the baselines."""
        if not self.metrics:
            return None
        rows: list[list[Value]] = []
        names = [m for m in metrics_of("rating") if m.name in self.metrics]
        for name, scores_of in self._models().items():
            values = [_score(scores_of, metric.name).value for metric in names]
            label = name if name == self.model else NAMES.get(name, name)
            bounds = _within(_score(scores_of, "rmse").interval)
            gain = _score(scores_of, "rmse_gain")
            gains = [scores_of.get("rmse_gain"), _within(gain.interval) or None]
            rows.append([label, *values, bounds or None, *gains])
        columns = ["", *(metric.label for metric in names), "95% interval of the RMSE"]
        columns += ["gain of the model", "95% interval of the gain"]
        caption = f"{self.when}. " if self.when else ""
        if "mean_user_rmse" in self.metrics:
            caption += (
                f"{self.metrics.get('dataset', '')}: mean over users of each one's RMSE (another "
                f"measure) {self.metrics['mean_user_rmse']:.4f}."
            )
        return Sheet("scores", columns, rows, caption, (0,))

    def list_scores(self) -> Sheet | None:
        """Return the scores of lists of ten, with the baselines."""
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
            f"{self.when}{': ' if self.when else ''}{self.lists.get('n_relevant', 0):,} relevant "
            f"ratings of {self.lists.get('n_people', 0):,} people; all items ranked, none sampled."
        )
        return Sheet("lists", columns, rows, caption)

    def _models(self) -> dict[str, Mapping[str, Any]]:
        if not self.metrics:
            return {}
        return {self.model: self.metrics, **(self.metrics.get("baselines") or {})}


def _score(scores: Mapping[str, Any], key: str) -> Score:
    value, bounds = scores.get(key), scores.get(f"{key}_interval")
    number = float(value) if isinstance(value, int | float) else float("nan")
    return Score(number, None if bounds is None else Interval(*bounds))


def _within(interval: Interval | None) -> str:
    return interval_text(interval).replace("-", "−")
