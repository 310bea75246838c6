"""A study's results as one page, and as files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ...base.atomic import write_text
from ...base.text import seconds_text
from ...charts.chart import Chart
from ...config import to_toml
from ...evaluate.protocols import PROTOCOLS
from ..study import (
    ArmGroup,
    Judgement,
    Results,
    Summary,
    claims_markdown,
    judge,
    summarise,
    summary_markdown,
)
from ..study.figures import FIGURES
from ._page import render, slug
from ._study_charts import CURVES, by_data, curves, formulas, scores, side_by_side
from ._tables import Sheet, data_url
from .study_tables import (
    comparisons_table,
    data_table,
    environment_table,
    group_table,
    whole_table,
)


@dataclass(frozen=True)
class PageSection:
    """What the page shows of one group."""

    anchor: str
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
        results: Records of the runs.
    """

    summary: Summary
    judgements: tuple[Judgement, ...]
    sections: tuple[PageSection, ...]
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

    def table(self) -> Sheet:
        """Return every arm on all data, with all that was measured, numbers in full."""
        return whole_table(self.summary)

    def markdown(self) -> str:
        """Return the verdicts and the arms as Markdown tables."""
        judged = claims_markdown(self.judgements) + "\n" if self.judgements else ""
        return judged + summary_markdown(self.summary)

    def html(self) -> str:
        """Return the page as one self-contained file."""
        study = self.summary.study
        used = [f for f in FIGURES if any(f in arm.last for arm in self.summary.arms)]
        return render(
            "study.html",
            title=f"{study.title} · {_shortened([data.name for data in study.data])} · Matinee",
            study=study,
            headline=_headline(self.summary, self.judgements),
            facts=_facts(self.summary),
            notices=_notices(self.summary),
            judgements=self.judgements,
            comparisons=comparisons_table(self.judgements),
            text=study.text,
            figures=[(FIGURES[f].label, FIGURES[f].meaning) for f in used] + self._formulas(),
            groups=self.sections,
            data=data_table(self.summary),
            protocol=_protocol(self.summary),
            environment=environment_table(self.results),
            commands=_commands(self.summary),
            csv=data_url("csv", self.table().csv()),
            markdown=data_url("markdown", self.markdown()),
            settings=to_toml(study, defaults=False),
        )

    def _formulas(self) -> list[tuple[str, str]]:
        """Return descriptions of the formulas shown in a chart."""
        if not any("-formulas-" in chart.name for chart in self.charts):
            return []
        return [(name.replace("_", " "), f"{meaning}.") for name, meaning in PROTOCOLS.items()]


def write_study_report(results: Results, path: Path | str) -> Path:
    """Write a study's report: one HTML file that opens from disk, with no network and no server.

    Args:
        results: Records of the runs.
        path: The file, or a folder, in which it is then called STUDY.html.

    Raises:
        MatineeError: It cannot be written.
    """
    file = Path(path).expanduser()
    if file.is_dir() or not file.suffix:
        file = file / f"{results.study.name}.html"
    write_text(file, StudyReport.of(results).html())
    return file


def _section(summary: Summary, group: ArmGroup) -> PageSection | None:
    names = group.data or [d.name for d in summary.study.data]
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
        formula = None
        if "reference" not in summary.study.figures:
            formula = formulas(group.name, group.title, arms, data)
        if formula:
            charts.append(formula)
            continue
        drawn: list[Chart | None] = [curves(key, title, arms, figure) for figure in CURVES]
        drawn.append(side_by_side(key, title, arms))
        charts += drawn if any(drawn) else [scores(key, title, arms)]
    return PageSection(
        anchor=f"group-{slug(group.name)}",
        title=group.title,
        text=group.text,
        charts=tuple(chart for chart in charts if chart),
        tables=(group_table(summary, group, [arm for _, arms in grid for arm in arms]),),
    )


