"""``matinee study``: list, show, run, report, compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import MatineeError, UsageError
from ..numbers import parse_counts
from ..output import command_line, echo, note, print_json, print_table
from ..source import Json

if TYPE_CHECKING:
    from ...lab.study import Outcome, Plan, Results

app = typer.Typer(
    help="Run studies: many runs of one question, with intervals and verdicts.",
    no_args_is_help=True,
)

Named = Annotated[
    str, typer.Argument(metavar="NAME_OR_FILE", help="A name of 'study list', or a TOML file.")
]
Quick = Annotated[bool, typer.Option("--quick", help="The short version of the study.")]
Workers = Annotated[int | None, typer.Option(help="Runs at a time; by default one for each core.")]
RunThreads = Annotated[
    int | None,
    typer.Option(help="Threads of each run; by default the cores divided by the workers."),
]
Folder = Annotated[
    str,
    typer.Argument(
        metavar="NAME_OR_DIR",
        help="The folder of a study's runs, or its name if that is studies/NAME.",
    ),
]


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List the studies that come with the package."""
    from ...lab.study import find_study, study_names
    from ...lab.study.arms import resolve_arms
    from ...lab.study.plan import runs_of

    rows = []
    for name in study_names():
        study = find_study(name)
        rows.append(
            {
                "study": name,
                "title": study.title,
                "arms": len(resolve_arms(study)),
                "runs": len(runs_of(study)),
                "claims": len(study.claims),
            }
        )
    if json:
        print_json({"studies": rows})
        return
    columns = ["study", "arms", "runs", "claims", "title"]
    print_table(columns, [[row[column] for column in columns] for row in rows])
    echo("\nmatinee study show NAME describes one; matinee study run NAME runs it")


@app.command()
def show(study: Named, *, toml: bool = False, quick: Quick = False, json: Json = False) -> None:
    """Show a study: its data, arms and claims.

    Args:
        toml: The study as a file, to save and change.
    """
    from ...config import to_toml
    from ...lab.study import find_study
    from ...lab.study.arms import resolve_arms
    from ...lab.study.plan import cut_study

    loaded = find_study(study)
    resolve_arms(loaded)
    if quick:
        loaded = cut_study(loaded)
    arms = resolve_arms(loaded)
    if toml:
        echo(to_toml(loaded, defaults=False))
    elif json:
        print_json({"study": loaded, "arms": [_arm(arm) for arm in arms]})
    else:
        echo(f"{loaded.name}: {loaded.title}\n\n{loaded.text.strip()}\n")
        data = [(d.name, d.source or "synthetic", _holdout(d)) for d in loaded.data]
        print_table(["data", "source", "held out"], data)
        echo()
        for group in loaded.groups:
            arms_of_group = [arm.name.split("/", 1)[1] for arm in arms if arm.group == group.name]
            echo(f"{group.title} ({group.name}): {'; '.join(arms_of_group)}")
        seeds = ", ".join(map(str, loaded.seeds))
        echo(f"\nseeds {seeds}; the difference is taken against {loaded.base or 'no arm'}")
        for claim in loaded.claims:
            echo(f"claim {claim.id}: {claim.text}")


