"""How far to shrink a coefficient fitted on few held-out ratings (``train._shrink.STEIN_FACTOR``).

    python benchmarks/shrinkage_factor.py [--seeds 6] [--json]

``default`` is trained once per seed on small or sparse synthetic ratings. Its deviations from the
bias model are multiplied by the coefficient fitted on its validation part, reduced by each factor
times the squared standard errors (``positive_part``), and scored on a held-out fifth. The table has
its RMSE minus the bias model's: the mean over seeds, and the worst.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

import matinee
from matinee.models.networks import trainer
from matinee.synth import synthesize
from matinee.train import Holdout, _shrink, fit_shrinkage
from rolling_origin import line, rms

FACTORS = (0.0, 1.0, 2.0, 4.0, 6.0, 9.0)
DATA: dict[str, dict[str, Any]] = {
    "100 x 60, 1,200": {"users": 100, "items": 60, "ratings": 1200},
    "200 x 200, 4,000": {"users": 200, "items": 200, "ratings": 4000},
    "800 x 400, 12,000": {"users": 800, "items": 400, "ratings": 12000},
    "3,000 x 3,000, 12,000": {"users": 3000, "items": 3000, "ratings": 12000},
    "300 x 200, 5,000, strong tastes": {
        "users": 300,
        "items": 200,
        "ratings": 5000,
        "rank": 3,
        "taste": 0.8,
        "noise": 0.5,
    },
}


def rmse_by_share(options: dict[str, Any], seed: int) -> dict[float, float]:
    """RMSE less the bias model's, by factor."""
    ratings = synthesize(seed=100 + seed, **options).ratings
    train, held = matinee.split(ratings, holdout=0.2, seed=seed)
    shares: dict[float, float] = {}

    def whole(network: Any, inputs: Any, known: Any, held: Holdout, **_: Any) -> tuple[float, Any]:
        """As ``shrink_to_bias``, but nothing is shrunk: the shares are noted."""
        base = held.bias_predictions(inputs, known)
        deviation = held.deviations(network, inputs, known, base).whole
        usual = _shrink.STEIN_FACTOR
        for factor in FACTORS:
            _shrink.STEIN_FACTOR = factor
            shares[factor] = _shrink.shrinkage_coefficient(deviation, held.values - base)
        _shrink.STEIN_FACTOR = usual
        return 1.0, fit_shrinkage(network, inputs, known, held)[1]

    kept = trainer.shrink_to_bias  # type: ignore[attr-defined]
    trainer.shrink_to_bias = whole  # type: ignore[attr-defined]
    try:
        model = matinee.model("default", device="cpu").fit(train, seed=seed)
    finally:
        trainer.shrink_to_bias = kept  # type: ignore[attr-defined]
    asked = held.user_ids.ids[held.users], held.item_ids.ids[held.items]
    bias = matinee.Bias().fit(train).predict(*asked)
    deviation = model.predict(*asked) - bias
    plain = rms(bias - held.values)
    return {
        factor: rms(bias + share * deviation - held.values) - plain
        for factor, share in shares.items()
    }


def main() -> None:
    """Train, shrink in every way, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    rows = []
    for name, options in DATA.items():
        runs = [rmse_by_share(options, seed) for seed in range(args.seeds)]
        row: dict[str, Any] = {"data": name}
        for factor in FACTORS:
            each = [run[factor] for run in runs]
            row[f"factor {factor:g}"] = f"{np.mean(each):+.4f} (worst {max(each):+.4f})"
        rows.append(row)
        if not args.json:
            print(line(row), flush=True)
    if args.json:
        print(json.dumps({"seeds": args.seeds, "rows": rows}))


if __name__ == "__main__":
    main()
