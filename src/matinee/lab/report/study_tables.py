"""The tables of a study's page, and of the files beside it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from ...base.text import seconds_text
from ...data import Table
from ...data.splits.rule import size_text
from ...evaluate import interval_text
from ...evaluate.statistics.seeds import Difference, Estimate
from ..study import (
    ArmGroup,
    ArmSummary,
    Data,
    Judgement,
    Results,
    Summary,
    summary_table as _summary_table,
)
from ..study.figures import FIGURES
from ..study.summary import mean_of
from ._page import slug
from ._study_charts import PUBLISHED, SIDE_BY_SIDE, published
from ._tables import Sheet, Value

_ONE_ROW = {
    "single_row_statistics.training_user_mean": "reference's formula, batch norm by one row",
    "single_row_statistics.held_out": "held-out, batch norm by one row",
}


def whole_table(summary: Summary) -> Sheet:
    """Return every arm on all data, with all that was measured, numbers in full."""
    table = _summary_table(summary)
    known = set(table.columns) | {"train_ratings", "test_ratings"}
    more = [key for arm in summary.arms for key in arm.final if key not in known]
    sheet = sheet_of(table, summary.study.name, 2)
    keys = ["train_ratings", "test_ratings", *dict.fromkeys(more)]
    rows = [
        [*row, *(mean_of(arm.final.get(key)) for key in keys)]
        for row, arm in zip(sheet.rows, summary.arms, strict=True)
    ]
    return Sheet(sheet.name, [*sheet.columns, *keys], rows, text_columns=2)


def sheet_of(table: Table, name: str, text_columns: int = 1) -> Sheet:
    """Return a sheet of a table; nan becomes an empty cell."""
    rows = [
        [None if isinstance(v, float) and math.isnan(v) else v for v in row.values()]
        for row in table.rows()
    ]
    return Sheet(name, list(table.columns), rows, text_columns=text_columns)


def group_table(summary: Summary, group: ArmGroup, arms: Sequence[ArmSummary]) -> Sheet:
    """Return the arms of a group and their figures; common values are in the caption."""
    several = len({arm.data for arm in arms}) > 1
    columns: dict[str, list[Value]] = {"arm": [arm.name for arm in arms]}
    if several:
        columns["data"] = [arm.data for arm in arms]
    shared = []
    for label, values in (
        ("seeds", [len(arm.seeds) for arm in arms]),
        ("epochs", [arm.epochs for arm in arms]),
    ):
        if len(set(values)) == 1:
            shared.append(f"{values[0]} {label if values[0] != 1 else label[:-1]}")
        else:
            columns[label] = list(values)
    for figure in SIDE_BY_SIDE:
        columns[FIGURES[figure].label] = [mean_of(arm.last.get(figure)) for arm in arms]
        if figure == "held_out":
            columns["95% interval"] = [_range(arm.last.get(figure)) for arm in arms]
    for figure, (_, words) in PUBLISHED.items():
        columns[words] = [published(arm, figure) for arm in arms]
    columns["difference from the base arm"] = [
        arm.difference.mean if arm.difference else None for arm in arms
    ]
    columns["corrected p"] = [_p(arm.difference) for arm in arms]
    columns["at its best epoch"] = [mean_of(arm.best) for arm in arms]
    columns["best epoch"] = [
        None if arm.best_epoch is None else f"{arm.best_epoch:.3g}" for arm in arms
    ]
    means = [mean_of(arm.rmse) for arm in arms]
    last = [mean_of(arm.last.get("held_out")) for arm in arms]
    pairs = [(a, b) for a, b in zip(means, last, strict=True) if a is not None]
    if any(b is None or abs(a - b) > 5e-4 for a, b in pairs):
        columns["RMSE of the kept model"] = list(means)
    for key, label in _ONE_ROW.items():
        columns[label] = [mean_of(arm.final.get(key)) for arm in arms]
    columns["seconds"] = [seconds_text(arm.seconds.mean) if arm.seconds else None for arm in arms]
    used = {name: values for name, values in columns.items() if any(v is not None for v in values)}
    strong = [at for at, arm in enumerate(arms) if arm.arm == summary.base]
    caption = (
        f"Means over seeds at the last epoch ({', '.join(shared)}). "
        if shared
        else "Means over seeds at the last epoch. "
    )
    if "at its best epoch" in used:
        caption += "The best epoch is test-selected: its RMSE is optimistic."
    rows = list(zip(*used.values(), strict=True))
    return Sheet(slug(group.name), list(used), rows, caption, strong, 2 if several else 1)


def comparisons_table(judgements: Sequence[Judgement]) -> Sheet:
    """Return every comparison that a verdict rests on."""
    rows: list[list[Value]] = [
        [
            j.claim.id,
            c.fact,
            FIGURES[c.figure].label,
            c.status,
            c.estimate,
            interval_text(c.interval) or None,
            c.p,
            c.n,
        ]
        for j in judgements
        for c in (*j.comparisons, *j.training)
    ]
    columns = ["claim", "result", "figure", "status", "estimate", "interval", "p", "seeds"]
    return Sheet("comparisons", columns, rows, "", (), 4)


def data_table(summary: Summary) -> Sheet:
    """Return training and held-out data, and the scores of simple models on them."""
    rows: list[list[Value]] = []
    for data in summary.study.data:
        arms = [arm for arm in summary.arms if arm.data == data.name and arm.final]
        final = arms[0].final if arms else {}
        rows.append(
            [
                data.name,
                _source(data),
                _held(data),
                *(_count(final.get(key)) for key in ("train_ratings", "test_ratings")),
                *(
                    mean_of(final.get(key))
                    for key in ("global_mean_rmse", "user_mean_rmse", "bias_rmse", "noise_floor")
                ),
            ]
        )
    columns = ["data", "source", "held out", "training ratings", "held-out ratings"]
    columns += ["RMSE of the global mean", "of user means", "of the bias model", "noise floor"]
    keep = [at for at in range(len(columns)) if at < 3 or any(row[at] is not None for row in rows)]
    return Sheet(
        "data",
        [columns[at] for at in keep],
        [[row[at] for at in keep] for row in rows],
        text_columns=3,
    )


def _source(data: Data) -> str:
    if data.synthetic:
        shape = ", ".join(f"{k} = {v}" for k, v in list(data.synthetic.items())[:5])
        return f"generated: {shape}"
    shares = [
        f"{100 * share:g}% of the {label}"
        for share, label in ((data.users, "users"), (data.ratings, "training ratings"))
        if share < 1
    ]
    return " · ".join([data.source, *shares])


def _held(data: Data) -> str:
    if not data.holdout:
        return "the source's own split"
    seeds = "each seed anew" if data.resplit else "one split for all seeds"
    return f"{size_text(data.holdout)}, {data.by}, {seeds}"


def environment_table(results: Results) -> Sheet:
    """Versions and machine, as the runs recorded them."""
    seen: dict[str, Counter[str]] = {}
    for record in results.runs.values():
        for name, version in record.versions.items():
            seen.setdefault(name, Counter())[str(version)] += 1
    rows: list[list[Value]] = [
        [name, ", ".join(version for version, _ in counts.most_common())]
        for name, counts in seen.items()
    ]
    peak = max((record.peak_mib for record in results.runs.values()), default=0.0)
    if peak:
        rows.append(["largest peak memory of a run", f"{peak:,.0f} MiB"])
    return Sheet("environment", ["property", "value"], rows, text_columns=2)


def _count(estimate: Estimate | None) -> int | None:
    if estimate is None or not math.isfinite(estimate.mean):
        return None
    return round(estimate.mean)


def _range(estimate: Estimate | None) -> str | None:
    return None if estimate is None else interval_text(estimate.interval) or None


def _p(difference: Difference | None) -> str | None:
    if difference is None or difference.adjusted is None:
        return None
    return "< 0.001" if difference.adjusted < 0.001 else f"{difference.adjusted:.3f}"
