"""Records of a study's runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .study import Study

BASELINES = {
    "baseline/bias": ("bias_rmse", "the bias baseline"),
    "baseline/user_mean": ("user_mean_rmse", "the user mean"),
    "baseline/global_mean": ("global_mean_rmse", "the global mean"),
}
"""Names of simple models on the same held-out ratings: key in a record's ``final``,
and its name in text."""


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of a run.

    Attributes:
        epoch: Number, from 1.
        seconds: Wall time of its steps.
        figures: By figure ("held_out", ...; see ``Figure``); one that is not computed is absent.
            Also, depending on the settings: "penalty" (the L2 part of the
            loss), "reference_penalised" (the reference's figure with it), and with
            "single_row_statistics" "single_row" (the reference's figure, batch norm evaluated with
            statistics of one row) and "single_row_held_out".
    """

    epoch: int
    seconds: float
    figures: dict[str, float]


@dataclass(frozen=True)
class RunRecord:
    """One finished run: a setting, on some data, with one seed.

    Attributes:
        key: Hash of all that decides the result; arms that coincide share the run.
        settings: The whole configuration, plain.
        data: Name of the data.
        seed: The seed.
        status: "done", or "failed" (diverged; see ``error``).
        error: Message of the failure, or "".
        epochs: Records of the epochs; empty for models that have none.
        final: Figures of the model that is kept: "rmse", "mae", "mean_user_rmse" (mean over users
            of each one's RMSE), "rmse_low", "rmse_high" (95% bootstrap over the held-out users); of
            the baselines "bias_rmse", "item_mean_rmse", "user_mean_rmse", "global_mean_rmse";
            "bias_gain_low", "bias_gain_high" (95% bootstrap over the held-out users of the bias
            model's RMSE minus the model's, paired); "fit_seconds" (wall time of all of ``fit``,
            figures of epochs included; for another library its own), "folds_in" (1 if the model
            answers for new people, else 0),
            "answers_unknown" (1 if it predicts unknown users and items itself),
            "best_epoch", "train_ratings", "test_ratings", "train_users", "train_items",
            "noise_floor" (synthetic data); and of ``Study.extra`` "protocol.NAME" by the names of
            ``evaluate.PROTOCOLS``, "single_row_statistics.training_user_mean" and ".held_out",
            "coverage.unknown_share", ".known_rmse", ".unknown_rmse", "coverage50", "coverage80"
            and "coverage95" (share of the ratings within such intervals), "update.rmse" (of
            prequential evaluation), "update.gain" (how much lower that is than "rmse"),
            "update.gain_low" and "update.gain_high" (its 95% interval).
        parameters: Trained numbers.
        peak_mib: Peak memory of the run's process.
        seconds: Wall time of training.
        total_seconds: Wall time of all of the run.
        versions: Versions of the package, Python and the libraries; processor and threads;
            "settings", the hash of the settings, and "frozen", the day since which a preset has had
            them.
    """

    key: str
    settings: dict[str, Any]
    data: str
    seed: int
    status: str
    error: str
    epochs: tuple[EpochRecord, ...]
    final: dict[str, float]
    parameters: int
    peak_mib: float
    seconds: float
    total_seconds: float
    versions: dict[str, str] = field(default_factory=dict)

    def last(self, figure: str) -> float | None:
        """Return a figure at the last epoch, or None."""
        return self.epochs[-1].figures.get(figure) if self.epochs else None

    def best(self, figure: str) -> tuple[int, float] | None:
        """Lowest value of a figure, and its epoch: test-selected, and therefore optimistic."""
        known = [(e.figures[figure], e.epoch) for e in self.epochs if figure in e.figures]
        if not known:
            return None
        value, epoch = min(known)
        return epoch, value


@dataclass(frozen=True)
class Results:
    """The contents of a study's folder.

    Attributes:
        study: The study (cut, if the runs were a quick version).
        runs: Records by (arm as GROUP/ARM, data name, seed); arms that coincide share a record.
        expected: Runs that the study has, finished or not.
    """

    study: Study
    runs: dict[tuple[str, str, int], RunRecord]
    expected: int

    def by_seed(self, arm: str, data: str = "") -> dict[int, RunRecord]:
        """Return the finished runs of an arm, by ascending seed; by default on the first data."""
        name = data or self.study.data[0].name
        runs = {k[2]: r for k, r in self.runs.items() if k[0] == arm and k[1] == name}
        return {seed: runs[seed] for seed in sorted(runs)}

    def of(self, arm: str, data: str = "") -> list[RunRecord]:
        """Return the records of ``by_seed``."""
        return list(self.by_seed(arm, data).values())
