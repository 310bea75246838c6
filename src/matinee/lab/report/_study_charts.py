"""The charts of a study, from its summary."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...charts.chart import Chart
from ...charts.dots import Dot, Dots
from ...charts.heat import Heat
from ...charts.lines import Level, Lines, Mark, Series
from ...evaluate.statistics.seeds import Estimate
from ..study.figures import FIGURES, Figure
from ..study.summary import ArmSummary
from ._page import slug

PUBLISHED: dict[Figure, tuple[str, str]] = {
    "reference": ("test", "published “test”"),
    "batch_mean": ("train", "published training"),
}
"""The published figure that a measured one matches: its field of ``Published``, and its name."""
CURVES: tuple[Figure, ...] = ("held_out", "reference", "batch_mean")
"""The figures of which there are charts by epoch."""
SIDE_BY_SIDE: tuple[Figure, ...] = ("held_out", "held_out_user_mean", "reference", "batch_mean")
"""The figures that a group's table and its chart at the last epoch have."""


def curves(group: str, title: str, arms: Sequence[ArmSummary], figure: Figure) -> Lines | None:
    """Chart curves of one figure by arm; None if no arm has more than one epoch of it."""
    series, marks = [], []
    for style, arm in enumerate(arms):
        curve = arm.curves.get(figure)
        if curve is None or len(curve.epochs) < 2:
            continue
        series.append(
            Series(arm.name, curve.epochs, curve.mean, curve.low, curve.high, style=style)
        )
        value = published(arm, figure)
        if arm.published and value is not None:
            at = min(arm.published.epochs or curve.epochs[-1], curve.epochs[-1])
            marks.append(Mark(at, value, f"{arm.name}, published", style))
    if not series:
        return None
    levels = _bias_level(arms) if figure == "held_out" else []
    note = {
        "held_out": "Lower is better."
        + " Bands are 95% intervals over seeds." * any(len(s.low) > 0 for s in series),
        **{each: f"Hollow marks: its {words} figures." for each, (_, words) in PUBLISHED.items()},
    }
    shown = marks or figure not in PUBLISHED
    return Lines(
        name=f"{slug(group)}-{slug(figure)}",
        title=f"{title}: {FIGURES[figure].label}",
        note=note[figure] if shown and figure in note else "",
        summary=_ends(series, FIGURES[figure].label),
        series=series,
        x_title="epoch",
        y_title="RMSE",
        marks=marks,
        levels=[Level(*level) for level in levels],
    )


def side_by_side(group: str, title: str, arms: Sequence[ArmSummary]) -> Dots | None:
    """Chart each arm's figures at its last epoch, and published ones, in one row."""
    figures = [f for f in SIDE_BY_SIDE if any(f in arm.last for arm in arms)]
    if len(figures) < 2:
        return None
    kinds = [FIGURES[figure].label for figure in figures]
    dots = [
        dot
        for row, arm in enumerate(arms)
        for kind, figure in enumerate(figures)
        if (dot := _dot(row, kind, arm.last.get(figure)))
    ]
    hollow: list[int] = []
    styles = list(range(len(kinds)))
    # A published figure has the colour and the shape of the measured figure it matches.
    for figure, (_, words) in PUBLISHED.items():
        known = [
            Dot(row, len(kinds), float(value))
            for row, arm in enumerate(arms)
            if (value := published(arm, figure)) is not None
        ]
        if known:
            hollow.append(len(kinds))
            dots += known
            kinds.append(words)
            styles.append(figures.index(figure) if figure in figures else len(styles))
    return Dots(
        name=f"{slug(group)}-figures",
        title=f"{title}: the figures side by side, at the last epoch",
        note="Filled: measured here. Hollow: published.",
        summary="; ".join(
            f"{arm.name}: "
            + ", ".join(
                f"{FIGURES[f].label} {arm.last[f].mean:.3f}" for f in figures if f in arm.last
            )
            for arm in arms
        ),
        rows=[arm.name for arm in arms],
        kinds=kinds,
        dots=dots,
        x_title="RMSE",
        hollow=hollow,
        styles=styles,
    )


