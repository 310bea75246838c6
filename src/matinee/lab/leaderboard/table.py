"""A study as a leaderboard: every model's error, cost and source, by data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal as Either

from ...data import Table
from ...evaluate import Interval, metrics_of, paired
from ...models.registry import kind_named
from ..study.arms import ResolvedArm, resolve_arms
from ..study.results import Results, RunRecord
from ..study.series import series
from ..study.study import Data
from ..study.summary import ArmSummary, mean_of, number, summarise

_BIAS = "baseline/bias"

OTHERS = tuple(metric for metric in metrics_of("rating") if metric.name != "rmse")
"""The rating metrics other than the RMSE, which determines the order."""

Status = Either["measured", "published", "diverged", "not installed"]


@dataclass(frozen=True)
class Row:
    """A model on some data.

    Attributes:
        data: Name of the data.
        model: The arm's name, or the model's name in a publication.
        status: "measured" here, "published" by others, "diverged" (on one seed at least), or
            "not installed": it needs a library that is not there.
        seeds: Number of runs in the means; 0 if nothing was run.
        rmse: Held-out RMSE, over all held-out ratings; infinite if it diverged, None if unknown.
        interval: 95% Student-t interval of ``rmse`` over seeds: what retraining (and splitting
            again) changes; None with one run.
        people: 95% bootstrap interval over held-out users: the effect of other users.
        metrics: The other rating metrics on held-out ratings, by name, if known.
        gain: RMSE of the bias model on the same ratings minus ``rmse``, paired by seed.
        gain_interval: 95% Student-t interval over seeds of ``gain``.
        gain_people: 95% bootstrap interval of ``gain`` over held-out users, paired by user.
        by_bias: Share of the held-out ratings predicted by the bias model, as the model knows
            neither the user nor the item.
        known_rmse: RMSE on the others, which the model predicted itself.
        seconds: Wall time of training, all that ``fit`` does.
        threads: Threads that it had.
        parameters: Trained numbers.
        folds_in: Whether it predicts for new users without retraining.
        test_selected: Whether its epoch or settings were chosen by the test ratings; None if
            that is not declared, or if a part of the test ratings took part (``scored`` above 0).
        read: Share of the test ratings that the choice of its settings trained on; None if no
            choice is declared, or not how much it read.
        scored: Share of them that it was scored by.
        settings: Hash of the settings; "" if the runs have none.
        frozen: The day since which a preset has had these settings; "" for other settings.
        coverage: Share of the held-out ratings in the 50%, 80% and 95% intervals of predictions.
        source: The library, or the publication.
        year: Year of the publication.
        note: A note for the reader.
    """

    data: str
    model: str
    status: Status
    seeds: int = 0
    rmse: float | None = None
    interval: Interval | None = None
    people: Interval | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    gain: float | None = None
    gain_interval: Interval | None = None
    gain_people: Interval | None = None
    by_bias: float | None = None
    known_rmse: float | None = None
    seconds: float | None = None
    threads: int | None = None
    parameters: int | None = None
    folds_in: bool | None = None
    test_selected: bool | None = None
    read: float | None = None
    scored: float | None = None
    settings: str = ""
    frozen: str = ""
    coverage: tuple[float, ...] = ()
    source: str = ""
    year: int | None = None
    note: str = ""


@dataclass(frozen=True)
class BoardSection:
    """The rows of one data.

    Attributes:
        data: The name of the data in the study.
        train_ratings: Training ratings of one split; 0 if nothing was run.
        test_ratings: Ratings held out.
        rows: Measured and published rows by RMSE, then diverged and missing models.
        waiting: Names of the models that have not run on it yet.
    """

    data: Data
    train_ratings: int
    test_ratings: int
    rows: tuple[Row, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class Leaderboard:
    """A study's results as a leaderboard, and the data they were measured on.

    Attributes:
        title: The study's.
        quick: Whether it is the cut version.
        sections: By data, in the study's order.
        machine: Processors of the runs.
    """

    title: str
    quick: bool
    sections: tuple[BoardSection, ...]
    machine: tuple[str, ...]

    @property
    def rows(self) -> list[Row]:
        """All rows."""
        return [row for section in self.sections for row in section.rows]

    def table(self) -> Table:
        """Return the numbers in full, one row per data and model; NaN if missing.

        "folds_in" and "test_selected" are "yes", "no" or "".
        """
        return Table.of_rows([dict(_cells(row)) for row in self.rows], ("data", "model"))


def leaderboard(results: Results) -> Leaderboard:
    """Rank a study's models by data, with published results."""
    study = results.study
    arms = resolve_arms(study)
    summary = summarise(results)
    sections = []
    for data in study.data:
        known = {arm.arm: arm for arm in summary.arms if arm.data == data.name}
        arms_of_data = [arm for arm in arms if data.name in arm.data]
        rows = [
            _measured(results, known[arm.name], arm, data)
            for arm in arms_of_data
            if arm.name in known
        ]
        entries = (entry for entry in study.literature if data.name in entry.data)
        rows += [
            Row(data=data.name, status="published", **entry.model_dump(exclude={"data"}))
            for entry in entries
        ]
        rest = [arm for arm in arms_of_data if arm.name not in known]
        rows += [_absent(arm, data.name) for arm in rest if kind_named(arm.kind).missing]
        waiting = [_name(arm.name) for arm in rest if not kind_named(arm.kind).missing]
        ran = next((arm for arm in known.values() if arm.final), None)
        sections.append(
            BoardSection(
                data=data,
                train_ratings=_whole(ran, "train_ratings"),
                test_ratings=_whole(ran, "test_ratings"),
                rows=tuple(sorted(rows, key=_rank)),
                waiting=tuple(waiting),
            )
        )
    processors = {record.versions.get("processor", "") for record in results.runs.values()}
    return Leaderboard(
        study.title, study.cut is not None, tuple(sections), tuple(sorted(processors - {""}))
    )


