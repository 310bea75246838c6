"""Numbers of the published studies, and pages that hold them between comment markers.

    <!-- figure: reference batch_size/8 held_out -->0.908<!-- /figure -->
    <!-- figure: reference batch_size/8 held_out@8 digits=2 -->0.91<!-- /figure -->
    <!-- figure: reference batch_size/8 held_out@lowest -->0.885<!-- /figure -->
    <!-- figure: reference batch_size/8 epoch@lowest digits=0 -->31<!-- /figure -->
    <!-- figure: protocol models/base held_out data="ml-100k" -->1.01<!-- /figure -->
    <!-- figure: reference base/base bias_rmse of=global_mean_rmse -->34%<!-- /figure -->
    <!-- verdict: reference 1 -->does not hold<!-- /verdict -->
    <!-- runs: reference -->90 runs, 3 seeds<!-- /runs -->

A figure is a column of docs/studies/NAME/summary.csv. With @EPOCH it is the mean over the runs in
curves.csv; with @lowest, the lowest point of the mean held-out curve, as charts show it; with
of=OTHER, the share of the mean square of OTHER that it does away with. A block
``<!-- table: NAME WORDS -->`` holds what the function NAME makes of the words.
"""

from __future__ import annotations

import csv
import functools
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

from matinee.lab.study import load_results

STUDIES = Path(__file__).resolve().parent / "studies"
MISSING = "(not run yet)"
_MARKER = re.compile(
    r"<!-- (?P<kind>figure|verdict|runs|table): (?P<words>[^>]*?) -->.*?<!-- /(?P=kind) -->",
    re.DOTALL,
)

Rows = list[dict[str, str]]


@functools.cache
def rows(study: str, file: str) -> Rows:
    """A file of a published study; no rows where it is not there."""
    path = STUDIES / study / file
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def arm(study: str, name: str, data: str = "") -> dict[str, str] | None:
    """The summary of an arm; data defaults to the first it has."""
    summary = [r for r in rows(study, "summary.csv") if r["arm"] == name]
    return next((r for r in summary if not data or r["data"] == data), None)


def known(study: str, name: str, column: str, data: str = "") -> float | None:
    """A number of an arm, or None where there is none.

    Raises:
        KeyError: The study has run, and knows no such column.
    """
    summary = arm(study, name, data)
    if summary is None:
        return None
    column, _, epoch = column.partition("@")
    if epoch == "lowest":
        at, lowest = lowest_point(study, name, summary["data"])
        return {"epoch": float(at), "held_out": lowest}[column]
    if epoch:
        curve = curves(study, name, column, summary["data"])
        return dict(curve).get(int(epoch))
    if column not in summary:
        raise KeyError(f"docs/studies/{study}/summary.csv has no column {column!r}")
    return float(summary[column]) if summary[column] else None


def curves(study: str, name: str, figure: str, data: str = "") -> list[tuple[int, float]]:
    """(epoch, mean over seeds) of a figure, at the epochs that all runs of the arm have."""
    keys = {
        row["run"]
        for row in rows(study, "runs.csv")
        if row["arm"] == name and (not data or row["data"] == data) and row["status"] == "done"
    }
    values: dict[int, list[float]] = {}
    for row in rows(study, "curves.csv"):
        if row["run"] in keys and row[figure]:
            values.setdefault(int(row["epoch"]), []).append(float(row[figure]))
    return [(at, fmean(v)) for at, v in sorted(values.items()) if len(v) == len(keys)]


def lowest_point(study: str, name: str, data: str = "") -> tuple[int, float]:
    """(epoch, RMSE) of the lowest point of an arm's held-out curve, the mean over its seeds.

    ``best_epoch`` of summary.csv is another number: the mean of each seed's own best epoch.
    """
    return min(curves(study, name, "held_out", data), key=lambda point: point[1])


def runs(study: str) -> str:
    """How many runs the numbers rest on, in words."""
    records = rows(study, "runs.csv")
    if not records:
        return MISSING
    expected = load_results(STUDIES / study).expected
    if len(records) < expected:
        return f"so far {len(records)} of {expected} runs"
    seeds = len({row["seed"] for row in records})
    n = len({row["run"] for row in records})
    return f"{n} runs, {seeds} seed{'s' * (seeds > 1)}"


def verdict(study: str, claim: str) -> str:
    """The verdict on a claim."""
    verdicts = [row for row in rows(study, "verdicts.csv") if row["id"] == claim]
    return verdicts[0]["verdict"] if verdicts else MISSING


def figure(study: str, name: str, column: str, *options: str) -> str:
    """A number as it is read; see the module."""
    keys = dict(option.split("=", 1) for option in options)
    value = known(study, name, column, keys.get("data", ""))
    if value is None:
        return MISSING
    if "of" in keys:
        whole = known(study, name, keys["of"], keys.get("data", ""))
        return MISSING if whole is None else f"{100 * (1 - (value / whole) ** 2):.0f}%"
    digits = int(keys.get("digits", 3))
    return f"{value:,.{digits}f}".replace("-", "−")


def fill(page: str, tables: dict[str, Callable[[str], str]]) -> str:
    """A page with what stands between its markers written anew."""
    makers: dict[str, Callable[..., str]] = {
        "figure": figure,
        "verdict": verdict,
        "runs": runs,
        "table": lambda name, study: f"\n{tables[name](study)}",
    }

    def replaced(match: re.Match[str]) -> str:
        words = shlex.split(match["words"])
        kind = match["kind"]
        return f"<!-- {kind}: {match['words']} -->{makers[kind](*words)}<!-- /{kind} -->"

    return _MARKER.sub(replaced, page)


def unmarked(page: str) -> str:
    """A page without its markers and what they hold: what a person wrote."""
    return _MARKER.sub("", page)


def markdown(heads: list[str], lines: list[list[str]]) -> str:
    """A Markdown table."""
    cells = [heads, ["---"] * len(heads), *lines]
    return "".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in x)} |\n" for x in cells)
