"""``matinee leaderboard``: a table of models by data, run as a study."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ...errors import UsageError, nearest
from ..numbers import parse_counts
from ..output import echo, note, print_json, print_table
from ..source import Json
from ._study import (
    RunThreads,
    Workers,
    default_folder,
    require_results,
    run_shown,
)

if TYPE_CHECKING:
    from ...lab.leaderboard import Leaderboard
    from ...lab.study import Plan, Study


def leaderboard(
    ctx: typer.Context,
    *,
    quick: bool = False,
    data: str | None = None,
    models: str | None = None,
    seeds: str | None = None,
    workers: Workers = None,
    threads: RunThreads = None,
    out: Path | None = None,
    study: str = "leaderboard",
    show: bool = False,
    table: Path | None = None,
    json: Json = False,
) -> None:
    """Score models side by side: our presets, simple models, rivals, and published figures.

    What was run before is kept, so that the table can be made piece by piece, with --data, --models
    and --seeds; all that is in the folder is written to leaderboard.csv, leaderboard.md and
    report.html there. Models of other libraries need the extra bench, and are left out if it is
    not installed.

    Args:
        quick: The short version, to check that everything runs.
        data (NAME,NAME): Only on these data: names or patterns (ml-100k-*).
        models (NAME,NAME): Only these models: names, patterns (surprise-*) or groups (presets).
        seeds (N,N): Only these seeds, which the study need not have.
        out (DIR): Folder of the runs and tables; by default studies/leaderboard.
        study (NAME_OR_FILE): Another study to run as a leaderboard (a TOML file).
        show: Run nothing; show the results in the folder.
        table (FILE): Also write the Markdown table to this file.
    """
    from ...lab.leaderboard import leaderboard as rank
    from ...lab.study import find_study, load_results
    from ...lab.study.runs.scheduler import default_workers

    default_workers(workers, threads)
    study_found = find_study(study)
    folder = out or default_folder(study_found.name, quick)
    outcome = None
    if not show:
        requested = parse_counts("--seeds", seeds, "0,1,2")
        plan = _plan(study_found, quick, data, requested)
        arms = list(dict.fromkeys(arm for arm, _, _ in plan.names))
        outcome = run_shown(
            plan,
            folder,
            ctx.obj or ["leaderboard"],
            quiet=json,
            workers=workers,
            threads=threads,
            seeds=requested,
            arms=_models(models, arms),
            data=_chosen(data, [d.name for d in plan.study.data], "data"),
        )
    results = load_results(folder)  # raises if nothing was run
    board = rank(results)
    files = _write(board, results, folder, table)
    chosen = _chosen(data, [section.data.name for section in board.sections], "data")
    if json:
        rows = [row for row in board.rows if row.data in chosen]
        outcome_dict = vars(outcome) if outcome else None
        answer = {"study": study_found.name, "quick": quick, "files": files, "run": outcome_dict}
        print_json({**answer, "rows": [vars(row) for row in rows]})
    else:
        _print(board, chosen)
        echo("".join(f"\n{file}" for file in files).lstrip("\n"))
    if outcome is not None:
        require_results(outcome)


def _plan(study: Study, quick: bool, data: str | None, seeds: tuple[int, ...]) -> Plan:
    """The plan of all of the study that this machine has the data of, and of further seeds."""
    from ...lab.study import plan_study
    from ...lab.study.plan import cut_study, on_data
    from ...lab.study.runs.data import on_this_machine, require_source

    full = cut_study(study) if quick else study
    names = [d.name for d in full.data]
    selected = set(_chosen(data, names, "data")) if data else set()
    absent = [d for d in full.data if not on_this_machine(d)]
    missing = [d for d in absent if d.name in selected]
    if missing or len(absent) == len(names):
        first = (missing or absent)[0]
        require_source(first.source, f"data {first.name}")
    for each in absent:
        note(f"matinee: {each.name} is left out: {each.source} is not on this machine")
    if absent:
        here = {d.name for d in study.data} - {d.name for d in absent}
        parts = tuple(name for name in study.quick.data if name in here)
        short = study.quick.model_copy(update={"data": parts})
        study = on_data(study, here).model_copy(update={"quick": short, "claims": ()})
    planned = study.quick.seeds if quick else study.seeds
    all_seeds = [] if set(seeds) <= set(planned) else list(dict.fromkeys([*planned, *seeds]))
    return plan_study(study, quick=quick, seeds=all_seeds)


def _chosen(text: str | None, known: list[str], option: str) -> list[str]:
    """Return the names that match a comma-separated list of names and patterns; all for None."""
    if text is None:
        return known
    chosen: set[str] = set()
    for name in filter(None, (part.strip() for part in text.split(","))):
        hits = {other for other in known if fnmatchcase(other, name)}
        if not hits:
            raise UsageError(
                f"--{option} {name!r}: there is none{nearest(name, known)} "
                f"(there are {', '.join(known)})"
            )
        chosen |= hits
    if not chosen:
        raise UsageError(f"--{option} {text!r}: names none")
    return [name for name in known if name in chosen]


def _models(text: str | None, arms: list[str]) -> list[str]:
    """Arms by their names in their groups, by GROUP/ARM, or by group."""
    short = {arm: arm.split("/", 1)[1] for arm in arms}
    groups = {arm: arm.split("/", 1)[0] for arm in arms}
    known = list(dict.fromkeys([*short.values(), *groups.values(), *arms]))
    hits = set(_chosen(text, known, "models"))
    return [arm for arm in arms if hits & {arm, short[arm], groups[arm]}]


def _write(board: Leaderboard, results: Any, folder: Path, table: Path | None) -> list[Path]:
    from ...base.atomic import write_text
    from ...lab.leaderboard.text import leaderboard_markdown
    from ...lab.report import write_study_report
    from ...lab.report.study_tables import sheet_of

    markdown = leaderboard_markdown(board)
    texts = {
        folder / "leaderboard.md": markdown,
        folder / "leaderboard.csv": sheet_of(board.table(), "leaderboard").csv(),
    }
    if table is not None:
        texts[table] = markdown
    for file, text in texts.items():
        write_text(file, text)
    page = [write_study_report(results, folder / "report.html")] if results.runs else []
    return [*texts, *page]


def _print(board: Leaderboard, chosen: list[str]) -> None:
    from ...lab.leaderboard.text import COLUMNS, cells, heading, waiting

    for section in board.sections:
        if section.data.name not in chosen:
            continue
        if section.rows:
            rows = [cells(row) for row in section.rows]
            used = [at for at in range(len(COLUMNS)) if any(row[at] for row in rows)]
            print_table(
                [COLUMNS[at] for at in used],
                [[row[at] for at in used] for row in rows],
                heading(section),
            )
        else:
            echo(heading(section))
        if unfinished := waiting(section):
            echo(unfinished)
        echo()