def _measured(results: Results, arm: ArmSummary, declared: ResolvedArm, on: Data) -> Row:
    records = results.of(arm.arm, arm.data)
    finished = [record for record in records if record.status == "done"]
    by_seed = series(results, arm.arm, arm.data, "held_out")
    bias = series(results, _BIAS, arm.data, "held_out", beside=arm.arm)
    gain = paired(bias, by_seed)
    rmse = arm.rmse
    further = {metric.name: arm.final.get(metric.name) for metric in OTHERS}
    seconds = arm.final.get("fit_seconds") or arm.seconds
    folds = arm.final.get("folds_in")
    levels = [arm.final.get(f"coverage{level}") for level in (50, 80, 95)]
    finite = gain is not None and math.isfinite(gain.mean)
    return Row(
        data=arm.data,
        model=arm.name,
        status="diverged" if arm.diverged else "measured",
        seeds=len(arm.seeds),
        rmse=None if rmse is None else rmse.mean,
        interval=rmse.interval if rmse else None,
        people=arm.ratings_interval,
        metrics={name: each.mean for name, each in further.items() if each is not None},
        gain=gain.mean if gain and finite else None,
        gain_interval=gain.interval if gain else None,
        gain_people=_gain_people(arm),
        by_bias=_by_bias(arm),
        known_rmse=mean_of(arm.final.get("coverage.known_rmse")),
        seconds=mean_of(seconds),
        threads=int(_same(finished, "threads") or 0) or None,
        parameters=arm.parameters or None,
        folds_in=None if folds is None else folds.mean > 0.5,
        test_selected=_test_selected(declared, on),
        read=on.choice_read if declared.selection == "validation" else None,
        scored=on.choice_scored if declared.selection == "validation" else None,
        settings=_same(finished, "settings"),
        frozen=_same(finished, "frozen"),
        coverage=tuple(level.mean for level in levels if level is not None),
        source=_source(finished),
        note=f"{arm.diverged} of {len(records)} runs diverged" if arm.diverged else "",
    )


