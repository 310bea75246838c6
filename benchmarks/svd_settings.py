"""A search of settings for scikit-surprise's SVD, scored on a validation part.

    python benchmarks/svd_settings.py [--source ml-1m-seed-split/train.dat] [--seed 0] [--json]

The source is a *training* set: a tenth of it is held out by the seed, and no test rating is read.
Every setting is fitted once. Needs the extra bench.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time

import matinee
from matinee.lab.study.models import make_model

FACTORS = (50, 100, 200)
RATES = (0.005, 0.01)
PENALTIES = (0.04, 0.06, 0.08)
EPOCHS = {0.005: 60, 0.01: 30}
"""By rate: as many steps of half the size take twice the epochs."""


def main() -> None:
    """Fit and score every setting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--source", default="ml-1m-seed-split/train.dat")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, held = matinee.split(matinee.load(options.source), holdout=0.1, seed=options.seed)
    rows = []
    for factors, rate, penalty in itertools.product(FACTORS, RATES, PENALTIES):
        settings = {
            "n_factors": factors,
            "n_epochs": EPOCHS[rate],
            "lr_all": rate,
            "reg_all": penalty,
        }
        started = time.perf_counter()
        model = make_model("surprise-svd", settings).fit(train, seed=options.seed)
        seconds = getattr(model, "fit_seconds", time.perf_counter() - started)
        rows.append({**settings, "rmse": model.evaluate(held).rmse, "seconds": seconds})
        if not options.json:
            options_text = "  ".join(f"{name} {value:g}" for name, value in settings.items())
            print(f"{options_text}  RMSE {rows[-1]['rmse']:.4f}  {seconds:.1f} s", flush=True)
    rows.sort(key=lambda row: row["rmse"])
    if options.json:
        print(json.dumps({"source": options.source, "seed": options.seed, "rows": rows}))
    else:
        print(f"best: {rows[0]}")


if __name__ == "__main__":
    main()
