"""Presets beside the bias model on data of several sizes, rating scales and densities.

    python benchmarks/varied_data.py [NAME ...] [--presets default] [--seeds 0,1,2]
        [--before PYTHON]

Each data set is split 80/20 at random by each seed, and every model is trained on the same 80%.
``--before`` is the interpreter of another checkout's environment, whose models are trained on the
same files. Printed are the mean RMSE over the seeds of the bias model and of each model, and the
mean differences with their standard errors, paired by seed. ``MATINEE_DATA`` must hold ml-1m,
ml-100k and ml-latest-small. Some fifteen minutes for a preset on one thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import matinee
from matinee.data import Ratings
from matinee.synth import synthesize

CODE = """
import json, sys
import matinee

preset, train, test, seed = json.loads(sys.argv[1])
if preset == "bias":
    model = matinee.Bias().fit(matinee.load(train))
else:
    model = matinee.model(preset).fit(matinee.load(train), seed=seed)
print(model.evaluate(matinee.load(test)).rmse)
"""


def thinned(name: str, ratings: int, seed: int) -> Ratings:
    data = matinee.load(name)
    return data.take(np.random.default_rng(seed).random(len(data)) < ratings / len(data)).compact()


def people(name: str, users: int) -> Ratings:
    data = matinee.load(name)
    some = np.random.default_rng(0).permutation(data.n_users)[:users]
    return data.take(np.isin(data.users, some)).compact()


DATA: dict[str, Callable[[], Ratings]] = {
    "latest-small, 5,000": lambda: thinned("ml-latest-small", 5_000, 0),
    "ml-100k, 5,000": lambda: thinned("ml-100k", 5_000, 0),
    "ml-100k, 20,000": lambda: thinned("ml-100k", 20_000, 0),
    "ml-100k, 60 users": lambda: people("ml-100k", 60),
    "latest-small, 10,000": lambda: thinned("ml-latest-small", 10_000, 0),
    "ml-100k": lambda: matinee.load("ml-100k"),
    "ml-100k, times 2": lambda: matinee.load("ml-100k").multiplied(2.0),
    "ml-100k, times 20": lambda: matinee.load("ml-100k").multiplied(20.0),
    "latest-small": lambda: matinee.load("ml-latest-small"),
    "ML-1M, 360,000": lambda: thinned("ml-1m", 360_000, 0),
    "ML-1M, 10 a user": lambda: thinned("ml-1m", 60_400, 0),
    "synthetic, 1 to 100": lambda: (
        synthesize(1_500, 1_200, 90_000, seed=1, low=1, high=100).ratings
    ),
    "synthetic, -10 to 10": lambda: (
        synthesize(4_000, 140, 250_000, seed=2, low=-10, high=10, step=0.5, skew=0.2).ratings
    ),
    "synthetic, sparse": lambda: synthesize(7_830, 5_585, 40_000, seed=3, taste=1.5).ratings,
}


def write(ratings: Ratings, path: Path) -> None:
    """Write ratings as CSV, with the header that Matinee reads."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user_id", "item_id", "rating"])
        users, items = ratings.user_ids.ids, ratings.item_ids.ids
        for user, item, value in zip(ratings.users, ratings.items, ratings.values, strict=True):
            writer.writerow([users[user], items[item], f"{value:g}"])


def rmse(python: str, preset: str, folder: Path, seed: int) -> float:
    """The test RMSE of a preset, trained by an interpreter."""
    asked = json.dumps([preset, str(folder / "train.csv"), str(folder / "test.csv"), seed])
    done = subprocess.run(
        [python, "-c", CODE, asked], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout.split()[-1])


def difference(values: list[float], others: list[float]) -> str:
    """The mean difference of paired values, and its standard error."""
    apart = np.subtract(values, others)
    error = f" ± {apart.std(ddof=1) / np.sqrt(len(apart)):.4f}" if len(apart) > 1 else ""
    return f"{apart.mean():+.4f}{error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of " + "; ".join(DATA))
    parser.add_argument("--presets", default="default")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--before", help="the interpreter of another checkout")
    options = parser.parse_args()
    models = {"bias": (sys.executable, "bias")}
    pairs = []
    for preset in options.presets.split(","):
        models[preset] = sys.executable, preset
        pairs.append((preset, "bias"))
        if options.before:
            models[f"{preset} before"] = options.before, preset
            pairs.append((preset, f"{preset} before"))
    columns = ["data", "ratings by users of items", *models, *map(" - ".join, pairs)]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    for name in options.names or DATA:
        ratings, scores = DATA[name](), {model: [] for model in models}  # type: ignore[var-annotated]
        for seed in map(int, options.seeds.split(",")):
            train, test = matinee.split(ratings, holdout=0.2, seed=seed)
            with tempfile.TemporaryDirectory() as folder:
                write(train, Path(folder) / "train.csv")
                write(test, Path(folder) / "test.csv")
                for model, (python, preset) in models.items():
                    scores[model].append(rmse(python, preset, Path(folder), seed))
        cells = [
            name,
            f"{len(ratings):,} by {ratings.n_users:,} of {ratings.n_items:,}",
            *(f"{np.mean(each):.4f}" for each in scores.values()),
            *(difference(scores[model], scores[other]) for model, other in pairs),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
