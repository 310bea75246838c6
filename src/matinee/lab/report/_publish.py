"""A study's results as a folder to be kept with code or a paper."""

from __future__ import annotations

from pathlib import Path

from ...base.atomic import write_text
from ..study import Results, claims_table, read_archive, write_archive
from ._study_page import StudyReport
from .study_tables import sheet_of


def publish_study(results: Results, folder: Path | str) -> list[Path]:
    """Write a study's results as a self-contained folder from which it can be reproduced.

    ``study.toml``, ``runs.csv`` and ``curves.csv`` contain the measurements; ``report.html``,
    ``summary.csv``, ``summary.md``, ``verdicts.csv`` and ``charts/`` are computed from these three
    as they were written, rounding included, so anyone can compute them again. All files are
    returned.

    Args:
        results: A study's records, finished or not; or those of such a folder.
        folder: Folder to write to; created if absent. Files of these names are replaced, charts
            that are no longer drawn are removed.

    Raises:
        MatineeError: It cannot be written.
    """
    target = Path(folder).expanduser()
    files = write_archive(results, target)
    report = StudyReport.of(read_archive(target))
    texts = {
        "report.html": report.html(),
        "summary.csv": report.table().csv(),
        "summary.md": _summary(report),
    }
    if report.judgements:
        texts["verdicts.csv"] = sheet_of(claims_table(report.judgements), "verdicts").csv()
    for name, text in texts.items():
        write_text(target / name, text)
    charts = [chart.save(target / "charts") for chart in report.charts]
    for old in set((target / "charts").glob("*.svg")) - set(charts):
        old.unlink()
    return [*files, *(target / name for name in texts), *charts]


def _summary(report: StudyReport) -> str:
    """Return the page in Markdown: verdicts, arms, charts."""
    study = report.summary.study
    quick = " --quick" if study.cut else ""
    missing = report.summary.expected - report.summary.finished
    parts = [f"# {study.title}\n", study.text.strip() + "\n"]
    if missing:
        parts.append(f"**{missing} of {report.summary.expected} runs are not done yet.**\n")
    parts += [
        "Made by\n",
        f"    matinee study run {study.name}{quick} --out RUNS\n"
        f"    matinee study publish RUNS --out {study.name}\n",
    ]
    if report.judgements:
        parts.append("## Verdicts\n")
    parts.append(report.markdown())
    for section in report.sections:
        parts.append(f"## {section.title}\n")
        if section.text:
            parts.append(section.text.strip() + "\n")
        for chart in section.charts:
            alt = " ".join(f"{chart.title}. {chart.summary}".split())
            alt = alt.replace("[", "(").replace("]", ")")
            parts.append(f"![{alt}](charts/{chart.name}.svg)\n")
    return "\n".join(parts)
