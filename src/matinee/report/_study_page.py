"""A study's results as one page, and as files."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ..data._atomic import write_text
from ..evaluate._seeds import Estimate
from ..study import Data, Group, Results
from ..study._claims import judge
from ..study._judgement import Judgement
from ..study._study import Figure
from ..study._summary import ArmSummary, Summary, summarise
from ._chart import Chart
from ._figures import MEANINGS, NAMES
from ._page import render, slug
from ._study_charts import by_data, curves, formulas, scores, side_by_side
from ._tables import Sheet, Value

_FIGURES: tuple[Figure, ...] = get_args(Figure)


@dataclass(frozen=True)
class Section:
    """What the page shows of one group."""

    anchor: str
    short: str
    title: str
    text: str
    charts: tuple[Chart, ...]
    tables: tuple[Sheet, ...]


@dataclass(frozen=True)
class StudyReport:
    """A study's results, ready to be written.

    Attributes:
        summary: Means and intervals of its arms.
        judgements: Its claims, judged.
        sections: By group, in order.
        results: What the runs left.
    """

    summary: Summary
    judgements: tuple[Judgement, ...]
    sections: tuple[Section, ...]
    results: Results

    @classmethod
    def of(cls, results: Results) -> StudyReport:
        """Sum up and judge a study's runs."""
        summary = summarise(results)
        sections = [_section(summary, group) for group in results.study.groups]
        judged = tuple(judge(results)) if results.study.claims else ()
        return cls(summary, judged, tuple(s for s in sections if s), results)

    @property
    def charts(self) -> list[Chart]:
        """Every chart, in the order of the page."""
        return [chart for section in self.sections for chart in section.charts]

    def chart(self, name: str) -> Chart:
        """A chart by its name.

        Raises:
            KeyError: There is none of that name.
        """
        return {chart.name: chart for chart in self.charts}[name]

    def table(self) -> Sheet:
        """Every arm on all data, with all that was measured, numbers in full."""
        return _whole_table(self.summary)

    def verdicts(self) -> Sheet:
        """The claims and what became of them."""
        return Sheet(
            f"{self.summary.study.name}-verdicts",
            ["claim", "who", "verdict", "estimate", "low", "high", "seeds", "why"],
            [
                (
                    f"{j.claim.id}. {j.claim.text}", j.claim.who, j.verdict, j.estimate,
                    j.interval and j.interval.low, j.interval and j.interval.high, j.seeds,
                    j.sentence,
                )
                for j in self.judgements
            ],
            text_columns=3,
        )  # fmt: skip

    def html(self) -> str:
        """The page: one file that needs nothing else."""
        study = self.summary.study
        used = [f for f in _FIGURES if any(f in arm.last for arm in self.summary.arms)]
        return render(
            "study.html",
            title=f"{study.title} · Matinee",
            study=study,
            headline=_headline(self.summary, self.judgements),
            facts=_facts(self.summary),
            notices=_notices(self.summary),
            judgements=self.judgements,
            comparisons=_comparisons(self.judgements),
            text=study.text,
            figures=[(NAMES[f], MEANINGS[f]) for f in used],
            groups=self.sections,
            data=_data(self.summary),
            protocol=_protocol(self.summary),
            environment=_environment(self.results),
            commands=_commands(self.summary),
            table=self.table(),
            settings=json.dumps(study.model_dump(mode="json", exclude_defaults=True), indent=2),
            date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        )

    def write(self, path: Path) -> Path:
        """Write the page."""
        write_text(path, self.html())
        return path

    def write_files(self, folder: Path) -> list[Path]:
        """Write what a paper needs: the tables as CSV and Markdown, every chart as SVG."""
        study = self.summary.study
        files = []
        for table in (self.table(), self.verdicts()) if self.judgements else (self.table(),):
            for ending, content in (("csv", table.csv()), ("md", table.markdown())):
                files.append(folder / f"{table.name}.{ending}")
                write_text(files[-1], content)
        return files + [chart.save(folder / f"{study.name}-charts") for chart in self.charts]