def scores(group: str, title: str, arms: Sequence[ArmSummary]) -> Dots | None:
    """Held-out RMSE of the models that are kept, an arm a row."""
    known = [arm for arm in arms if arm.rmse]
    if not known:
        return None
    return Dots(
        name=f"{slug(group)}-scores",
        title=f"{title}: held-out RMSE of the model that is kept",
        note="Lower is better. Bars are 95% intervals over seeds.",
        summary="; ".join(f"{a.name} {a.rmse.mean:.4f}" for a in known if a.rmse),
        rows=[arm.name for arm in known],
        kinds=["held-out RMSE"],
        dots=[dot for row, arm in enumerate(known) if (dot := _dot(row, 0, arm.rmse))],
        x_title="held-out RMSE",
        levels=_bias_level(arms),
        digits=4,
    )


def published(arm: ArmSummary, figure: Figure) -> float | None:
    """Return the published figure of an arm that a measured one matches; None without one."""
    field = PUBLISHED.get(figure, ("", ""))[0]
    return getattr(arm.published, field) if arm.published and field else None


def _bias_level(arms: Sequence[ArmSummary]) -> list[tuple[float, str]]:
    """Return the RMSE of the bias model and its name, if it is one for all of the arms."""
    bias = [e.mean for arm in arms if (e := arm.final.get("bias_rmse"))]
    return [(bias[0], "bias model")] if bias and max(bias) - min(bias) < 1e-3 else []


def by_data(
    group: str, title: str, key: str, names: Sequence[str], grid: Sequence[Sequence[ArmSummary]]
) -> list[Chart]:
    """Heat maps of arms by data, and curves over the size of the data.

    ``grid`` has the arms that ran on each of the data ``names``; they differ in ``key``.
    """
    charts: list[Chart] = []
    table = {(arm.name, arm.data): arm for arms in grid for arm in arms}
    variants: dict[str, list[str]] = {}
    for arms in grid:
        for arm in arms:
            variant = arm.name.partition(",")[2]
            if arm.name not in variants.setdefault(variant, []):
                variants[variant].append(arm.name)
    label = key.rpartition(".")[2].replace("_", " ") or "arm"
    for variant, rows in variants.items():
        more = f", {variant}" if variant else ""
        picked = [[_score(table.get((row, name))) for name in names] for row in rows]
        values = [[e.mean if e else math.nan for e in line] for line in picked]
        shorts = [row.partition(",")[0] for row in rows]
        tail = f"-{slug(variant)}" if variant else ""
        charts.append(
            Heat(
                name=f"{slug(group)}-heat{tail}",
                title=f"{title}{more}: held-out RMSE by {label} and data",
                note="Each column is shaded by itself; its best is framed. A dot: not "
                "distinguishable from the best by the intervals over seeds." + _floors(grid),
                summary=_bests(label, shorts, names, values),
                rows=shorts,
                columns=names,
                values=values,
                row_title=label,
                column_title="data",
                best=[_alike([line[at] for line in picked]) for at in range(len(names))],
            )
        )
        sizes = [_size(table, rows, name) for name in names]
        real = [at for at, size in enumerate(sizes) if size]
        if len({sizes[at] for at in real}) > 2:
            charts.append(_over_size(group, title, more, tail, shorts, sizes, real, picked))
    return charts


def _floors(grid: Sequence[Sequence[ArmSummary]]) -> str:
    """Return the noise floor of data that has one."""
    known = {
        arm.data: arm.final["noise_floor"].mean
        for arms in grid
        for arm in arms
        if "noise_floor" in arm.final
    }
    text = ", ".join(f"{name} {floor:.3f}" for name, floor in known.items())
    return f" No model can be below the noise floor: {text}." if text else ""