def _test_selected(arm: ResolvedArm, data: Data) -> bool | None:
    """Return whether an arm's settings were chosen by the test ratings, as the study declares."""
    match arm.selection:
        case "test":
            return True
        case "none":
            return False
        case "validation" if data.choice_read == data.choice_scored == 0.0:
            return False
    return None


def _gain_people(arm: ArmSummary) -> Interval | None:
    """Return the interval of the gain over held-out users, its ends averaged over seeds."""
    low, high = (mean_of(arm.final.get(f"bias_gain_{end}")) for end in ("low", "high"))
    return None if low is None or high is None else Interval(low, high)


def _by_bias(arm: ArmSummary) -> float | None:
    """Share of the held-out ratings that the bias model answered in the model's place."""
    answers_unknown = mean_of(arm.final.get("answers_unknown"))
    return 0.0 if answers_unknown else mean_of(arm.final.get("coverage.unknown_share"))


def _same(records: list[RunRecord], key: str) -> str:
    """Return the value that all runs share; "" otherwise."""
    values = {record.versions.get(key, "") for record in records}
    return values.pop() if len(values) == 1 else ""


def _absent(arm: ResolvedArm, data: str) -> Row:
    return Row(
        data=data,
        model=_name(arm.name),
        status="not installed",
        source=kind_named(arm.kind).distribution,
        note=f"not installed: {kind_named(arm.kind).missing}",
    )


def _name(arm: str) -> str:
    return arm.split("/", 1)[1]


def _rank(row: Row) -> tuple[bool, float, str]:
    unknown = row.rmse is None or not math.isfinite(row.rmse)
    return unknown, math.inf if unknown or row.rmse is None else row.rmse, row.model


def _source(records: list[RunRecord]) -> str:
    """Return the library that a model is from, with its version."""
    for record in records:
        kind = str(record.settings.get("model", ""))
        name = kind_named(kind).distribution
        return f"{name} {record.versions.get(name, '')}".strip()
    return ""


def _whole(arm: ArmSummary | None, key: str) -> int:
    known = arm.final.get(key) if arm else None
    return round(known.mean) if known else 0


def _cells(row: Row) -> Iterator[tuple[str, str | float]]:
    yield from (("data", row.data), ("model", row.model), ("status", row.status))
    yield from (("rmse", number(row.rmse)), *_ends("rmse", row.interval))
    yield from _ends("rmse_people", row.people)
    yield from (("known_rmse", number(row.known_rmse)), ("by_bias", number(row.by_bias)))
    yield from ((metric.name, number(row.metrics.get(metric.name))) for metric in OTHERS)
    yield from (("gain_over_bias", number(row.gain)), *_ends("gain_over_bias", row.gain_interval))
    yield from _ends("gain_over_bias_people", row.gain_people)
    yield from (("seconds", number(row.seconds)), ("threads", number(row.threads)))
    yield from (("parameters", number(row.parameters)), ("seeds", float(row.seeds)))
    yield "folds_in", yes_or_no(row.folds_in)
    yield "test_selected", yes_or_no(row.test_selected)
    yield from (("test_read", number(row.read)), ("test_scored", number(row.scored)))
    yield from (("settings", row.settings), ("frozen", row.frozen))
    for at, level in enumerate((50, 80, 95)):
        yield f"coverage{level}", row.coverage[at] if len(row.coverage) == 3 else math.nan
    yield from (("source", row.source), ("year", number(row.year)), ("note", row.note))


def _ends(name: str, interval: Interval | None) -> Iterator[tuple[str, float]]:
    yield f"{name}_low", number(interval and interval.low)
    yield f"{name}_high", number(interval and interval.high)


def yes_or_no(value: bool | None) -> str:
    """Return "yes", "no", or "" if unknown."""
    return "" if value is None else "yes" if value else "no"