def write_study_report(results: Results, path: Path | str, *, files: bool = False) -> Path:
    """Write a study's report: one HTML file that opens from disk, with no network and no server.

    Args:
        results: What the runs left.
        path: The file, or a folder, in which it is then called STUDY.html.
        files: Whether to write the tables (CSV, Markdown) and the charts (SVG) beside it, too.

    Returns:
        The file.

    Raises:
        MatineeError: It cannot be written.
    """
    place = Path(path)
    if place.is_dir() or not place.suffix:
        place = place / f"{results.study.name}.html"
    report = StudyReport.of(results)
    report.write(place)
    if files:
        report.write_files(place.parent)
    return place


def _section(summary: Summary, group: Group) -> Section | None:
    names = [d.name for d in summary.study.data]
    grid = [(name, arms) for name in names if (arms := summary.group(group.name, name))]
    if not grid:
        return None
    charts: list[Chart | None] = []
    if len(grid) > 2:
        charts += by_data(
            group.name, group.title, group.key, [n for n, _ in grid], [a for _, a in grid]
        )
    for data, arms in grid if len(grid) <= 2 else ():
        title = group.title if len(grid) == 1 else f"{group.title} ({data})"
        key = group.name if len(grid) == 1 else f"{group.name}-{slug(data)}"
        formula = formulas(group.name, group.title, arms, data)
        if formula:
            charts.append(formula)
            continue
        of_curves: tuple[Figure, ...] = ("held_out", "reference", "batch_mean")
        drawn: list[Chart | None] = [curves(key, title, arms, figure) for figure in of_curves]
        drawn.append(side_by_side(key, title, arms))
        charts += drawn if any(drawn) else [scores(key, title, arms)]
    return Section(
        anchor=f"group-{slug(group.name)}",
        short=group.title,
        title=group.title,
        text=group.text,
        charts=tuple(chart for chart in charts if chart),
        tables=(_group_table(summary, group, [arm for _, arms in grid for arm in arms]),),
    )


def _group_table(summary: Summary, group: Group, arms: Sequence[ArmSummary]) -> Sheet:
    """The arms of a group, the figures side by side; what all share is told above."""
    shown: tuple[Figure, ...] = ("held_out", "held_out_user_mean", "reference", "batch_mean")
    several = len({arm.data for arm in arms}) > 1
    columns: dict[str, list[Value]] = {"arm": [arm.name for arm in arms]}
    if several:
        columns["data"] = [arm.data for arm in arms]
    shared = []
    for what, values in (
        ("seeds", [len(arm.seeds) for arm in arms]),
        ("epochs", [arm.epochs for arm in arms]),
    ):
        if len(set(values)) == 1:
            shared.append(f"{values[0]} {what if values[0] != 1 else what[:-1]}")
        else:
            columns[what] = list(values)
    for figure in shown:
        columns[NAMES[figure]] = [_mean(arm.last.get(figure)) for arm in arms]
        if figure == "held_out":
            columns["95% interval"] = [_range(arm.last.get(figure)) for arm in arms]
    columns["published “test”"] = [arm.published and arm.published.test for arm in arms]
    columns["published training"] = [arm.published and arm.published.train for arm in arms]
    columns["less the base arm"] = [arm.difference and arm.difference.mean for arm in arms]
    columns["corrected p"] = [
        arm.difference and arm.difference.adjusted is not None
        and _p(arm.difference.adjusted) or None for arm in arms
    ]  # fmt: skip
    columns["at its best epoch"] = [_mean(arm.best) for arm in arms]
    columns["which is"] = [
        None if arm.best_epoch is None else f"{arm.best_epoch:.3g}" for arm in arms
    ]
    kept = [_mean(arm.rmse) for arm in arms]
    if kept != columns[NAMES["held_out"]]:
        columns["of the kept model"] = list(kept)
    columns["seconds"] = [_seconds(arm.seconds.mean) if arm.seconds else None for arm in arms]
    used = {name: values for name, values in columns.items() if any(v is not None for v in values)}
    strong = [at for at, arm in enumerate(arms) if arm.arm == summary.base]
    caption = (
        f"Means over seeds at the last epoch ({', '.join(shared)}). "
        if shared
        else "Means over seeds at the last epoch. "
    )
    if "at its best epoch" in used:
        caption += "The best epoch is found by looking at the held-out ratings: no honest score."
    rows = list(zip(*used.values(), strict=True))
    return Sheet(slug(group.name), list(used), rows, caption, strong, 2 if several else 1)


