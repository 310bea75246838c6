"""The closed form on ML-1M strong, its settings chosen by the validation people.

    python benchmarks/closed_form.py ML_1M_FOLDER [--splits 0,1,2]

The protocol is "strong" of benchmarks/lists_networks.py, whose people are those of split 0; another
split draws other people. A setting is changed at a time, from ``FIRST``, while the mean nDCG@100 of
the validation people rises; the model is not fitted anew with them. The test people are scored
once, with the settings found, beside EASE with its L2 penalty of 500.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from lists_networks import Task, score, strong
from matinee.data import Histories
from matinee.recommend.interest.scorers.linear import Linear
from matinee.train.linear import LinearConfig, solve

K = 100
FIRST = {"user_power": 0.5, "denoising": 0.6, "penalty": 2.5}
TRIED = {
    "user_power": (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "denoising": (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8),
    "penalty": (0.8, 1.5, 2.5, 4.0, 7.0),
}
"""The penalty is in units of the mean number of interactions of an item."""
SCALES: tuple[dict[str, float], ...] = (
    *({"diagonal_power": power} for power in (0.7, 0.75, 0.8, 0.85, 0.9, 1.0)),
    *({"relax": relax} for relax in (0.2, 0.4)),
)


class Scaled:
    """A solved system with a scale of each item."""

    def __init__(self, raw: Linear, scale: npt.NDArray[np.float32]) -> None:
        self.raw, self.scale = raw, scale

    def scores(self, histories: Histories) -> npt.NDArray[np.float32]:
        """See ``Interest``."""
        return self.raw.scores(histories) * self.scale


def config_of(task: Task, values: dict[str, float]) -> LinearConfig:
    mean = len(task.train.indices) / task.train.n_columns
    return LinearConfig.make({**values, "penalty": values["penalty"] * mean})


def best_scale(task: Task, values: dict[str, float]) -> tuple[float, dict[str, float]]:
    """The best scale of a solved system's items: nDCG and all settings."""
    config = config_of(task, values)
    solved = solve(task.train, config)
    counts = np.ones(task.train.n_columns, dtype=np.float32)
    scales = [solved.scale(config.replace(each)).astype(np.float32) for each in SCALES]
    raw = Linear(counts, solved.weights())
    found = [float(score(Scaled(raw, each), task, K)[:, 0].mean()) for each in scales]  # type: ignore[arg-type]
    at = int(np.argmax(found))
    return found[at], {**values, **SCALES[at]}


def search(task: Task) -> tuple[float, dict[str, float]]:
    """The settings with the best lists of the people of a task."""
    best, known = best_scale(task, FIRST), {tuple(FIRST.values())}
    while True:
        before = best
        for name, options in TRIED.items():
            for option in options:
                values = {each: best[1][each] for each in FIRST} | {name: option}
                near = abs(options.index(option) - options.index(best[1][name])) <= 1
                if near and tuple(values.values()) not in known:
                    known.add(tuple(values.values()))
                    best = max(best, best_scale(task, values), key=lambda each: each[0])
        if best == before:
            return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--splits", default="0,1,2")
    args = parser.parse_args()
    for split in map(int, args.splits.split(",")):
        started = time.perf_counter()
        chosen, values = search(strong(args.data, True, split))
        seconds = time.perf_counter() - started
        task = strong(args.data, False, split)
        results: list[Any] = [
            score(Linear.fitted(task.train, config), task, K)[:, 0]
            for config in (config_of(task, values), LinearConfig())
        ]
        gain = results[0] - results[1]
        print(
            f"split {split}: {values}, validation {chosen:.4f}, test {results[0].mean():.4f}; "
            f"EASE {results[1].mean():.4f}, gain {gain.mean():+.4f} ± "
            f"{gain.std() / np.sqrt(len(gain)):.4f}; {seconds:.0f} s of search",
            flush=True,
        )


if __name__ == "__main__":
    main()
