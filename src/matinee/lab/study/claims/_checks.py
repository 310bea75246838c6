"""A claim's checks as questions to the records."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt

from ....base.arrays import Float64
from ....evaluate import Answer, Interval, Mean, Question, argmin_slope, pairs
from ..figures import Figure
from ..results import BASELINES, Results, RunRecord
from ..series import When, by_epoch, data_of, expand, label, same_runs, series
from ..study import Check
from . import _facts

_FALLING: tuple[Figure, ...] = ("batch_mean", "training", "reference")


@dataclass(frozen=True, eq=False)
class CheckQuestion:
    """A question, and a function that describes its answer."""

    figure: Figure
    question: Question
    sentence: Callable[[Answer], str]


@dataclass(frozen=True, eq=False)
class CheckQuestions:
    """A check as questions.

    Attributes:
        questions: The questions that the records can answer.
        absent: Arms (or data) that the check also needs, whose figure is missing.
    """

    questions: tuple[CheckQuestion, ...]
    absent: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether all parts of the check can be decided."""
        return bool(self.questions) and not self.absent


def questions_of(results: Results, check: Check, figure: Figure, when: When) -> CheckQuestions:
    """Turn a check into questions.

    Figures other than "held_out" are always taken at the last epoch.
    """
    by = check.figure or figure
    at: When = when if by == "held_out" else "last"
    ask = {
        "better": _better,
        "best": _better,
        "near": _near,
        "overfits": _overfits,
        "trend": _trend,
        "order": _order,
    }[check.kind]
    outcomes = list(ask(results, check, by, at))
    questions = tuple(each for each in outcomes if isinstance(each, CheckQuestion))
    absent = dict.fromkeys(each for each in outcomes if isinstance(each, str))
    return CheckQuestions(questions, tuple(absent))


_Questions = Iterator[CheckQuestion | str]


def _better(results: Results, check: Check, figure: Figure, when: When) -> _Questions:
    arms = expand(results, check.arms)
    rivals = expand(results, check.than, without=arms)
    yield from (e for e in (*check.arms, *check.than) if not expand(results, [e]))
    for arm, other in product(arms, rivals):
        yield from _pair(results, check, figure, when, arm, other)


def _order(results: Results, check: Check, figure: Figure, when: When) -> _Questions:
    yield from (e for entry in check.arms for e in entry.split("|") if not expand(results, [e]))
    ranks = [expand(results, entry.split("|")) for entry in check.arms]
    for lower, upper in pairwise(ranks):
        for arm, other in product(lower, upper):
            yield from _pair(results, check, figure, when, arm, other)


def _pair(
    results: Results, check: Check, figure: Figure, when: When, arm: str, other: str
) -> _Questions:
    if same_runs(results, arm, other, check.data):
        # Two names of one run: do not compare an arm with itself.
        return
    first_series = series(results, arm, check.data, figure, when, beside=other)
    rival = series(results, other, check.data, figure, when, beside=arm)
    if not first_series.keys() & rival.keys():
        yield from _lacking((arm, first_series), (other, rival))
        return
    yield CheckQuestion(
        figure,
        Mean(pairs(rival, first_series), Interval(check.by, math.inf)),
        partial(_facts.better, check, figure, arm, other),
    )


def _lacking(*known: tuple[str, dict[int, float]]) -> Iterator[str]:
    """Yield the arms of two that lack the figure; both, if they have no common seed."""
    empty = [arm for arm, values in known if not values]
    real = [arm for arm in empty if arm not in BASELINES or len(empty) == 1]
    yield from real or [arm for arm, _ in known]


def _near(results: Results, check: Check, figure: Figure, when: When) -> _Questions:
    value = check.value or 0.0
    yield from (entry for entry in check.arms if not expand(results, [entry]))
    for arm in expand(results, check.arms):
        known = series(results, arm, check.data, figure, when)
        if not known:
            yield arm
            continue
        yield CheckQuestion(
            figure,
            Mean(
                np.array([known[seed] for seed in sorted(known)]),
                Interval(value - check.within, value + check.within),
            ),
            partial(_facts.near, check, figure, arm),
        )