def _headline(summary: Summary, judgements: Sequence[Judgement]) -> list[str]:
    """Summarise the page from the numbers."""
    statements = []
    if judgements:
        order = ("holds", "does not hold", "holds only on training ratings", "cannot tell")
        counts = [(sum(j.verdict == verdict for j in judgements), verdict) for verdict in order]
        n = len(judgements)
        parts = [f"{count} {_plural(verdict, count)}" for count, verdict in counts if count]
        statements.append(f"Of {n} claim{'s' * (n > 1)}, {_and(parts)}.")
    sentences = [
        (arm.published.test, arm.last["reference"].mean, arm.last["held_out"].mean)
        for arm in summary.arms
        if arm.published and arm.published.test is not None
        if "reference" in arm.last and "held_out" in arm.last
        if math.isfinite(arm.last["reference"].mean) and math.isfinite(arm.last["held_out"].mean)
    ]
    if len(sentences) > 2:
        training = median([abs(test - reference) for test, reference, _ in sentences])
        honest = median([abs(test - held) for test, _, held in sentences])
        is_near = training < 0.5 * honest
        statements.append(
            f"The published “test” figures are {'what' if is_near else 'not what'} the reference’s "
            f"formula gives on training ratings: over {len(sentences)} arms they differ from that "
            f"by {training:.3f} (median), and from the held-out RMSE by {honest:.3f}."
        )
    return statements


def _shortened(names: list[str]) -> str:
    """Join names: the first three, and the number of others."""
    rest = f" and {len(names) - 3} more" * (len(names) > 3)
    return ", ".join(names[:3]) + rest


def _facts(summary: Summary) -> str:
    study = summary.study
    arms = len({arm.arm for arm in summary.arms})
    seeds = max((len(arm.seeds) for arm in summary.arms), default=0)
    shared = summary.finished - summary.distinct
    return (
        f"{summary.finished:,} of {summary.expected:,} runs"
        + (f", {shared:,} of them shared by arms that coincide" if shared else "")
        + f" · {arms} arms · up to {seeds} seed{'s' * (seeds != 1)} · {len(study.data)} data "
        f"set{'s' * (len(study.data) != 1)} · {seconds_text(summary.train_seconds)} s of training"
    )


def _notices(summary: Summary) -> list[str]:
    notices = []
    if summary.study.cut:
        notices.append(
            "This is the quick version: fewer epochs, seeds or arms than the study has. It shows "
            "that everything runs; its numbers and verdicts are not the study’s."
        )
    if summary.finished < summary.expected:
        n_missing = summary.expected - summary.finished
        notices.append(f"{n_missing:,} runs are not done yet; what needs them is left out.")
    failed = [arm for arm in summary.arms if arm.diverged or arm.failed]
    if failed:
        names = ", ".join(arm.label for arm in failed[:6]) + ", …" * (len(failed) > 6)
        notices.append(f"Runs diverged or failed, and are listed in the tables: {names}.")
    return notices


def _protocol(summary: Summary) -> list[str]:
    study = summary.study
    resplit = any(data.resplit for data in study.data)
    sentences = [
        f"Seeds: {', '.join(map(str, study.seeds))}. A seed decides the first weights, the order "
        "of the rows and all dropout"
        + (", and where it says so the split." if resplit else "; the split is one for all.")
        + " Runs of one seed are compared in pairs.",
        "Intervals of means and differences are 95% Student-t intervals over seeds: they show how "
        "much another seed would change, not another draw of users. p values are corrected by "
        "Holm’s method over the arms on the same data.",
    ]
    if summary.base:
        sentences.append(f"Differences are against the arm {summary.base}.")
    return sentences


def _commands(summary: Summary) -> str:
    quick = " --quick" if summary.study.cut else ""
    name = summary.study.name
    return f"matinee study run {name}{quick}\nmatinee study report {name}{quick}"


def _plural(verdict: str, count: int) -> str:
    if verdict == "cannot tell":
        return "is undecided" if count == 1 else "are undecided"
    if count == 1:
        return verdict
    return verdict.replace("does not hold", "do not hold").replace("holds", "hold")


def _and(parts: Sequence[Any]) -> str:
    return " and ".join(
        [", ".join(map(str, parts[:-1])), str(parts[-1])] if len(parts) > 1 else map(str, parts)
    )
