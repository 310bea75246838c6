"""Summary of a study's runs: means with intervals, by arm and data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...evaluate import Difference, Estimate, Interval, adjust, paired, t_interval
from .figures import FIGURES, Figure
from .results import Results, RunRecord
from .series import arms_of, by_epoch, diverged, label, same_runs, series
from .study import Published, Study


@dataclass(frozen=True)
class Curve:
    """A figure by epoch: the mean over the runs that did not diverge, with 95% intervals.

    Attributes:
        epochs: Epoch numbers that all of these runs have.
        mean: One per epoch.
        low: Lower end of the Student-t interval; empty with one seed.
        high: Upper end of the interval, likewise.
        n: Runs.
    """

    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int


@dataclass(frozen=True)
class ArmSummary:
    """One arm on one data.

    Attributes:
        arm: GROUP/ARM.
        group: Name of the group.
        name: Name in the group.
        label: For a reader: "batch size 64".
        data: Name of the data.
        seeds: Seeds that are done or diverged.
        diverged: How many of those diverged; their figures count as infinite.
        failed: Runs that failed for another reason; they are left out.
        epochs: Epochs trained (the most of any run); 0 for a model that has none.
        last: Each figure at the last epoch. A model without epochs has "held_out" only.
        best: Held-out RMSE at each run's best epoch: test-selected, so never an honest score.
        best_epoch: Mean of those epochs.
        rmse: Held-out RMSE of the model that is kept, over all held-out ratings: the honest figure.
            Those on items without a training rating are answered by the bias model, and are not
            among those of ``last["held_out"]``.
        ratings_interval: 95% bootstrap interval of that RMSE over held-out users, ends averaged
            over seeds: the effect of another draw of test users.
        final: Every other figure of the kept model, by its name in the record.
        difference: Held-out RMSE of the kept model minus that of the base arm, paired by seed; its
            p values are corrected over the arms on the same data. None for the base arm itself.
        parameters: Trained numbers.
        seconds: Training time of a run.
        peak_mib: Largest peak memory of a run.
        published: Published figures of the arm.
        curves: By figure.
    """

    arm: str
    group: str
    name: str
    label: str
    data: str
    seeds: tuple[int, ...]
    diverged: int
    failed: int
    epochs: int
    last: dict[Figure, Estimate]
    best: Estimate | None
    best_epoch: float | None
    rmse: Estimate | None
    ratings_interval: Interval | None
    final: dict[str, Estimate]
    difference: Difference | None
    parameters: int
    seconds: Estimate | None
    peak_mib: float
    published: Published | None
    curves: dict[Figure, Curve]


@dataclass(frozen=True)
class Summary:
    """All arms of a study.

    Attributes:
        study: The study.
        base: The arm that differences are against, or "".
        finished: Runs that are done or failed, as ``expected`` counts them: one that several arms
            share counts for each.
        expected: Runs that the study has.
        distinct: Number of distinct finished runs: a shared run counts once.
        train_seconds: Training time of those.
        arms: In the study's order of groups and arms, then of data.
    """

    study: Study
    base: str
    finished: int
    expected: int
    distinct: int
    train_seconds: float
    arms: tuple[ArmSummary, ...]

    def of(self, arm: str, data: str = "") -> ArmSummary | None:
        """Return an arm's summary; data defaults to the study's first."""
        name = data or self.study.data[0].name
        return next((a for a in self.arms if a.arm == arm and a.data == name), None)

    def group(self, name: str, data: str = "") -> list[ArmSummary]:
        """Return the arms of a group, in order; data defaults to the study's first."""
        data_name = data or self.study.data[0].name
        return [a for a in self.arms if a.group == name and a.data == data_name]


def summarise(results: Results) -> Summary:
    """Sum up a study's runs, finished or not."""
    base = results.study.base
    arms = [
        _arm(results, arm, data.name)
        for arm in arms_of(results)
        for data in results.study.data
        if results.by_seed(arm, data.name)
    ]
    if base:
        by_data = {d.name: _differences(results, arms, base, d.name) for d in results.study.data}
        arms = [replace(arm, difference=by_data[arm.data][arm.arm]) for arm in arms]
    by_key = {(r.key, r.data, r.seed): r for r in results.runs.values()}
    return Summary(
        study=results.study,
        base=base,
        finished=len(results.runs),
        expected=results.expected,
        distinct=len(by_key),
        train_seconds=sum(r.seconds for r in by_key.values() if r.status == "done"),
        arms=tuple(arms),
    )


