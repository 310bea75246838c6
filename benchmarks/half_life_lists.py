"""Half-lives of the interactions that order lists, scored by time.

    python benchmarks/half_life_lists.py [SOURCE] [--presets ease ials lists] [--days 0 365 90]

The ratings are put in order of time. Each preset is trained on the first 90% with each half-life in
days (0: none) and its lists are scored on the last tenth: nDCG@10, all items ranked, of everybody
and of the people who have a history, and what the half-life adds to the nDCG of everybody, with a
95% interval paired over people. ``unweighted`` is the nDCG of people with a history where the model
is shown their histories without weights, so that only what it learned of items is weighted.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np

import matinee
from _by_time import ByTime
from matinee.data import Histories, Ratings
from matinee.evaluate import list_gain


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", default="ml-1m")
    parser.add_argument("--presets", nargs="*", default=["ease", "ials", "lists"])
    parser.add_argument("--days", type=float, nargs="*", default=[0, 365, 90])
    parser.add_argument("--start", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    part = ByTime(options.source).part
    train, test = part(0, options.start).compact(), part(options.start, options.start + 0.1)
    known = test.take(train.user_ids.encode(test.user_ids.ids)[test.users] >= 0).compact()
    age = (train.times.max() - train.times) / 86_400 if train.times is not None else np.zeros(1)
    quantiles = ", ".join(f"{q:.0f}" for q in np.quantile(age, [0.25, 0.5, 0.75]))
    print(
        f"{options.source}: {len(train):,} ratings, {len(test):,} later ones; ages in days, "
        f"quartiles {quantiles}"
    )
    print(f"people {test.compact().n_users:,}, with a history {known.n_users:,}")
    print("preset  half-life  nDCG@10  gain (95%)                  known   unweighted")
    for preset in options.presets:
        plain = None
        for days in options.days:
            model = matinee.model(preset, half_life=days).fit(
                train, seed=options.seed, progress=False
            )
            plain = plain or model
            gain = gained(plain, model, test)
            mine = gained(plain, model, known)
            bare = gained(plain, model, known, weights=False)
            print(
                f"{preset:<7} {days or 'none':<9}  {gain.after:.4f}   {gain.gain:+.4f} "
                f"({gain.interval.low:+.4f} to {gain.interval.high:+.4f})   {mine.after:.4f}  "
                f"{bare.after:.4f}",
                flush=True,
            )


def gained(plain: Any, model: Any, test: Ratings, weights: bool = True) -> Any:
    """The gain of a model's lists over those of another."""
    shown = []
    for each in (plain, model):
        rows = each.user_ids.encode(test.user_ids.ids).astype(np.int64)
        histories: Histories = each.histories
        if each is model and not weights:
            histories = replace(histories, weights=None)
        shown.append((histories, rows))
    return list_gain(plain, model, test, (shown[0], shown[1]))


if __name__ == "__main__":
    main()
