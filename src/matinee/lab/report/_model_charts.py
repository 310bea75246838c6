"""The charts of one trained model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...charts.bars import Histogram
from ...charts.calibration import Calibration, Pair
from ...charts.chart import Chart
from ...charts.dots import Dot, Dots
from ...charts.lines import Level, Lines, Series
from ...evaluate import Breakdown, ErrorBin, Evaluation, Uncertainty

NAMES = {
    "global_mean": "global mean",
    "item_mean": "item mean",
    "user_mean": "user mean",
    "bias": "bias model",
}


def training(
    curves: Mapping[str, Sequence[Mapping[str, Any]]], score: Evaluation | None
) -> Lines | None:
    """RMSE by epoch: of training, of the validation part, and of sets that were watched."""
    series = []
    for name, epochs in curves.items():
        if len(epochs) < 2:
            continue
        xs = [float(epoch["epoch"]) for epoch in epochs]
        found = {"validation": [epoch["valid_rmse"] for epoch in epochs]}
        for watched in epochs[0]["watched"]:
            found[watched] = [epoch["watched"].get(watched) for epoch in epochs]
        if len(curves) == 1:
            found = {"training": [epoch["train_rmse"] for epoch in epochs], **found}
        for what, values in found.items():
            told = [(x, float(v)) for x, v in zip(xs, values, strict=True) if v is not None]
            if len(told) > 1:
                label = f"{name}, {what}" if name else what
                series.append(Series(label, [x for x, _ in told], [y for _, y in told]))
    if not series:
        return None
    bias = score.baselines["bias"].rmse if score and "bias" in score.baselines else None
    return Lines(
        name="training",
        title="RMSE by epoch",
        note="Training is the mean over batches of the batch's RMSE while the weights move, with "
        "dropout if there is any, and over a teacher's answers as well as ratings if there is one: "
        "it may lie above the others or below. Epochs are chosen by validation.",
        summary="; ".join(f"{s.name} ends at {s.y[-1]:.4f}" for s in series),
        series=series,
        x_title="epoch",
        y_title="RMSE",
        levels=[] if bias is None else [Level(bias, "bias model, on the test ratings")],
    )


def score_card(score: Evaluation) -> Dots:
    """The model's RMSE beside the baselines', with intervals."""
    rows = [score.model, *(NAMES.get(name, name) for name in score.baselines)]
    figures = [(score.rmse, score.rmse_interval)]
    figures += [(each.rmse, each.rmse_interval) for each in score.baselines.values()]
    return Dots(
        name="score",
        title="RMSE on the test ratings, beside simple models",
        note="Lower is better. Bars are 95% intervals by bootstrap over users.",
        summary="; ".join(
            f"{row} {value:.4f}" for row, (value, _) in zip(rows, figures, strict=True)
        ),
        rows=rows,
        kinds=["RMSE"],
        dots=[
            Dot(row, 0, value, *(within or (None, None)))
            for row, (value, within) in enumerate(figures)
        ],
        x_title="RMSE",
        digits=4,
    )


def by_size(name: str, title: str, bins: Sequence[ErrorBin], members: str, what: str) -> Dots:
    """The error by the number of training ratings."""
    rows = [bin_.ratings for bin_ in bins]
    return Dots(
        name=name,
        title=title,
        note=f"Rows: {what}. Bars are 95% intervals by bootstrap over {members}.",
        summary="; ".join(
            f"{b.ratings} ratings: model {b.rmse:.3f}, bias model {b.bias_rmse:.3f}, "
            f"{b.members:,} {members}, {b.n:,} test ratings"
            for b in bins
        ),
        rows=rows,
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


def calibration(found: Breakdown) -> Calibration | None:
    """Predicted against given."""
    if len(found.calibration) < 2:
        return None
    return Calibration(
        name="calibration",
        title="Predicted against given",
        note="On the dashed line a prediction means what it says. Larger dots stand for more "
        "ratings.",
        summary="; ".join(
            f"predicted {c.predicted:.2f}, given {c.given:.2f}" for c in found.calibration
        ),
        pairs=[
            Pair(c.predicted, c.given, c.interval.low, c.interval.high, c.n)
            for c in found.calibration
        ],
    )


def spread(found: Uncertainty) -> Calibration:
    """Standard deviations told with predictions against the errors they had."""
    return Calibration(
        name="spread",
        title="Told uncertainty against the error",
        note="Fifths of the predictions, the surest first. On the dashed line the standard "
        "deviation told is the error made.",
        summary="; ".join(f"told {g.std:.3f}, error {g.rmse:.3f}" for g in found.by_std),
        pairs=[Pair(g.std, g.rmse, g.rmse, g.rmse, g.n) for g in found.by_std],
        x_title="standard deviation told",
        y_title="RMSE of those predictions",
        words="told {:.3f}: RMSE {:.3f}, {:,} ratings",
        line="as told",
    )


def residuals(found: Breakdown) -> Histogram:
    """How far off predictions are, and which way."""
    return Histogram(
        name="residuals",
        title="Residuals: given less predicted",
        note=f"Mean {_signed(found.bias)}, standard deviation {found.spread:.3f}. Right of 0, the "
        "rating was higher than predicted.",
        summary=f"mean {found.bias:.3f}, standard deviation {found.spread:.3f}",
        edges=[round(float(edge), 6) for edge in found.edges],
        counts=found.counts.tolist(),
        x_title="rating given less rating predicted",
        levels=[(0.0, "as predicted")],
    )


def of_breakdown(found: Breakdown) -> list[Chart]:
    """Every chart of errors taken apart."""
    charts: list[Chart | None] = [
        calibration(found),
        residuals(found),
        by_size(
            "by-user",
            "Error by how active the user is",
            found.by_user,
            "users",
            "ratings the user gave in training",
        ),
        by_size(
            "by-item",
            "Error by how popular the item is",
            found.by_item,
            "items",
            "training ratings of the item",
        ),
    ]
    return [chart for chart in charts if chart]


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