def _overfits(results: Results, check: Check, figure: Figure, when: When) -> _Questions:
    yield from (entry for entry in check.arms if not expand(results, [entry]))
    for arm in expand(results, check.arms):
        records = [r for r in results.by_seed(arm, check.data).values() if r.status == "done"]
        curves = by_epoch(records, figure)[1]
        if not curves.size:
            yield arm
            continue
        best = _best_epochs(curves)
        rows = np.arange(len(curves))
        yield CheckQuestion(
            figure,
            Mean(curves[:, -1] - curves[rows, best], Interval(check.by, math.inf)),
            partial(_facts.rise, check, figure, arm),
        )
        falling = _falling(records, figure, curves.shape)
        if falling is None:
            yield f"training figures of {label(arm)}"
            continue
        yield CheckQuestion(
            falling[0],
            Mean(falling[1][rows, best] - falling[1][:, -1], Interval(0.0, math.inf)),
            partial(_facts.fall, falling[0], arm),
        )


def _falling(
    records: list[RunRecord], figure: Figure, shape: tuple[int, ...]
) -> tuple[Figure, Float64] | None:
    """A training figure other than the one judged, that must still fall while that one rises."""
    for name in _FALLING:
        curves = by_epoch(records, name)[1]
        if name != figure and curves.shape == shape:
            return name, curves
    return None


def _best_epochs(curves: Float64) -> npt.NDArray[np.int64]:
    """Return each run's best epoch by the mean of the other runs; of a single run, by its own.

    A run's minimum is below its last epoch by chance alone; another run's epoch is not.
    """
    n = len(curves)
    left_out_mean = curves if n == 1 else (curves.sum(axis=0) - curves) / (n - 1)
    return left_out_mean.argmin(axis=1)


def _trend(results: Results, check: Check, figure: Figure, when: When) -> _Questions:
    yield from (entry for entry in check.arms if not expand(results, [entry]))
    arms = expand(results, check.arms)
    names = [n for n in data_of(results.study, arms) if fnmatchcase(n, check.data or "*")]
    figures, positions, sizes = [], [], []
    ranks = dict(zip(arms, _positions(arms), strict=True))
    for data in names:
        known = {arm: series(results, arm, data, figure, when) for arm in arms}
        known = {arm: values for arm, values in known.items() if values}
        seeds = set.intersection(*(set(v) for v in known.values())) if known else set()
        table = np.array([[known[arm][seed] for seed in sorted(seeds)] for arm in known])
        size = _size(results, arms, data)
        if not seeds or size is None or not np.isfinite(table.mean(axis=1)).any():
            yield data
            continue
        figures.append(table)
        positions.append(np.array([ranks[arm] for arm in known]))
        sizes.append(math.log10(size))
    if len(set(sizes)) < 2:
        if len(sizes) == len(names):  # no data is missing: there is only one size
            yield from check.arms
        return
    yield CheckQuestion(
        figure,
        argmin_slope(
            figures,
            positions,
            np.array(sizes),
            Interval(check.by, math.inf),
            np.random.default_rng(0),
        ),
        partial(_facts.slope, check, figure, _varied(results, check.arms)),
    )


def _size(results: Results, arms: Iterable[str], data: str) -> float | None:
    """Training ratings of some data, as the runs on it counted them."""
    counts = [
        record.final["train_ratings"]
        for arm in arms
        for record in results.by_seed(arm, data).values()
        if "train_ratings" in record.final
    ]
    return float(np.mean(counts)) if counts else None


def _positions(arms: list[str]) -> list[float]:
    """Return positions of arms in a trend: the number at the start of the name, or the rank."""
    numbers = [re.match(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", arm.partition("/")[2]) for arm in arms]
    if all(numbers):
        return [float(match[0]) for match in numbers if match]
    return [float(rank) for rank in range(1, len(arms) + 1)]


def _varied(results: Results, entries: tuple[str, ...]) -> str:
    """Return how the arms of a trend differ: the setting varied by the group, else its name."""
    name = entries[0].partition("/")[0]
    keys = {group.name: group.key for group in results.study.groups}
    return (keys.get(name) or name).rpartition(".")[2].replace("_", " ")
