"""Batch sizes and learning rates for the study deeprec, scored on ratings that it leaves unused.

    python benchmarks/deeprec_rates.py [--epochs 30] [--seed 0] [--json]

MovieLens-1M split by time as in the study: training, the tenth of the ratings that follows, and the
last tenth, which is not read. Scored is the middle one, where training knows the user and the item.
The rate is halved three times, at the same shares of the epochs as in the study.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import matinee
from matinee.data import split_three
from matinee.errors import TrainingError
from matinee.models import preset

PLAIN = {"hidden": [128] * 3, "code_dropout": 0.0, "refeed": "off"}
"""The network of E1: four weight layers of 128."""
BATCHES = ((128, 0.001), (128, 0.005), (128, 0.02), (32, 0.001), (32, 0.005), (32, 0.01))
FED = (("off", 0.01), ("off", 0.025), ("off", 0.05), ("dense", 0.01), ("dense", 0.025))
FED += (("dense", 0.05), ("sampled", 0.01))
CUTS = (0.4, 0.6, 0.8)


def rows() -> list[tuple[str, dict[str, Any]]]:
    """What is tried, by name."""
    plain = [
        (f"4 layers of 128, batch {b}, rate {r:g}", {**PLAIN, "batch_size": b, "learning_rate": r})
        for b, r in BATCHES
    ]
    fed = [
        (
            f"deeprec-3m, batch 32, rate {rate:g}, re-feeding {kind}",
            {"batch_size": 32, "learning_rate": rate, "refeed": kind},
        )
        for kind, rate in FED
    ]
    return [*plain, *fed]


def main() -> None:
    """Train and score each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, middle, _ = split_three(matinee.load("ml-1m"), 0.1, 0.1, 0, "time")
    shared = {
        "epochs": options.epochs,
        "milestones": [round(share * options.epochs) for share in CUTS],
        "validation": 0.0,
    }
    found = []
    for name, changes in rows():
        model = matinee.Autoencoder(settings=preset("deeprec-3m").replace({**shared, **changes}))
        scores: list[float] = []
        try:
            model.fit(
                train,
                seed=options.seed,
                watch={"middle": middle},
                on_epoch=lambda epoch, into=scores: into.append(epoch.watched["middle"]),
            )
            rmse = scores[-1]
        except TrainingError:
            rmse = None
        found.append({"name": name, "rmse": rmse})
        if not options.json:
            outcome = "diverged" if rmse is None else f"RMSE {rmse:.4f}"
            print(f"{name:60s} {outcome}", flush=True)
    if options.json:
        print(json.dumps({"epochs": options.epochs, "seed": options.seed, "rows": found}))


if __name__ == "__main__":
    main()
