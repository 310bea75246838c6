"""How the settings of the `default` preset were chosen: variants scored on a validation part.

    python benchmarks/default_settings.py [--json] [--source ml-1m-seed-split/train.dat] [--seed 0]

The source is a *training* set: a tenth of it is held out by the seed, each variant (the preset with
one thing changed) is trained on the rest, and scored on that tenth. No test rating is read. Takes
some seven minutes on two cores for ML-1M.
"""

from __future__ import annotations

import argparse
import json
import time

import matinee
from matinee.config import parse_settings

VARIANTS = [
    "",
    "input=ratings",
    "center=mean bias_start=mean",
    "input_scale=none",
    "objective=reconstruct",
    "code_dropout=0.5",
    "code_dropout=0.8",
    "hidden=300",
    "hidden=1000",
    "hidden=600,600",
    "activation=linear",
    "weight_decay=0.2",
    "weight_decay=1",
    "learning_rate=1e-3",
    "learning_rate=4e-3",
    "schedule=constant",
    "epochs=60",
    "rows=items",
]


def main() -> None:
    """Train and score every variant."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--source", default="ml-1m-seed-split/train.dat")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, held = matinee.split(matinee.load(options.source), holdout=0.1, seed=options.seed)
    bias = matinee.Bias().fit(train).evaluate(held)
    rows = []
    if not options.json:
        print(f"{'bias model':34} {bias.rmse:.4f}", flush=True)
    for variant in VARIANTS:
        started = time.perf_counter()
        model = matinee.Autoencoder("default", **parse_settings(variant.split()))
        score = model.fit(train, seed=options.seed).evaluate(held)
        seconds = time.perf_counter() - started
        rows.append({"variant": variant or "default", "rmse": score.rmse, "seconds": seconds})
        if not options.json:
            print(
                f"{variant or 'default':34} {score.rmse:.4f}  "
                f"train {model.epochs[-1].train_rmse:.3f}  {seconds:5.1f} s",
                flush=True,
            )
    if options.json:
        print(json.dumps({"source": options.source, "bias": bias.rmse, "variants": rows}, indent=1))


if __name__ == "__main__":
    main()
