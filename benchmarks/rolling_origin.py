"""How well the future of people who came back is predicted, by models and settings of ``default``.

    python benchmarks/rolling_origin.py [--source ml-1m] [--only NAME ...] [--last]

Of the ratings in order of time the last fifth is set aside, unread: it holds the test part of the
leaderboard's split by time. Before it, from half of all ratings on, every twentieth is predicted
from all before it; ratings by people with none before are left out (the bias model answers these,
whatever the model). With --last, the last tenth of each person's ratings is predicted instead,
once, within the same four fifths. One seed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

import matinee
from matinee.data import Ratings

SPARE = 0.2
ORIGINS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75)
STEP = 0.05
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "bias": ("", {}),
    "biased-mf": ("biased-mf", {}),
    "default": ("default", {}),
    "default, not centred": ("default", {"center_output": False}),
    "default, decay 2": ("default", {"weight_decay": 2.0}),
    "default, 300 wide": ("default", {"hidden": (300,)}),
    "default, center mean": ("default", {"center": "mean"}),
}


def origin(ratings: Ratings, start: float) -> tuple[Ratings, Ratings]:
    """All before a moment, and what follows of people who were there, as shares of the whole."""
    end = min(start + STEP, 1 - SPARE)
    upto, _ = matinee.split(ratings, holdout=1 - end, by="time")
    train, held = matinee.split(upto, holdout=1 - start / end, by="time")
    return train, held.take(np.bincount(train.users, minlength=train.n_users)[held.users] > 0)


def splits(ratings: Ratings, origins: Iterable[float]) -> Iterator[tuple[str, Ratings, Ratings]]:
    """A tenth of the first four fifths at random, then ``origin`` of each: name, training, held."""
    before, _ = matinee.split(ratings, holdout=SPARE, by="time")
    yield "a random tenth", *matinee.split(before, holdout=0.1, seed=8)
    for start in origins:
        yield f"from {start:g} by time", *origin(ratings, start)


def rms(error: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(error))))


def line(row: Mapping[str, Any]) -> str:
    """A row of results, as it is printed."""
    return "  ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())


def main() -> None:
    """Fit every model at every origin, and print its errors together."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", default="ml-1m")
    parser.add_argument("--only", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--last", action="store_true", help="each person's own last tenth")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    ratings = matinee.load(args.source)
    if args.last:
        before, _ = matinee.split(ratings, holdout=SPARE, by="time")
        parts = [matinee.split(before, holdout=0.1, by="last")]
    else:
        parts = [origin(ratings, start) for start in ORIGINS]
    if not args.json:
        print(f"{sum(len(held) for _, held in parts):,} ratings of people who are known")
    rows = []
    for name in args.only:
        preset, changes = MODELS[name]
        errors, counts = [], []
        for train, held in parts:
            model = matinee.model(preset, device="cpu", **changes) if preset else matinee.Bias()
            model.fit(train, seed=0)
            predicted = model.predict(held.user_ids.ids[held.users], held.item_ids.ids[held.items])
            errors.append(predicted - held.values)
            counts.append(np.bincount(train.users, minlength=train.n_users)[held.users])
        error, count = np.concatenate(errors), np.concatenate(counts)
        groups = {"all": count > 0, "up to 200 ratings": count <= 200, "more": count > 200}
        row = {f"RMSE, {label}": rms(error[some]) for label, some in groups.items()}
        row["mean error"] = float(error.mean())
        rows.append({"model": name, **row})
        if not args.json:
            print(f"{name:22} {line(row)}", flush=True)
    if args.json:
        print(json.dumps({"source": args.source, "rows": rows}))


if __name__ == "__main__":
    main()
