"""``ListEvaluation``: ranking metrics of a model on held-out ratings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ...base.html import paragraphs, picture, table
from ...base.text import aligned
from ...data.table import library
from ...errors import UsageError
from ..leak_guard import Overlap
from ..metric import Score, interval_text
from .charts import ListPlots
from .rows import ListCurve, ListHistoryBin, ListPopularityBin
from .sums import ListSums

if TYPE_CHECKING:
    from pandas import DataFrame

MODEL = "model"
"""Name of the evaluated model among the columns of breakdowns and curves."""


@dataclass(frozen=True)
class ListScores:
    """A score for each list metric of the registry, at each cutoff.

    Attributes:
        scores: By cutoff, then by name of the metric. Coverage and Gini have no interval: they
            are not means over people.
    """

    scores: dict[int, dict[str, Score]]

    def value(self, metric: str, k: int) -> float:
        """Return the value of a metric at a cutoff; NaN if undefined.

        Raises:
            UsageError: The lists were not scored by this metric at this cutoff.
        """
        if metric not in self.scores.get(k, {}):
            scored = f"{', '.join(next(iter(self.scores.values())))} at {[*self.scores]}"
            raise UsageError(f"{metric!r} at {k} was not scored; there are {scored}")
        return self.scores[k][metric].value

    def flat(self) -> dict[str, Any]:
        """Return metrics under "ndcg@10", None if undefined, and intervals under "..._interval"."""
        flat: dict[str, Any] = {}
        for k, scores in self.scores.items():
            flat |= {f"{name}@{k}": _plain(score.value) for name, score in scores.items()}
            flat |= {f"{name}@{k}_interval": score.interval for name, score in scores.items()}
        return flat


@dataclass(frozen=True)
class ListBaseline(ListScores):
    """The lists of a baseline for the same people, from the same training data.

    Attributes:
        gains: The model's metrics minus the baseline's, with 95% intervals, paired over bootstrap
            draws of users.
    """

    gains: dict[int, dict[str, Score]]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with gains under "ndcg@10_gain"."""
        result = self.flat()
        for k, gains in self.gains.items():
            result |= {f"{name}@{k}_gain": _plain(gain.value) for name, gain in gains.items()}
            result |= {f"{name}@{k}_gain_interval": gain.interval for name, gain in gains.items()}
        return result


