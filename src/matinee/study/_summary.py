"""What a study's runs come to: means with intervals, by arm and data."""

from __future__ import annotations

from dataclasses import dataclass

from ..evaluate._bootstrap import Interval
from ..evaluate._seeds import Difference, Estimate
from ._study import Figure, Published, Study


@dataclass(frozen=True)
class Curve:
    """A figure by epoch: the mean over the runs that did not diverge, with 95% intervals.

    Attributes:
        epochs: Epoch numbers that all of these runs have.
        mean: One per epoch.
        low: Lower end of the Student-t interval; empty with one seed.
        high: Upper end, likewise.
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
        best: Held-out RMSE at each run's best epoch: chosen by looking, so never an honest score.
        best_epoch: Mean of those epochs.
        rmse: Held-out RMSE of the model that is kept: the honest figure.
        ratings_interval: 95% bootstrap interval of that RMSE over held-out users, ends averaged
            over seeds: what another draw of test users would change.
        final: Every other figure of the kept model, by its name in the record.
        difference: Held-out RMSE at the last epoch less that of the base arm, paired by seed; its
            p values are corrected over the arms on the same data. None for the base arm itself.
        best_difference: The same at each run's best epoch: chosen by looking.
        parameters: Trained numbers.
        seconds: Training time of a run.
        peak_mib: Largest peak memory of a run.
        published: What the literature says of the arm.
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
    best_difference: Difference | None
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
        quick: Whether it is the cut version.
        base: The arm that differences are against, or "".
        finished: Runs that are done or failed.
        expected: Runs that the study has.
        arms: In the study's order of groups and arms, then of data.
    """

    study: Study
    quick: bool
    base: str
    finished: int
    expected: int
    arms: tuple[ArmSummary, ...]

    def of(self, arm: str, data: str = "") -> ArmSummary | None:
        """An arm's summary; data defaults to the study's first."""
        name = data or self.study.data[0].name
        return next((a for a in self.arms if a.arm == arm and a.data == name), None)

    def group(self, name: str, data: str = "") -> list[ArmSummary]:
        """The arms of a group, in order; data defaults to the study's first."""
        where = data or self.study.data[0].name
        return [a for a in self.arms if a.group == name and a.data == where]