def _arm(results: Results, arm: str, data: str) -> ArmSummary:
    group, _, name = arm.partition("/")
    records = results.by_seed(arm, data)
    finished = [r for r in records.values() if r.status == "done"]
    lost = [r for r in records.values() if diverged(r)]
    best = [lowest for r in finished if (lowest := r.best("held_out")) is not None]
    return ArmSummary(
        arm=arm,
        group=group,
        name=name,
        label=label(arm),
        data=data,
        seeds=tuple(seed for seed, r in records.items() if r in finished or r in lost),
        diverged=len(lost),
        failed=len(records) - len(finished) - len(lost),
        epochs=max((len(r.epochs) for r in records.values()), default=0),
        last={
            figure: Estimate.of(list(values.values()))
            for figure in FIGURES
            if (values := series(results, arm, data, figure, "last"))
            and not _only_lost(values, figure)
        },
        best=Estimate.of([v for _, v in best] + [np.inf] * len(lost)) if best else None,
        best_epoch=float(np.mean([epoch for epoch, _ in best])) if best else None,
        rmse=_estimate([r.final.get("rmse") for r in finished], len(lost)),
        ratings_interval=_ratings_interval(finished),
        final=dict(_final(finished)),
        difference=None,
        parameters=max((r.parameters for r in records.values()), default=0),
        seconds=_estimate([r.seconds for r in finished]),
        peak_mib=max((r.peak_mib for r in records.values()), default=0.0),
        published=published(results.study, group, name),
        curves={figure: curve for figure in FIGURES if (curve := _curve(finished, figure))},
    )


def published(study: Study, group: str, name: str) -> Published | None:
    """Published figures of an arm."""
    for each in study.groups:
        if each.name == group:
            of_arm = next((a.published for a in each.arms if a.name == name), None)
            return of_arm or each.published.get(name)
    return None


def _only_lost(values: dict[int, float], figure: Figure) -> bool:
    """Return whether all runs diverged, so that only the figure of all studies is reported."""
    return figure != "held_out" and bool(np.isinf(list(values.values())).all())


def _estimate(values: list[float | None], lost: int = 0) -> Estimate | None:
    known = [v for v in values if v is not None and not np.isnan(v)] + [np.inf] * lost
    return Estimate.of(known) if known else None


def _ratings_interval(finished: list[RunRecord]) -> Interval | None:
    ends = [
        (r.final["rmse_low"], r.final["rmse_high"])
        for r in finished
        if {"rmse_low", "rmse_high"} <= r.final.keys()
    ]
    return Interval(*(float(end) for end in np.mean(ends, axis=0))) if ends else None


def _final(finished: list[RunRecord]) -> Iterator[tuple[str, Estimate]]:
    for key in dict.fromkeys(key for r in finished for key in r.final):
        if key not in ("rmse", "rmse_low", "rmse_high"):
            estimate = _estimate([r.final.get(key) for r in finished])
            if estimate is not None:
                yield key, estimate


def _curve(finished: list[RunRecord], figure: Figure) -> Curve | None:
    runs = [r for r in finished if any(figure in e.figures for e in r.epochs)]
    epochs, values = by_epoch(runs, figure)
    if not epochs:
        return None
    ends = [t_interval(column) for column in values.T]
    return Curve(
        epochs=epochs,
        mean=tuple(values.mean(axis=0).tolist()),
        low=tuple(end.low for end in ends if end),
        high=tuple(end.high for end in ends if end),
        n=len(runs),
    )


def _differences(
    results: Results, arms: list[ArmSummary], base: str, data: str
) -> dict[str, Difference | None]:
    """Return the difference of each arm to the base arm, on some data."""
    runs = {
        arm.arm: tuple(r.key for r in results.by_seed(arm.arm, data).values())
        for arm in arms
        if arm.data == data
    }
    # Arms that coincide are one comparison, and with the base none.
    of_runs: dict[tuple[str, ...], Difference | None] = {}
    against = series(results, base, data, "held_out")
    for name, keys in runs.items():
        if keys not in of_runs:
            alike = name == base or same_runs(results, name, base, data)
            by_seed = series(results, name, data, "held_out")
            of_runs[keys] = None if alike else paired(by_seed, against)
    corrected = dict(zip(of_runs, adjust(list(of_runs.values())), strict=True))
    return {name: corrected[keys] for name, keys in runs.items()}


def mean_of(estimate: Estimate | None) -> float | None:
    """Return the mean; None without an estimate."""
    return None if estimate is None else estimate.mean


def number(value: float | None) -> float:
    """Return a value of a table: NaN for None."""
    return math.nan if value is None else float(value)