@dataclass(frozen=True)
class ListEvaluation(ListScores):
    """Ranking metrics of a model on held-out ratings. All items are ranked, without sampling.

    Attributes:
        model: Kind of model.
        dataset: Name of the test ratings.
        relevant: The lowest test rating that counts as relevant.
        n_test: Test ratings.
        n_relevant: Number of relevant test ratings.
        n_people: Users with a relevant test rating, over whom the metrics are averaged.
        n_without: Users with test ratings but no relevant one, who are left out.
        n_new: People among ``n_people`` without training ratings or a history.
        n_unknown: Relevant test ratings of items that the model does not know; they count as
            missed.
        n_items: Candidate items, before excluding a user's history.
        baselines: "popularity", and "ease" if fitted.
        by_history: By length of the history.
        by_popularity: By popularity of the item.
        curves: Recall and precision by k, of "model" and each baseline.
        variants: The model's recall, precision, nDCG and MAP by cutoff under the formulas of other
            libraries and papers; see ``ranking.variants``.
        overlap: Test ratings the model had seen; above 0 only if that was allowed.
        resamples: Bootstrap resamples.
        seed: Seed of the resamples.
        notes: Caveats, one sentence each.
        sums: Sums of each user's metrics, for paired comparisons; columns are the model and the
            baselines. Not in ``as_dict``.
    """

    model: str
    dataset: str
    relevant: float
    n_test: int
    n_relevant: int
    n_people: int
    n_without: int
    n_new: int
    n_unknown: int
    n_items: int
    baselines: dict[str, ListBaseline]
    by_history: tuple[ListHistoryBin, ...]
    by_popularity: tuple[ListPopularityBin, ...]
    curves: dict[str, ListCurve]
    variants: dict[int, dict[str, dict[str, float | None]]]
    overlap: Overlap
    resamples: int
    seed: int
    notes: tuple[str, ...]
    sums: dict[int, ListSums] = field(repr=False, compare=False)

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """Every cutoff k."""
        return tuple(self.scores)

    @property
    def headline(self) -> str:
        """One line on what was evaluated."""
        label = f"relevant ratings ({self.relevant:g} or more)"
        if self.n_relevant == self.n_test:
            label = "relevant test items"
        return (
            f"{self.dataset}: {self.n_relevant:,} {label} of {self.n_people:,} people; all "
            f"{self.n_items:,} items ranked, none sampled"
        )

    def verdict(self, metric: str = "ndcg", k: int | None = None) -> str:
        """Say whether the lists are better than each baseline's, one sentence each."""
        at = self.cutoffs[0] if k is None else k
        return " ".join(_verdict(metric, at, name, b) for name, b in self.baselines.items())

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with metrics under "ndcg@10"."""
        left = {"scores", "sums", "baselines", "by_history", "by_popularity", "curves"}
        plain = {name: value for name, value in self.__dict__.items() if name not in left}
        plain["overlap"] = asdict(self.overlap)
        return {
            **plain,
            **self.flat(),
            "baselines": {name: each.as_dict() for name, each in self.baselines.items()},
            "by_history": [asdict(each) for each in self.by_history],
            "by_popularity": [asdict(each) for each in self.by_popularity],
            "curves": {name: asdict(each) for name, each in self.curves.items()},
        }

    def summary(self) -> dict[str, Any]:
        """Return the metrics, their intervals and gains, without breakdowns and curves."""
        sizes = ("relevant", "n_relevant", "n_people", "n_items")
        return {
            **{name: getattr(self, name) for name in sizes},
            **self.flat(),
            "baselines": {name: each.as_dict() for name, each in self.baselines.items()},
        }

    @property
    def plot(self) -> ListPlots:
        """Charts: ``plot.recall()``, ``precision()`` and ``popularity()``."""
        return ListPlots(self.model, self.curves, self.by_popularity, self.cutoffs[0])

    def _repr_html_(self) -> str:
        tables = []
        for k in self.cutoffs:
            columns, rows = _cells(self, k)
            tables.append(table(columns, rows, numbers=range(1, len(columns))))
        chart = self.plot.recall()
        return (
            paragraphs([self.headline])
            + "".join(tables)
            + paragraphs([self.verdict(), *self.notes])
            + picture(chart.file(), chart.summary)
        )

    def to_pandas(self) -> DataFrame:
        """Return a row per model, cutoff and metric: value, interval, gain of the model.

        Raises:
            UsageError: pandas is not installed.
        """
        return library("pandas").DataFrame(list(self._rows()))

    def _rows(self) -> Iterator[dict[str, Any]]:
        models: dict[str, ListScores] = {self.model: self, **self.baselines}
        for name, evaluation in models.items():
            for k, scores in evaluation.scores.items():
                gains = evaluation.gains[k] if isinstance(evaluation, ListBaseline) else {}
                for metric, score in scores.items():
                    row = score.row(gains.get(metric))
                    yield {"model": name, "k": k, "metric": metric, **row}

    def __str__(self) -> str:
        lines = [self.headline]
        for k in self.cutoffs:
            heads, rows = _cells(self, k)
            lines += ["", *aligned([heads, *rows], range(1, len(heads)))]
        return "\n".join([*lines, "", self.verdict(), *self.notes])


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cells(evaluation: ListEvaluation, k: int) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the table for one cutoff."""
    from ..registry import metrics_of

    rows = []
    for metric in metrics_of("list"):
        score = evaluation.scores[k][metric.name]
        text = interval_text(score.interval)
        others = [f"{each.value(metric.name, k):.4f}" for each in evaluation.baselines.values()]
        rows.append([metric.label, f"{score.value:.4f}", text, *others])
    return [f"at {k}", evaluation.model, "95% interval", *evaluation.baselines], rows


def _verdict(metric: str, k: int, name: str, baseline: ListBaseline) -> str:
    from ..registry import METRICS

    gain = baseline.gains[k][metric]
    label = f"{METRICS[metric].label}@{k}"
    size = f"{abs(gain.value):.4f}"
    side = "above" if gain.value > 0 else "below"
    if gain.interval is None:
        return f"The model's {label} is {size} {side} that of {name}."
    low, high = gain.interval
    if low <= 0 <= high:
        return f"The model's {label} is no better and no worse than that of {name}."
    return (
        f"The model's {label} is {size} {side} that of {name} (95% interval of the difference: "
        f"{low:.4f} to {high:.4f})."
    )
