"""The lists of presets against baselines, on data and splits that no setting was chosen on.

    python benchmarks/lists_splits.py [PROTOCOL ...] [--presets lists,default] [--seed 0]

    clicks    ML-100K, every rating an interaction, the latest of each person held out
    clicks10  likewise, with the latest 10% of each person
    time      MovieLens latest-small, ratings of 4 and more as interactions, the latest 20% of all
    rated     MovieLens latest-small with its ratings, the latest 20% of all; relevant from 4
    sparse    3,000 people of hidden groups, 4,000 items, 4 interactions each on average
    short     20,000 people, 300 items, 2 interactions each on average

nDCG@10, all items ranked; the difference is that of a preset less a baseline, paired over people,
with its standard error. "behind" marks a preset that is behind by more than two of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import matinee
from matinee.data import Ratings, Scale, split_parts
from matinee.models.kinds.popularity import Popularity

BASELINES = ("popularity", "ials", "item-knn", "ease")
K = 10

Parts = tuple[Ratings, Ratings]


def clicks(seed: int) -> Parts:
    parts = split_parts(matinee.load("ml-100k").liked(1), by="last", holdout=1, seed=seed)
    assert parts.test is not None
    return parts.train, parts.test


def clicks10(seed: int) -> Parts:
    parts = split_parts(matinee.load("ml-100k").liked(1), by="last", holdout=0.1, seed=seed)
    assert parts.test is not None
    return parts.train, parts.test


def by_time(seed: int) -> Parts:
    train, test = rated(seed)
    return train.liked(4), test.liked(4)


def rated(seed: int) -> Parts:
    parts = split_parts(matinee.load("ml-latest-small"), by="time", holdout=0.2, seed=seed)
    assert parts.test is not None
    return parts.train, parts.test


def sparse(seed: int) -> Parts:
    return grouped(3000, 4000, 4.0, 40, seed)


def short(seed: int) -> Parts:
    return grouped(20_000, 300, 2.0, 8, seed)


def grouped(people: int, items: int, mean: float, groups: int, seed: int) -> Parts:
    """Interactions of people of hidden groups, items being more or less popular within each."""
    rng = np.random.default_rng(seed)
    popular = 1.0 / np.arange(1, items + 1) ** 0.8
    taste = popular * rng.gamma(0.15, 1.0, (groups, items))
    taste /= taste.sum(axis=1, keepdims=True)
    counts = 1 + rng.geometric(1.0 / mean, people)
    group = rng.integers(0, groups, people)
    users = np.repeat(np.arange(people), counts)
    chosen = np.empty(len(users), dtype=np.int64)
    for each in range(groups):
        own = np.flatnonzero(group[users] == each)
        chosen[own] = rng.choice(items, len(own), p=taste[each])
    pairs = np.unique(users * items + chosen)
    users, chosen = pairs // items, pairs % items
    ratings = Ratings.from_arrays(users, chosen, np.ones(len(pairs)), scale=Scale(0.0, 1.0))
    parts = split_parts(ratings.liked(1), by="user", holdout=0.3, seed=seed)
    assert parts.test is not None
    return parts.train, parts.test


PROTOCOLS: dict[str, Callable[[int], Parts]] = {
    "clicks": clicks,
    "clicks10": clicks10,
    "time": by_time,
    "rated": rated,
    "sparse": sparse,
    "short": short,
}


def scored(name: str, train: Ratings, test: Ratings, seed: int) -> np.ndarray:
    """NDCG of each person, float64 (people,)."""
    started = time.process_time()
    model = Popularity() if name == "popularity" else matinee.model(name)
    model.fit(train, seed=seed)
    found = model.evaluate_lists(test, k=K, relevant=None if test.implicit else 4, baselines=[])
    each = found.sums[K].values["ndcg"][:, 0]
    kept = "" if model.interest is None else model.interest.name
    weights = getattr(model.interest, "weights", "")
    kept += f" {weights}" if isinstance(weights, tuple) else ""
    took = time.process_time() - started
    print(
        f"  {name:<11} {found.value('ndcg', K):.4f}  {took:5.0f} s of processor  {kept}", flush=True
    )
    return np.asarray(each, dtype=np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocols", nargs="*", default=list(PROTOCOLS))
    parser.add_argument("--presets", default="lists,default")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for protocol in args.protocols:
        train, test = PROTOCOLS[protocol](args.seed)
        kind = "interactions" if train.implicit else "ratings"
        print(f"\n{protocol}, seed {args.seed}: {len(train):,} {kind} to train on")
        others = {name: scored(name, train, test, args.seed) for name in BASELINES}
        for preset in args.presets.split(","):
            if preset == "default" and train.implicit:
                continue
            mine = scored(preset, train, test, args.seed)
            for name, theirs in others.items():
                gain = mine - theirs
                gain = gain[np.isfinite(gain)]
                error = gain.std(ddof=1) / np.sqrt(len(gain))
                mark = "  behind" if gain.mean() < -2 * error else ""
                print(
                    f"    {preset} - {name:<11} {gain.mean():+.4f} ± {error:.4f}{mark}", flush=True
                )


if __name__ == "__main__":
    main()