def _whole_table(summary: Summary) -> Sheet:
    figures = [f for f in _FIGURES if any(f in arm.last for arm in summary.arms)]
    finals = list(dict.fromkeys(key for arm in summary.arms for key in arm.final))
    columns = ["group", "arm", "data", "seeds", "diverged", "failed", "epochs"]
    for figure in figures:
        columns += [figure, f"{figure}_low", f"{figure}_high"]
    columns += ["best_epoch", "held_out_best", "rmse", "rmse_low", "rmse_high"]
    columns += ["ratings_low", "ratings_high", "difference", "difference_low", "difference_high"]
    columns += ["difference_p", "published_train", "published_test", "published_epochs"]
    columns += ["parameters", "seconds", "peak_mib", *finals]
    rows: list[list[Value]] = []
    for arm in summary.arms:
        row: list[Value] = [
            arm.group, arm.name, arm.data, len(arm.seeds), arm.diverged, arm.failed, arm.epochs,
        ]  # fmt: skip
        for figure in figures:
            row += _triple(arm.last.get(figure))
        row += [arm.best_epoch, _mean(arm.best), *_triple(arm.rmse)]
        row += list(arm.ratings_interval or (None, None))
        gap = arm.difference
        row += [gap.mean, *(gap.interval or (None, None)), gap.adjusted] if gap else [None] * 4
        said = arm.published
        row += [said.train, said.test, said.epochs] if said else [None] * 3
        row += [arm.parameters, arm.seconds and arm.seconds.mean, arm.peak_mib]
        row += [_mean(arm.final.get(key)) for key in finals]
        rows.append(row)
    return Sheet(summary.study.name, columns, rows, text_columns=3)


def _comparisons(judgements: Sequence[Judgement]) -> Sheet:
    rows: list[list[Value]] = [
        [
            j.claim.id, c.fact, NAMES[c.figure], c.status, c.estimate,
            f"{c.interval.low:.4f} to {c.interval.high:.4f}" if c.interval else None, c.p, c.n,
        ]
        for j in judgements
        for c in (*j.comparisons, *j.training)
    ]  # fmt: skip
    columns = ["claim", "found", "figure", "the check is", "estimate", "interval", "p", "seeds"]
    return Sheet("comparisons", columns, rows, "", (), 4)


def _headline(summary: Summary, judgements: Sequence[Judgement]) -> list[str]:
    """What the page comes to, from the numbers alone."""
    said = []
    if judgements:
        order = ("holds", "does not hold", "holds only on training ratings", "cannot tell")
        counts = [(sum(j.verdict == verdict for j in judgements), verdict) for verdict in order]
        n = len(judgements)
        parts = [f"{count} {_plural(verdict, count)}" for count, verdict in counts if count]
        said.append(f"Of {n} claim{'s' * (n > 1)}, {_and(parts)}.")
    told = [
        (arm.published.test, arm.last["reference"].mean, arm.last["held_out"].mean)
        for arm in summary.arms
        if arm.published and arm.published.test is not None
        if "reference" in arm.last and "held_out" in arm.last
        if math.isfinite(arm.last["reference"].mean) and math.isfinite(arm.last["held_out"].mean)
    ]
    if len(told) > 2:
        training = _median([abs(test - reference) for test, reference, _ in told])
        honest = _median([abs(test - held) for test, _, held in told])
        near = training < 0.5 * honest
        said.append(
            f"The published “test” figures are {'what' if near else 'not what'} the reference’s "
            f"formula gives on training ratings: over {len(told)} arms they differ from that by "
            f"{training:.3f} (median), and from the held-out RMSE by {honest:.3f}."
        )
    return said


def _facts(summary: Summary) -> str:
    study = summary.study
    arms = len({arm.arm for arm in summary.arms})
    seeds = max((len(arm.seeds) for arm in summary.arms), default=0)
    seconds = sum(
        arm.seconds.mean * len(arm.seeds) for arm in summary.arms
        if arm.seconds and math.isfinite(arm.seconds.mean)
    )  # fmt: skip
    return (
        f"{summary.finished:,} of {summary.expected:,} runs · {arms} arms · up to {seeds} "
        f"seed{'s' * (seeds != 1)} · {len(study.data)} data set{'s' * (len(study.data) != 1)} · "
        f"{_seconds(seconds)} s of training"
    )


