"""``Evaluation``: scores with intervals, baselines and caveats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..base.html import paragraphs, picture, table
from ..base.text import aligned
from ..data.table import library
from ..errors import UsageError
from ._error_bins import Breakdown
from ._uncertainty import Uncertainty
from .leak_guard import Overlap
from .metric import Interval, Score, interval_text
from .rating_charts import RatingPlots
from .registry import metrics_of

if TYPE_CHECKING:
    from pandas import DataFrame


FROZEN, NO_TIME_OFFSET = VARIANTS = ("frozen", "no_time_offset")
"""Baselines that are variants of the model: with training histories only, or no time offset."""


@dataclass(frozen=True)
class Subset:
    """The score on a subset of the test ratings; ``rmse`` and ``mae`` are None if it is empty."""

    n: int
    rmse: float | None
    mae: float | None


@dataclass(frozen=True)
class Coverage:
    """What the model predicted itself, and what the fallback (the bias model) predicted.

    Mean models have no fallback: they predict everything themselves (``answers_unknown``).

    Attributes:
        known: Ratings with a known user and item.
        unknown: Ratings whose user (or history) or item it does not know; for a model that does not
            fold in, also those of new users with a history.
        unknown_users: Distinct test users without training ratings or a history.
        unknown_items: Distinct test items the model does not know.
        n_unknown_user: Ratings by such users.
        n_unknown_item: Ratings of such items.
    """

    known: Subset
    unknown: Subset
    unknown_users: int
    unknown_items: int
    n_unknown_user: int
    n_unknown_item: int


@dataclass(frozen=True)
class Scores:
    """A score for each metric of the registry.

    Attributes:
        scores: By name of the metric, in the registry's order.
    """

    scores: dict[str, Score]

    @property
    def rmse(self) -> float:
        """Global RMSE over all test ratings, including unknown users and items."""
        return self.scores["rmse"].value

    @property
    def mae(self) -> float:
        """Global MAE over all test ratings."""
        return self.scores["mae"].value

    @property
    def rmse_interval(self) -> Interval | None:
        """95% interval by bootstrap over users; None with fewer than two users."""
        return self.scores["rmse"].interval

    @property
    def mae_interval(self) -> Interval | None:
        """Likewise."""
        return self.scores["mae"].interval

    def _flat(self) -> dict[str, Any]:
        """Return each metric under its name, and its interval under NAME_interval."""
        values: dict[str, Any] = {name: score.value for name, score in self.scores.items()}
        return values | {f"{name}_interval": score.interval for name, score in self.scores.items()}


@dataclass(frozen=True)
class Baseline(Scores):
    """A simple model on the same test ratings, learned from the same training ratings.

    Attributes:
        rmse_gain: RMSE of the baseline minus that of the model; positive if the model is better.
        rmse_gain_interval: 95% interval of the gain, paired over bootstrap draws.
    """

    rmse_gain: float
    rmse_gain_interval: Interval | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        gain = {"rmse_gain": self.rmse_gain, "rmse_gain_interval": self.rmse_gain_interval}
        return self._flat() | gain


@dataclass(frozen=True)
class HistoryBin:
    """The errors of users with a similar number of ratings.

    Attributes:
        ratings: Range of the number, such as "20-49".
        n_users: Test users.
        n: Test ratings.
        rmse: RMSE of the model.
        mae: MAE of the model.
        bias_rmse: RMSE of the bias baseline.
    """

    ratings: str
    n_users: int
    n: int
    rmse: float
    mae: float
    bias_rmse: float


@dataclass(frozen=True)
class Evaluation(Scores):
    """A model's score on held-out ratings.

    Attributes:
        model: Kind of model.
        dataset: Name of the test ratings.
        n_test: Test ratings.
        n_test_users: Users with test ratings.
        mean_user_rmse: Mean over users of each user's RMSE (macro average); not the RMSE.
        coverage: The error on ratings that the fallback (the bias model) predicted, and on the
            rest.
        baselines: "global_mean", "item_mean" and "bias".
        by_history: Errors by the user's number of ratings.
        overlap: Test ratings the model had seen; above 0 only if that was allowed.
        resamples: Bootstrap resamples.
        seed: Seed of the resamples.
        notes: Caveats, one sentence each.
        uncertainty: Calibration of the predictive standard deviations; None if the model was
            saved without.
        analyse: Computes ``breakdown`` from the model and the test ratings; None in an evaluation
            without its model. Not in ``as_dict``.
    """

    model: str
    dataset: str
    n_test: int
    n_test_users: int
    mean_user_rmse: float
    coverage: Coverage
    baselines: dict[str, Baseline]
    by_history: tuple[HistoryBin, ...]
    overlap: Overlap
    resamples: int
    seed: int
    notes: tuple[str, ...]
    uncertainty: Uncertainty | None = None
    analyse: Callable[[], Breakdown] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def breakdown(self) -> Breakdown:
        """Errors by prediction, user and item, computed on first access.

        Raises:
            UsageError: The model is not available, or has been fitted again since.
        """
        if self.analyse is None:
            raise UsageError("this evaluation is without its model: evaluate the model again")
        return self.analyse()

    @property
    def plot(self) -> RatingPlots:
        """Charts: ``plot.score()``, ``calibration()``, ``residuals()``, ``by_user()``, ..."""
        models: dict[str, Scores] = {self.model: self, **self.baselines}
        scores = {name: evaluation.scores["rmse"] for name, evaluation in models.items()}
        return RatingPlots(self.model, scores, lambda: self.breakdown, self.uncertainty)

    def to_pandas(self) -> DataFrame:
        """Return a row per model and metric: value, interval, and gain of the model, if any.

        Raises:
            UsageError: pandas is not installed.
        """
        return library("pandas").DataFrame(list(self._rows()))

    def _rows(self) -> Iterator[dict[str, Any]]:
        for name, evaluation in {self.model: self, **self.baselines}.items():
            for metric, score in evaluation.scores.items():
                gain = None
                if isinstance(evaluation, Baseline) and metric == "rmse":
                    gain = Score(evaluation.rmse_gain, evaluation.rmse_gain_interval)
                yield {"model": name, "metric": metric, **score.row(gain)}

    def _repr_html_(self) -> str:
        heads, rows = self._table()
        chart = self.plot.score()
        return (
            table(
                heads,
                rows,
                numbers=range(1, len(heads)),
                caption=f"{self.dataset}: {self.n_test:,} ratings by {self.n_test_users:,} users",
            )
            + paragraphs([self.verdict, *self.notes])
            + picture(chart.file(), chart.summary)
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "analyse"} | {
            "analyse": None
        }

    @property
    def best_baseline(self) -> str:
        """Name of the baseline with the lowest RMSE, without variants of the model."""
        others = [name for name in self.baselines if name not in VARIANTS]
        return min(others, key=lambda name: self.baselines[name].rmse)

    @property
    def verdict(self) -> str:
        """One sentence on whether the model is better than the best baseline."""
        name = self.best_baseline
        baseline = self.baselines[name]
        bounds = baseline.rmse_gain_interval
        gain = f"{abs(baseline.rmse_gain):.4f}"
        if bounds is None:
            side = "below" if baseline.rmse_gain > 0 else "above"
            return f"The model's RMSE is {gain} {side} that of {name}, the best baseline."
        if bounds.low > 0:
            return (
                f"The model's RMSE is {gain} below that of {name}, the best baseline "
                f"(95% interval of the difference: {interval_text(bounds)})."
            )
        if bounds.high < 0:
            return f"The model is worse than {name}, the best baseline: its RMSE is {gain} above."
        return (
            f"The model is no better and no worse than {name}, the best baseline, by this test set."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with each metric under its name."""
        plain = asdict(replace(self, analyse=None))
        del plain["scores"], plain["analyse"]
        sizes = {name: plain.pop(name) for name in ("model", "dataset", "n_test", "n_test_users")}
        baselines = {name: each.as_dict() for name, each in self.baselines.items()}
        return {**sizes, **self._flat(), **plain, "baselines": baselines}

    def __str__(self) -> str:
        heads, rows = self._table()
        title = f"{self.dataset}: {self.n_test:,} ratings by {self.n_test_users:,} users"
        lines = aligned([heads, *rows], range(1, len(heads) - 1))
        return "\n".join([title, *lines, *self.notes])

    def _table(self) -> tuple[list[str], list[list[str]]]:
        labels = [metric.label for metric in metrics_of("rating")]
        rows = [_cells(self.model, self), *(_cells(n, b) for n, b in self.baselines.items())]
        return ["", *labels, "95% interval of the RMSE"], rows


def _cells(name: str, scores: Scores) -> list[str]:
    """Return the name, each metric, and the interval of the RMSE."""
    bounds = scores.rmse_interval
    values = [f"{scores.scores[metric.name].value:.4f}" for metric in metrics_of("rating")]
    return [name, *values, interval_text(bounds)]
