"""The charts of a model's errors on held-out ratings, for reports and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..base.text import signed
from ..charts.bars import Histogram
from ..charts.calibration import Calibration, Pair
from ..charts.chart import Chart
from ..charts.dots import Dot, Dots
from ..errors import UsageError
from ._error_bins import Breakdown, ErrorBin
from ._uncertainty import Uncertainty
from .metric import Score

NAMES = {
    "global_mean": "global mean",
    "item_mean": "item mean",
    "user_mean": "user mean",
    "bias": "bias model",
}
_BY_SIZE = {
    "user": ("Error by how active the user is", "ratings the user gave in training"),
    "item": ("Error by how popular the item is", "training ratings of the item"),
}
"""Title of the error by size, and the meaning of its rows."""


def score_card(model: str, scores: Mapping[str, Score]) -> Dots:
    """Chart the RMSE of model and baselines, with intervals."""
    rows = [NAMES.get(name, name) if name != model else name for name in scores]
    return Dots(
        name="score",
        title="RMSE on the test ratings, beside simple models",
        note="Lower is better. Bars are 95% intervals by bootstrap over users.",
        summary="; ".join(
            f"{row} {score.value:.4f}" for row, score in zip(rows, scores.values(), strict=True)
        ),
        rows=rows,
        kinds=["RMSE"],
        dots=[
            Dot(row, 0, score.value, *(score.interval or (None, None)))
            for row, score in enumerate(scores.values())
        ],
        x_title="RMSE",
        digits=4,
    )


def by_size(side: str, bins: Sequence[ErrorBin]) -> Dots:
    """Chart the error by the number of training ratings of a side, "user" or "item"."""
    members = f"{side}s"
    title, row_meaning = _BY_SIZE[side]
    return Dots(
        name=f"by-{side}",
        title=title,
        note=f"Rows: {row_meaning}. Bars are 95% intervals by bootstrap over {members}.",
        summary="; ".join(
            f"{b.ratings} ratings: model {b.rmse:.3f}, bias model {b.bias_rmse:.3f}, "
            f"{b.members:,} {members}, {b.n:,} test ratings"
            for b in bins
        ),
        rows=[b.ratings for b in bins],
        kinds=["model", "bias model"],
        dots=[
            dot
            for row, b in enumerate(bins)
            for dot in (
                Dot(row, 0, b.rmse, *(b.rmse_interval or (None, None))),
                Dot(row, 1, b.bias_rmse, *(b.bias_interval or (None, None))),
            )
        ],
        x_title="RMSE",
    )


def calibration(breakdown: Breakdown) -> Calibration | None:
    """Chart the mean rating by predicted rating."""
    if len(breakdown.calibration) < 2:
        return None
    return Calibration(
        name="calibration",
        title="Mean rating by predicted rating",
        note="On the dashed line predictions are calibrated. Larger dots have more ratings.",
        summary="; ".join(
            f"predicted {c.predicted:.2f}, rated {c.actual:.2f}" for c in breakdown.calibration
        ),
        pairs=[
            Pair(c.predicted, c.actual, c.interval.low, c.interval.high, c.n)
            for c in breakdown.calibration
        ],
    )


def spread(uncertainty: Uncertainty) -> Calibration:
    """Chart predicted standard deviations against the RMSE."""
    return Calibration(
        name="spread",
        title="RMSE by predicted standard deviation",
        note="Fifths of the predictions by their standard deviation. On the dashed line it equals "
        "the RMSE.",
        summary="; ".join(f"predicted {g.std:.3f}, error {g.rmse:.3f}" for g in uncertainty.by_std),
        pairs=[Pair(g.std, g.rmse, g.rmse, g.rmse, g.n) for g in uncertainty.by_std],
        x_title="predicted standard deviation",
        y_title="RMSE of those predictions",
        words="predicted {:.3f}: RMSE {:.3f}, {:,} ratings",
        line="calibrated",
    )


def residuals(breakdown: Breakdown) -> Histogram:
    """Chart the distribution of residuals."""
    return Histogram(
        name="residuals",
        title="Residuals: rating less prediction",
        note=f"Mean {signed(breakdown.bias, 3)}, standard deviation {breakdown.spread:.3f}. To the "
        "right of 0, ratings are higher than predicted.",
        summary=f"mean {breakdown.bias:.3f}, standard deviation {breakdown.spread:.3f}",
        edges=[round(float(edge), 6) for edge in breakdown.edges],
        counts=breakdown.counts.tolist(),
        x_title="rating less prediction",
        levels=[(0.0, "as predicted")],
    )


def of_breakdown(breakdown: Breakdown) -> list[Chart]:
    """Return every chart of a breakdown."""
    by_sizes = by_size("user", breakdown.by_user), by_size("item", breakdown.by_item)
    return [chart for chart in (calibration(breakdown), residuals(breakdown), *by_sizes) if chart]


@dataclass(frozen=True)
class RatingPlots:
    """The charts of an evaluation, displayed in notebooks; ``save`` writes SVG.

    Attributes:
        model: The model's name.
        scores: RMSE by name, the model's first.
        breakdown: Returns the errors by prediction, user and item.
        intervals: Calibration of the standard deviations, or None.
    """

    model: str
    scores: Mapping[str, Score]
    breakdown: Callable[[], Breakdown]
    intervals: Uncertainty | None

    def score(self) -> Dots:
        """RMSE of the model and the baselines, with intervals."""
        return score_card(self.model, self.scores)

    def calibration(self) -> Calibration:
        """Mean rating by predicted rating.

        Raises:
            UsageError: The test ratings are too few for two bins of ten.
        """
        chart = calibration(self.breakdown())
        if chart is None:
            raise UsageError(
                "too few test ratings for a calibration chart: it needs two bins of 10"
            )
        return chart

    def residuals(self) -> Histogram:
        """Distribution of the residuals."""
        return residuals(self.breakdown())

    def by_user(self) -> Dots:
        """RMSE by the number of ratings of the user."""
        return by_size("user", self.breakdown().by_user)

    def by_item(self) -> Dots:
        """RMSE by the number of ratings of the item."""
        return by_size("item", self.breakdown().by_item)

    def uncertainty(self) -> Calibration:
        """Standard deviations against the RMSE of the predictions.

        Raises:
            UsageError: The model has no standard deviations.
        """
        if self.intervals is None:
            raise UsageError("this model gives no standard deviations")
        return spread(self.intervals)
