"""Figures by seed out of a study's records, and arms under names for a reader."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np

from ...base.arrays import Float64
from .arms import members
from .figures import Figure
from .results import BASELINES, Results, RunRecord
from .study import Study

When = Literal["kept", "last", "best"]
"""Of the model that is kept (the last epoch's, unless a validation part chose another), at the last
epoch, or at the run's own best by the figure: test-selected. Only the held-out RMSE is known
of the model that is kept; other figures are then those of the last epoch."""


def diverged(record: RunRecord) -> bool:
    """Return whether the run's loss diverged, which is worse than any finite result."""
    return record.status == "failed" and (not record.error or "diverge" in record.error)


def value(record: RunRecord, figure: Figure, when: When = "kept") -> float | None:
    """Return a figure of a run; infinite if it diverged, None if it is not known."""
    if diverged(record):
        return math.inf
    if record.status != "done":
        return None
    final = record.final.get("rmse") if figure == "held_out" else None
    if when == "kept" and final is not None:
        result: float | None = final
    elif when == "best":
        best = record.best(figure)
        result = best[1] if best else final
    else:
        result = record.last(figure)
        result = final if result is None else result  # not computed epoch by epoch
    return math.inf if result is not None and math.isnan(result) else result


def series(
    results: Results, arm: str, data: str, figure: Figure, when: When = "kept", beside: str = ""
) -> dict[int, float]:
    """Return a figure by seed.

    An arm of ``BASELINES`` has held-out figures only, from the records of the arm ``beside``,
    with which it is compared.
    """
    if arm in BASELINES:
        key = BASELINES[arm][0]
        records = results.by_seed(beside, data)
        known = {seed: record.final.get(key) for seed, record in records.items()}
        if figure != "held_out":
            return {}
        return {seed: v for seed, v in known.items() if v is not None}
    values = {
        seed: value(record, figure, when) for seed, record in results.by_seed(arm, data).items()
    }
    return {seed: v for seed, v in values.items() if v is not None}


def declared(study: Study) -> list[str]:
    """Return all arms of a study as GROUP/ARM, in the order of its file, run or not."""
    return [f"{group.name}/{arm.name}" for group in study.groups for arm in members(group)]


def data_of(study: Study, arms: Iterable[str]) -> list[str]:
    """Return names of the data that some arm of these is to run on, in the order of the file."""
    wanted_arms = set(arms)
    names = {
        name
        for group in study.groups
        for arm in members(group)
        if f"{group.name}/{arm.name}" in wanted_arms
        for name in arm.data or group.data or [data.name for data in study.data]
    }
    return [data.name for data in study.data if data.name in names]


def arms_of(results: Results) -> list[str]:
    """Return all arms with a run, in the order of the study's file."""
    run = dict.fromkeys(arm for arm, _, _ in results.runs)
    known = [arm for arm in declared(results.study) if arm in run]
    return [*known, *(arm for arm in run if arm not in known)]


def expand(results: Results, entries: Iterable[str], without: Iterable[str] = ()) -> list[str]:
    """Expand names of arms: a bare group or a pattern ("depth/*,dropout=0") means its arms.

    Names missing in the (perhaps short) study are ignored, and groups are expanded without the arms
    of ``without``.
    """
    known = declared(results.study)
    apart = set(without)
    names: list[str] = []
    for entry in entries:
        if "/" not in entry or "*" in entry:
            # Brackets in a name are not a pattern.
            pattern = (entry if "/" in entry else f"{entry}/*").replace("[", "[[]")
            names += [arm for arm in known if fnmatchcase(arm, pattern) and arm not in apart]
        else:
            names.append(entry)
    return list(dict.fromkeys(names))


def by_epoch(records: Iterable[RunRecord], figure: Figure) -> tuple[tuple[int, ...], Float64]:
    """Return the epochs at which all of some runs have a figure, and its values.

    Returns:
        The epochs, and float64 (runs, epochs).
    """
    runs = [{e.epoch: e.figures[figure] for e in r.epochs if figure in e.figures} for r in records]
    epochs = sorted(set.intersection(*map(set, runs))) if runs else []
    return tuple(epochs), np.array([[run[epoch] for epoch in epochs] for run in runs])


def same_runs(results: Results, one: str, other: str, data: str) -> bool:
    """Return whether two arms coincide: their settings are the same, so they share their runs."""
    first = {seed: record.key for seed, record in results.by_seed(one, data).items()}
    return bool(first) and first == {s: r.key for s, r in results.by_seed(other, data).items()}


def label(arm: str) -> str:
    """Return an arm for a reader: "batch_size/64" is "batch size 64", and "base/base" is "base"."""
    if arm in BASELINES:
        return BASELINES[arm][1]
    group, _, name = arm.partition("/")
    words = group.replace("_", " ")
    if name in ("", group):
        return words
    text = name.replace("_", " ").replace("=", " ")
    return f"{words} {text.replace(',', ' with ', 1).replace(',', ' and ')}"
