"""What columns of people and items add: the RMSE with and without, on validation ratings.

    python benchmarks/columns.py --data ml-1m --columns gender,age,occupation,genres,year
    python benchmarks/columns.py --data ml-100k/u1 --columns genres --columns age,gender

A twentieth of the training part is left out and scored; a test part is not read. Every set of
columns is compared with none, rating by rating. A prediction *as new* is that for a person of the
same ratings whom the model does not know, and whose columns it does not know either.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import matinee
from matinee.config import parse_settings
from matinee.data import NAMED_SPLITS, load, named_split, split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="ml-100k/u1", help="what matinee.load takes, or a split")
    parser.add_argument("--preset", default="bayesian")
    parser.add_argument("--columns", action="append", help="names, or true; may be repeated")
    parser.add_argument("--set", action="append", default=[], help="key=value, of the preset")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    named = options.data in NAMED_SPLITS
    train = named_split(options.data)[0] if named else None
    if train is None:
        train = split(load(options.data), holdout=0.1, seed=0)[0]
    held = np.random.default_rng(1).random(len(train)) < 0.05
    known, out = train.take(~held), train.take(held)
    ids = out.user_ids.decode(out.users), out.item_ids.decode(out.items)
    settings = parse_settings(options.set)
    sets = ["false", *(options.columns or ["true"])]

    print(f"{options.data}, {options.preset} {' '.join(options.set)}: {len(out):,} ratings\n")
    print("| columns | seed | RMSE | - none | RMSE as new | s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for seed in range(options.seeds):
        for names in sets:
            columns = parse_settings([f"columns={names}"])
            model = matinee.model(options.preset, **settings, **columns)
            before = time.perf_counter()
            model.fit(known, seed=seed, progress=False)
            seconds = time.perf_counter() - before
            errors = np.square(model.predict(*ids) - out.values)
            new = np.square(model.predict(*ids, histories=known) - out.values)
            rmse = float(np.sqrt(errors.mean()))
            if names == "false":
                plain, without = errors, rmse
            spread = float(np.std(errors - plain) / len(out) ** 0.5 / (2 * without))
            gain = "" if names == "false" else f"{rmse - without:+.4f} ± {spread:.4f}"
            print(
                f"| {'none' if names == 'false' else names} | {seed} | {rmse:.4f} | {gain} "
                f"| {np.sqrt(new.mean()):.4f} | {seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