def _over_size(
    group: str,
    title: str,
    more: str,
    tail: str,
    rows: Sequence[str],
    sizes: Sequence[float],
    real: Sequence[int],
    picked: Sequence[Sequence[Estimate | None]],
) -> Lines:
    order = sorted(real, key=lambda at: sizes[at])
    bests = {
        at: min((e.mean for line in picked if (e := line[at])), default=math.nan) for at in order
    }
    series = []
    for row, line in zip(rows, picked, strict=True):
        known = [(sizes[at], e, bests[at]) for at in order if (e := line[at])]
        if known:
            series.append(
                Series(
                    row,
                    [x for x, _, _ in known],
                    [e.mean - best for _, e, best in known],
                    [(e.interval.low if e.interval else e.mean) - best for _, e, best in known],
                    [(e.interval.high if e.interval else e.mean) - best for _, e, best in known],
                )
            )
    return Lines(
        name=f"{slug(group)}-size{tail}",
        title=f"{title}{more}: behind the best, by the size of the data",
        note="Held-out RMSE less that of the best on the same data; 0 is the best.",
        summary=_ends(series, "distance from the best"),
        series=series,
        x_title="training ratings",
        y_title="held-out RMSE behind the best",
        log_x=True,
        bands=False,
    )


def formulas(group: str, title: str, arms: Sequence[ArmSummary], data: str) -> Dots | None:
    """Chart the same models by every formula: a row per formula, a mark per arm."""
    keys = list(dict.fromkeys(k for a in arms for k in a.final if k.startswith("protocol.")))
    if not keys:
        return None
    rows = [key.partition(".")[2].replace("_", " ") for key in keys]
    dots = [
        dot
        for row, key in enumerate(keys)
        for kind, arm in enumerate(arms)
        if (dot := _dot(row, kind, arm.final.get(key)))
    ]
    return Dots(
        name=f"{slug(group)}-formulas-{slug(data)}",
        title=f"{title}: one model, {len(rows)} figures ({data})",
        note="The same trained model, by each formula that is called RMSE.",
        summary="; ".join(f"{arm.name}: {_protocol(arm, keys, rows)}" for arm in arms),
        rows=rows,
        kinds=[arm.name for arm in arms],
        dots=dots,
        x_title="what would be published",
    )


def _protocol(arm: ArmSummary, keys: Sequence[str], rows: Sequence[str]) -> str:
    known = [(row, arm.final[key]) for row, key in zip(rows, keys, strict=True) if key in arm.final]
    return ", ".join(f"{row} {estimate.mean:.3f}" for row, estimate in known)


def _dot(row: int, kind: int, estimate: Estimate | None) -> Dot | None:
    if estimate is None or not math.isfinite(estimate.mean):
        return None
    low, high = estimate.interval or (None, None)
    return Dot(row, kind, estimate.mean, low, high)


def _score(arm: ArmSummary | None) -> Estimate | None:
    return (arm.rmse or arm.last.get("held_out")) if arm else None


def _size(table: dict[tuple[str, str], ArmSummary], rows: Sequence[str], data: str) -> float:
    for row in rows:
        arm = table.get((row, data))
        if arm and "train_ratings" in arm.final:
            return arm.final["train_ratings"].mean
    return 0.0


def _alike(column: Sequence[Estimate | None]) -> list[int]:
    """Return rows whose interval overlaps that of the best, as a hint, not a test."""
    known = [(e.mean, at) for at, e in enumerate(column) if e and math.isfinite(e.mean)]
    if not known:
        return []
    best = column[min(known)[1]]
    if best is None or best.interval is None:
        return []
    return [
        at
        for at, e in enumerate(column)
        if e and e.interval and e.interval.low <= best.interval.high
    ]


def _bests(
    label: str, rows: Sequence[str], names: Sequence[str], values: Sequence[Sequence[float]]
) -> str:
    bests = []
    for at, name in enumerate(names):
        known = [
            (line[at], row)
            for line, row in zip(values, rows, strict=True)
            if math.isfinite(line[at])
        ]
        if known:
            value, row = min(known)
            bests.append(f"on {name} the best {label} is {row} ({value:.4f})")
    return "; ".join(bests)


def _ends(series: Sequence[Series], label: str) -> str:
    """Describe curves in words: start, minimum and end of each."""
    labels = []
    for s in series:
        known = [(y, x) for x, y in zip(s.x, s.y, strict=True) if math.isfinite(y)]
        if known:
            value, at = min(known)
            labels.append(
                f"{s.name} ends at {known[-1][0]:.3f} and is lowest at {at:g} ({value:.3f})"
            )
    return f"{label}: " + "; ".join(labels) if labels else label
