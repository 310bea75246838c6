"""The result of a sweep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...base.atomic import write_text
from ...config import to_toml
from ...data import Table
from ...errors import UsageError
from .space import SearchSpace

if TYPE_CHECKING:
    from ...evaluate import Gain
    from ...models import Settings

Stopped = Literal["budget", "trials", "exhausted"]


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Attributes:
        number: Number from 0, the initial settings of the search.
        state: "complete"; "pruned", for it was behind the others at the same point; or "failed",
            for it diverged or the values do not go together.
        rmse: Validation RMSE of the final model; None unless complete.
        values: The value of each dimension of the space.
        epochs: Epochs run.
        seconds: Wall time.
        reason: Why it failed, or "".
        settings: All of its settings.
    """

    number: int
    state: Literal["complete", "pruned", "failed"]
    rmse: float | None
    values: Mapping[str, Any]
    epochs: int
    seconds: float
    reason: str
    settings: Settings

    def as_record(self) -> dict[str, Any]:
        """Return plain values for JSON, without the settings, which follow from the values."""
        record = {name: value for name, value in vars(self).items() if name != "settings"}
        return {**record, "values": dict(self.values)}


def best_of(trials: list[Trial] | tuple[Trial, ...]) -> Trial | None:
    """Return the complete trial with the lowest validation RMSE (the first of ties), or None.

    The settings that the search started from are the first trial, so only a better one replaces
    them.
    """
    complete = [trial for trial in trials if trial.rmse is not None]
    return min(complete, key=lambda trial: trial.rmse or 0.0, default=None)


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep, with its gain on fresh ratings.

    Attributes:
        dataset: Name of the ratings.
        preset: What the search started from.
        start: Settings of the start.
        space: What was varied.
        trials: Every setting tried, the start first.
        best: The one with the lowest RMSE on the validation ratings.
        stopped: Reason for the end: the budget, the number of trials, or that nothing new is
            left in the space.
        seconds: Wall time of all trials.
        sizes: Ratings by part: "train" (of every trial), "validation" (trials were compared
            on), "fresh" and "test" (0 if there is none).
        fresh: The start against the best on ratings that the search never used; None if the
            best is the start, or the start could not be trained.
        test: Likewise on the test ratings, if any, trained on all others.
        importances: Importance for the RMSE by dimension; empty for few trials.
    """

    dataset: str
    preset: str
    start: Settings
    space: SearchSpace
    trials: tuple[Trial, ...]
    best: Trial
    stopped: Stopped
    seconds: float
    sizes: dict[str, int]
    fresh: Gain | None
    test: Gain | None
    importances: dict[str, float]

    @property
    def settings(self) -> Settings:
        """The best settings, with a line on their origin."""
        return described(self.best, self.start_rmse, self.dataset, self.preset, self.worth)

    @property
    def start_rmse(self) -> float | None:
        """Validation RMSE of the settings that the search started from."""
        return self.trials[0].rmse

    @property
    def worth(self) -> str:
        """One sentence: the gain of the search on ratings that it did not use."""
        if self.best.number == 0:
            return f"nothing tried was better than {self.preset} on the validation ratings"
        if self.fresh is None:
            return f"{self.preset} could not be trained on these ratings, so there is no gain"
        gain, bounds = self.fresh.gain, self.fresh.interval
        size = f"{abs(gain):.4f} {'lower' if gain >= 0 else 'higher'} than that of {self.preset}"
        if bounds is None:
            return f"its RMSE on fresh ratings is {size}"
        text = (
            f"its RMSE on fresh ratings is {size} (95% interval of the gain: {bounds.low:.4f} to "
            f"{bounds.high:.4f})"
        )
        if bounds.low > 0:
            return text
        if bounds.high < 0:
            return f"{text}: it is worse, and {self.preset} is the better choice"
        return f"{text}: the interval includes 0, so the gain may be none"

    def save(self, path: Path | str) -> Path:
        """Write the best settings as a preset file, for ``--preset FILE`` and ``preset=FILE``.

        Raises:
            UsageError: The name does not end in .toml.
            MatineeError: The place cannot be written to.
        """
        return write_preset(path, self.settings)

    def table(self) -> Table:
        """One row a trial: number, state, rmse (NaN if none), epochs, seconds, and every value."""
        trials = self.trials
        columns: dict[str, Any] = {
            "trial": np.array([t.number for t in trials], dtype=np.int64),
            "state": np.array([t.state for t in trials], dtype=object),
            "rmse": np.array([np.nan if t.rmse is None else t.rmse for t in trials]),
            "epochs": np.array([t.epochs for t in trials], dtype=np.int64),
            "seconds": np.array([t.seconds for t in trials]),
        }
        for key in self.space.dimensions:
            values = [t.values[key] for t in trials]
            if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
                columns[key] = np.array(values)
            else:
                texts = [v if isinstance(v, str) else json.dumps(v) for v in values]
                columns[key] = np.array(texts, dtype=object)
        columns["reason"] = np.array([t.reason for t in trials], dtype=object)
        return Table(columns)

    def write_trials(self, path: Path | str) -> Path:
        """Write ``table`` as .csv, .tsv or .parquet, or everything as .json.

        Raises:
            UsageError: The name ends in none of these.
            MatineeError: The place cannot be written to.
        """
        target = Path(path).expanduser()
        check_table_name(target)
        if target.suffix.lower() != ".json":
            return self.table().write(target)
        write_text(target, json.dumps(self.as_dict(), indent=2) + "\n")
        return target

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "dataset": self.dataset,
            "preset": self.preset,
            "stopped": self.stopped,
            "seconds": self.seconds,
            "sizes": self.sizes,
            "space": self.space.model_dump(mode="json")["dimensions"],
            "trials": [trial.as_record() for trial in self.trials],
            "best": {**self.best.as_record(), "settings": self.settings.model_dump(mode="json")},
            "start_rmse": self.start_rmse,
            "fresh": self.fresh and _gain(self.fresh),
            "test": self.test and _gain(self.test),
            "worth": self.worth,
            "importances": self.importances,
        }


def described(
    best: Trial, start_rmse: float | None, dataset: str, preset: str, worth: str
) -> Settings:
    """Return the settings of a trial, with a line on their origin."""
    beside = "" if start_rmse is None else f" ({preset}: {start_rmse:.4f})"
    text = (
        f"Found by matinee sweep on {dataset}: trial {best.number}, validation RMSE "
        f"{best.rmse:.4f}{beside}; {worth}."
    )
    return best.settings.replace({"description": text}, "sweep")


def write_preset(path: Path | str, settings: Settings) -> Path:
    """Write settings as a preset file, atomically; see ``Sweep.save``."""
    target = check_preset_name(path)
    write_text(target, to_toml(settings) + "\n")
    return target


def check_table_name(path: Path) -> None:
    """Refuse file names that ``Sweep.write_trials`` would refuse."""
    if path.suffix.lower() not in (".csv", ".tsv", ".parquet", ".json"):
        raise UsageError(f"{path}: name it .csv, .tsv, .parquet or .json")


def check_preset_name(path: Path | str) -> Path:
    """Return the path of a preset file; its suffix distinguishes it from a preset's name."""
    if not str(path).endswith(".toml"):
        raise UsageError(f"{path}: the name of a preset file ends in .toml")
    return Path(path)


def _gain(gain: Gain) -> dict[str, Any]:
    values = asdict(gain)
    values["interval"] = gain.interval and {"low": gain.interval.low, "high": gain.interval.high}
    return values
