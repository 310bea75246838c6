"""What it costs to serve somebody the model has never seen, and whether its intervals hold.

    python benchmarks/new_people.py [--source ml-1m] [--preset default --preset accurate]
        [--holdout 0.1] [--given 0.9] [--seed 0] [--json]

A tenth of the people is drawn. Of each of them some ratings are given and the rest are scored, and
the same are scored three times: by a model that was trained on everybody's training ratings and
knows these people (known); by one trained without them, to which their ratings are given when it is
asked (new); and by the bias model, given the same (bias). What new is worse than known is what it
costs. Both models are trained with the same settings and seed; no choice is made on what is scored.

Beside it, for known and new: the share of the scored ratings within the intervals of 50%, 80% and
95% that the model gives with its predictions.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import matinee
from matinee.data import split_users

if TYPE_CHECKING:
    from matinee.evaluate import Evaluation


def measured(preset: str, source: str, holdout: float, given: float, seed: int) -> dict[str, Any]:
    """Both models' scores on the same ratings."""
    import numpy as np

    ratings = matinee.load(source)
    parts = split_users(ratings, holdout, seed, given=given)
    apart = matinee.model(preset, device="cpu").fit(parts.train, seed=seed)
    new = apart.evaluate(parts.scored, histories=parts.given)
    # Everybody's training ratings: those of the others, and what these people have given.
    scored = _pairs(parts.scored)
    together = ratings.take(~np.isin(_pairs(ratings), scored))
    known = matinee.model(preset, device="cpu").fit(together, seed=seed).evaluate(parts.scored)
    return {
        "preset": preset,
        "people": new.n_test_users,
        "scored": new.n_test,
        "folds_in": apart.folds_in,
        "known": _figures(known),
        "new": _figures(new),
        "bias": new.baselines["bias"].rmse,
        "cost": new.rmse - known.rmse,
    }


def _pairs(ratings: Any) -> Any:
    import numpy as np

    users, items = ratings.user_ids.ids[ratings.users], ratings.item_ids.ids[ratings.items]
    return np.char.add(np.char.add(users.astype(str), "\t"), items.astype(str))


def _figures(score: Evaluation) -> dict[str, Any]:
    intervals = score.uncertainty.intervals if score.uncertainty else ()
    return {
        "rmse": score.rmse,
        "interval": score.rmse_interval,
        "mae": score.mae,
        "coverage": {f"{100 * each.level:.0f}": each.covered for each in intervals},
    }


def main() -> None:
    """Measure each preset."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", default="ml-1m")
    parser.add_argument("--preset", action="append", help="default and accurate, if none is named")
    parser.add_argument("--holdout", type=float, default=0.1, help="share of the people")
    parser.add_argument("--given", type=float, default=0.9, help="share of their ratings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rows = []
    for preset in options.preset or ("default", "accurate"):
        row = measured(preset, options.source, options.holdout, options.given, options.seed)
        rows.append(row)
        if options.json:
            continue
        print(f"{preset}: {row['people']:,} people, {row['scored']:,} ratings scored", flush=True)
        for name in ("known", "new"):
            held = ", ".join(f"{level}%: {s:.3f}" for level, s in row[name]["coverage"].items())
            print(f"  {name:6} RMSE {row[name]['rmse']:.4f}  MAE {row[name]['mae']:.4f}  {held}")
        print(f"  bias   RMSE {row['bias']:.4f}\n  being new costs {row['cost']:+.4f}")
    if options.json:
        print(json.dumps({"source": options.source, "seed": options.seed, "rows": rows}))


if __name__ == "__main__":
    main()