def _notices(summary: Summary) -> list[str]:
    found = []
    if summary.quick:
        found.append(
            "This is the quick version: fewer epochs, seeds or arms than the study has. It shows "
            "that everything runs; its numbers and verdicts are not the study’s."
        )
    if summary.finished < summary.expected:
        left = summary.expected - summary.finished
        found.append(f"{left:,} runs are not done yet; what needs them is left out.")
    failed = [arm for arm in summary.arms if arm.diverged or arm.failed]
    if failed:
        told = ", ".join(arm.label for arm in failed[:6]) + ", …" * (len(failed) > 6)
        found.append(f"Runs diverged or failed, and are told in the tables: {told}.")
    return found


def _data(summary: Summary) -> Sheet:
    rows: list[list[Value]] = []
    for data in summary.study.data:
        arms = [arm for arm in summary.arms if arm.data == data.name and arm.final]
        final = arms[0].final if arms else {}
        rows.append(
            [
                data.name, _source(data), _held(data),
                *(_count(final.get(key)) for key in ("train_ratings", "test_ratings")),
                *(_mean(final.get(key)) for key in
                  ("global_mean_rmse", "user_mean_rmse", "bias_rmse", "noise_floor")),
            ]
        )  # fmt: skip
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
    shares = [f"{100 * share:g}% of the {what}" for share, what in
              ((data.users, "users"), (data.ratings, "training ratings")) if share < 1]  # fmt: skip
    return " · ".join([data.source, *shares])


def _held(data: Data) -> str:
    if not data.holdout:
        return "the source's own split"
    anew = "each seed anew" if data.resplit else "one split for all seeds"
    return f"{100 * data.holdout:g}%, {data.by}, {anew}"


def _protocol(summary: Summary) -> list[str]:
    study = summary.study
    resplit = any(data.resplit for data in study.data)
    found = [
        f"Seeds: {', '.join(map(str, study.seeds))}. A seed decides the first weights, the order of "
        "the rows and all dropout"
        + (", and where it says so the split." if resplit else "; the split is one for all.")
        + " Runs of one seed are compared in pairs.",
        "Intervals of means and differences are 95% Student-t intervals over seeds: they tell how "
        "much another seed would change, not another draw of users. p values are corrected by "
        "Holm’s method over the arms on the same data.",
    ]
    if summary.base:
        found.append(f"Differences are against the arm {summary.base}.")
    return found


def _environment(results: Results) -> Sheet:
    seen: dict[str, dict[str, int]] = {}
    for record in results.runs.values():
        for name, version in record.versions.items():
            counts = seen.setdefault(name, {})
            counts[str(version)] = counts.get(str(version), 0) + 1
    rows: list[list[Value]] = [
        [name, ", ".join(sorted(counts, key=lambda v: -counts[v]))] for name, counts in seen.items()
    ]
    peak = max((record.peak_mib for record in results.runs.values()), default=0.0)
    if peak:
        rows.append(["largest peak memory of a run", f"{peak:,.0f} MiB"])
    return Sheet("environment", ["what", "which"], rows, text_columns=2)


def _commands(summary: Summary) -> str:
    quick = " --quick" if summary.quick else ""
    name = summary.study.name
    return f"matinee study run {name}{quick}\nmatinee study report {name}{quick}"


def _mean(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.mean


def _count(estimate: Estimate | None) -> int | None:
    known = estimate is not None and math.isfinite(estimate.mean)
    return round(estimate.mean) if estimate and known else None


def _triple(estimate: Estimate | None) -> list[Value]:
    if estimate is None:
        return [None, None, None]
    return [estimate.mean, *(estimate.interval or (None, None))]


def _range(estimate: Estimate | None) -> str | None:
    within = estimate and estimate.interval
    return f"{within.low:.4f} to {within.high:.4f}" if within else None


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _seconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _plural(verdict: str, count: int) -> str:
    if count == 1:
        return verdict
    return verdict.replace("does not hold", "do not hold").replace("holds", "hold")


def _and(parts: Sequence[Any]) -> str:
    return " and ".join(
        [", ".join(map(str, parts[:-1])), str(parts[-1])] if len(parts) > 1 else map(str, parts)
    )