@app.command()
def run(
    ctx: typer.Context,
    study: Named,
    *,
    quick: Quick = False,
    workers: Workers = None,
    threads: RunThreads = None,
    seeds: str | None = None,
    groups: str | None = None,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Run a study, or continue it.

    Each finished run is kept at once. After Ctrl-C or a crash the same command resumes: no finished
    run is repeated, and one that was interrupted starts from its last checkpoint.

    Args:
        seeds (N,N): Only these seeds, which the study need not have.
        groups (NAME,NAME): Only these groups.
        out (DIR): Folder of the runs; by default studies/NAME, or studies/NAME-quick.
    """
    from ...lab.study import find_study, plan_study
    from ...lab.study.runs.scheduler import default_workers
    from ..show.progress import clock_text

    loaded = find_study(study)
    default_workers(workers, threads)  # check before anything is read
    asked = parse_counts("--seeds", seeds, "0,1,2")
    only = [name.strip() for name in groups.split(",")] if groups else []
    planned = loaded.quick.seeds if quick else loaded.seeds
    further = not set(asked) <= set(planned)
    # The folder's plan keeps the study's own seeds, so that reports show their runs too.
    every = list(dict.fromkeys([*planned, *asked])) if further else []
    plan = plan_study(loaded, quick=quick, seeds=every)
    folder = out or default_folder(loaded.name, quick)
    command = ctx.obj or ["study", "run", study]
    options = {"workers": workers, "threads": threads, "groups": only, "seeds": asked}
    outcome = run_shown(plan, folder, command, quiet=json, **options)
    if json:
        print_json({"study": loaded.name, "quick": quick, "folder": folder, **vars(outcome)})
    else:
        total = outcome.done + outcome.before
        echo(
            f"{loaded.name}{', quick' if quick else ''}: {total} runs done"
            f"{f', {outcome.before} of them before' if outcome.before else ''}"
            f"{f', {outcome.diverged} diverged' if outcome.diverged else ''}"
            f" in {clock_text(outcome.seconds)}\nruns: {folder}\n\nnext:"
        )
        echo("  " + command_line(["study", "report", folder]))
        echo("  " + command_line(["study", "compare", folder]))
    require_results(outcome)


def run_shown(
    plan: Plan, folder: Path, command: list[str], *, quiet: bool, **options: Any
) -> Outcome:
    """Run a study, show its progress, and list runs that were left out or failed.

    Args:
        plan: The runs.
        folder: Where they are kept.
        command: The command that continues the study, shown after Ctrl-C.
        quiet: As for ``StudyProgress``.
        **options: Of ``run_study``.
    """
    from ...lab.study import run_study
    from ..show.study_live import StudyProgress

    try:
        with StudyProgress(quiet=quiet) as progress:
            outcome = run_study(plan, folder, listener=progress, **options)
    except KeyboardInterrupt:
        again = command_line(command)
        note(f"\nmatinee: what is finished is kept in {folder}; to continue:\n  {again}")
        raise
    for arm, how in outcome.absent.items():
        note(f"matinee: {arm} was left out, its library is not installed: {how}")
    for key, message in outcome.broken.items():
        spec = plan.specs[key]
        note(f"matinee: {spec.arm}, seed {spec.seed} ({key}): {message}")
    return outcome


def require_results(outcome: Outcome) -> None:
    """Fail if a run ended without a result.

    Raises:
        MatineeError: One did.
    """
    if n := len(outcome.broken):
        raise MatineeError(
            f"{n} run{'s' * (n > 1)} ended without a result; the same command tries again"
        )


@app.command()
def report(
    study: Folder, *, out: Path | None = None, quick: Quick = False, json: Json = False
) -> None:
    """Write the report of a study's runs, finished or not: one self-contained HTML file.

    Args:
        out (FILE): The page; by default report.html in the folder.
    """
    from ...lab.report import write_study_report

    results, folder = find_results(study, quick)
    page = write_study_report(results, out or folder / "report.html")
    missing = results.expected - len(results.runs)
    if json:
        print_json({"report": page, "runs": len(results.runs), "expected": results.expected})
        return
    if missing:
        note(f"matinee: {missing} of {results.expected} runs are not done; the report says so")
    echo(f"report: {page}")


@app.command()
def publish(study: Folder, *, out: Path, quick: Quick = False, json: Json = False) -> None:
    """Write a study's results as a folder to be kept with code or a paper.

    Every run and every epoch as CSV, the verdicts, the summary as CSV and Markdown, the charts as
    SVG and the report. The folder is enough to make the report again: the commands that take the
    folder of a study's runs take it too.

    Args:
        out (DIR): The folder to write, or to replace.
    """
    from ...lab.report import publish_study

    results, _ = find_results(study, quick)
    files = publish_study(results, out)
    missing = results.expected - len(results.runs)
    if json:
        print_json({"files": files, "runs": len(results.runs), "expected": results.expected})
        return
    if missing:
        note(f"matinee: {missing} of {results.expected} runs are not done; the summary says so")
    echo(f"published: {out}, {len(files)} files, {sum(f.stat().st_size for f in files):,} bytes")


@app.command()
def compare(
    study: Folder,
    *,
    base: str = "",
    figure: str = "held_out",
    data: str = "",
    claims: bool = False,
    quick: Quick = False,
    json: Json = False,
) -> None:
    """Compare a study's arms, paired by seed, with 95% intervals and Holm's correction.

    Args:
        base (GROUP/ARM): The arm compared with; by default the study's.
        figure (FIGURE): What is compared, at the last epoch.
        data (NAME): Which data; by default the study's first.
        claims: The verdicts on the study's claims instead.
    """
    from ...lab.study import claims_table, compare as compare_arms, judge

    results, _ = find_results(study, quick)
    if claims:
        table = claims_table(judge(results))
    else:
        table = compare_arms(results, base=base, figure=_figure(figure), data=data)
    rows = list(table.rows())
    if json:
        print_json({"study": results.study.name, "rows": rows})
    else:
        print_table(list(table.columns), [list(row.values()) for row in rows])


def default_folder(name: str, quick: bool) -> Path:
    """Return the default folder of a study's runs."""
    return Path("studies") / (f"{name}-quick" if quick else name)


def find_results(named: str, quick: bool) -> tuple[Results, Path]:
    """Return the runs in a folder, or of the study of that name in its usual place."""
    from ...lab.study import load_results, study_names

    folder, usual = Path(named), default_folder(named, quick)
    if not folder.is_dir() and (usual.is_dir() or named in study_names() or quick):
        folder = usual
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: no such folder; name the folder of a study's runs, or run it first: "
            + command_line(["study", "run", named])
        )
    return load_results(folder), folder


def _figure(name: str) -> Any:
    from ...errors import nearest
    from ...lab.study.figures import FIGURES

    if name not in FIGURES:
        raise UsageError(f"--figure {name!r}: must be {', '.join(FIGURES)}{nearest(name, FIGURES)}")
    return name


def _holdout(data: Any) -> str:
    from ...data.splits.rules import rule_of

    return rule_of(data.by).held_out(data.holdout) if data.holdout else "its own test part"


def _arm(arm: Any) -> dict[str, Any]:
    return {
        "arm": arm.name,
        "model": arm.kind,
        "settings": arm.settings,
        "data": arm.data,
        "seeds": arm.seeds,
        "published": arm.published,
    }
