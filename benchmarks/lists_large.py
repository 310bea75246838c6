"""The lists of the preset `lists` on large data, and those of its scorers alone.

    python benchmarks/lists_large.py DATA [MODEL ...] [--seed 0] [--share 1] [--set NAME=VALUE]

    groups    synthetic, 52,643 people x 91,599 items: items come in small groups, and people choose
              several of one
    cities    synthetic, 31,668 people x 38,048 items: people choose by taste and popularity, nearly
              all in their own city
    last      Gowalla's training part without its validation part, the last fifth of each person in
              the order of the file held out
    random    that training part, its own validation part (random interactions) held out
    test      Gowalla's LightGCN split itself: for a report, never for a choice

MODEL is a preset (`lists`, `ease`, `ials`, `item-knn`, `gf-cf`, `bspm`); of `lists` the scorers and
weights are printed. Recall and nDCG at 20, all items ranked. Of the synthetic data a fifth of each
person's interactions is held out at random.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import matinee
from matinee.data import Ratings, Scale, named_split, split_parts
from matinee.data.sources.home import locate

K = 20
Parts = tuple[Ratings, Ratings]


def groups(seed: int, share: float) -> Parts:
    people, items, mean = int(52_643 * share), int(91_599 * share), 57
    rng = np.random.default_rng(seed)
    n_groups, n_genres = items // 12, max(4, int(200 * share))
    group_of = np.sort(rng.integers(0, n_groups, items))
    genre_of = rng.integers(0, n_genres, n_groups)
    popular = rng.lognormal(0.0, 1.0, items)
    known = rng.lognormal(0.0, 1.2, n_groups)  # how known each group is
    counts = np.maximum(12, (mean * rng.lognormal(-0.35, 0.85, people)).astype(np.int64))
    visits = counts // 3 + 1
    visitor = np.repeat(np.arange(people), visits)
    liked = rng.integers(0, n_genres, (people, 4))
    genre = liked[visitor, rng.integers(0, 4, len(visitor))]
    visited = np.empty(len(visitor), dtype=np.int64)
    for each in range(n_genres):
        own, its = np.flatnonzero(genre == each), np.flatnonzero(genre_of == each)
        visited[own] = rng.choice(its, len(own), p=known[its] / known[its].sum())
    picks = rng.geometric(0.3, len(visitor))
    users = np.repeat(visitor, picks)
    chosen = _of_groups(np.repeat(visited, picks), group_of, popular, rng)
    lost = rng.random(len(users)) < 0.15
    chosen[lost] = rng.choice(items, int(lost.sum()), p=popular / popular.sum())
    return _parts(users, chosen, items, seed)


def _of_groups(
    visited: np.ndarray, group_of: np.ndarray, popular: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """An item of each visited group, by popularity within it, int64 (visits,)."""
    ends = np.cumsum(popular)
    last = np.searchsorted(group_of, visited, side="right") - 1
    first = np.searchsorted(group_of, visited, side="left")
    low = np.where(first > 0, ends[first - 1], 0.0)
    draw = low + rng.random(len(visited)) * (ends[np.maximum(last, first)] - low)
    chosen: np.ndarray = np.minimum(np.searchsorted(ends, draw), len(popular) - 1)
    return chosen


def cities(seed: int, share: float) -> Parts:
    people, items, mean = int(31_668 * share), int(38_048 * share), 49
    n_cities = max(2, int(60 * share))
    rng = np.random.default_rng(seed)
    sizes = 1.0 / np.arange(1, n_cities + 1) ** 0.8
    sizes /= sizes.sum()
    city_of = rng.choice(n_cities, items, p=sizes)
    home = rng.choice(n_cities, people, p=sizes)
    popular = rng.normal(0.0, 1.0, items)
    taste = rng.normal(0.0, 1.0, (items, 8)) / np.sqrt(8)
    counts = np.maximum(12, (mean * rng.lognormal(-0.35, 0.85, people)).astype(np.int64))
    in_city = [np.flatnonzero(city_of == city) for city in range(n_cities)]
    users, chosen = [], []
    for person in range(people):
        away = rng.binomial(counts[person], 0.12)
        for city, number in (
            (home[person], counts[person] - away),
            (rng.choice(n_cities, p=sizes), away),
        ):
            its = in_city[city]
            number = min(number, len(its))
            liking = popular[its] + taste[its] @ rng.normal(0.0, 2.0, 8) + rng.gumbel(size=len(its))
            users.append(np.full(number, person))
            chosen.append(its[np.argpartition(-liking, number - 1)[:number]] if number else its[:0])
    return _parts(np.concatenate(users), np.concatenate(chosen), items, seed)


def _parts(users: np.ndarray, chosen: np.ndarray, items: int, seed: int) -> Parts:
    pairs = np.unique(users * items + chosen)
    ones = np.ones(len(pairs))
    ratings = Ratings.from_arrays(pairs // items, pairs % items, ones, scale=Scale(0.0, 1.0))
    parts = split_parts(ratings.liked(1), by="user", holdout=0.2, seed=seed)
    assert parts.test is not None
    return parts.train, parts.test


def gowalla(file: str) -> tuple[np.ndarray, np.ndarray]:
    """Users and items of a file of Gowalla's split, each user's in the order of the file."""
    import pyarrow.parquet as pq

    folder = locate("gowalla-lightgcn")
    assert folder is not None
    table = pq.read_table(folder / file)
    users, items = (table[name].to_numpy() for name in ("user_id", "item_id"))
    order = np.argsort(users, kind="stable")
    return users[order], items[order]


def last(seed: int, share: float) -> Parts:
    users, items = gowalla("train_fit.parquet")
    counts = np.bincount(users)
    place = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    held = place >= (counts - np.maximum(1, np.round(0.2 * counts)))[users]
    ratings = Ratings.from_arrays(users, items)
    return ratings.take(np.flatnonzero(~held)), ratings.take(np.flatnonzero(held))


def random(seed: int, share: float) -> Parts:
    train, valid = gowalla("train_fit.parquet"), gowalla("train_valid.parquet")
    return Ratings.from_arrays(*train), Ratings.from_arrays(*valid)


def test(seed: int, share: float) -> Parts:
    train, test = named_split("gowalla-lightgcn")
    return train, test


DATA = {"groups": groups, "cities": cities, "last": last, "random": random, "test": test}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=DATA)
    parser.add_argument("models", nargs="*", default=["lists"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="of the synthetic data")
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    train, held = DATA[args.data](args.seed, args.share)
    print(f"{args.data}, seed {args.seed}: {train.n_users:,} people, {train.n_items:,} items, "
          f"{len(train):,} interactions to train on", flush=True)  # fmt: skip
    for name in args.models:
        wall, started = time.perf_counter(), time.process_time()
        options = matinee.config.parse_settings(args.set)
        model = matinee.model(name, **options).fit(train, seed=args.seed)
        took, wall = time.process_time() - started, time.perf_counter() - wall
        found = model.evaluate_lists(held, k=K, baselines=[])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        scores = " ".join(f"{each} {found.value(each, K):.4f}" for each in ("recall", "ndcg"))
        print(f"  {name:<9} {scores}  fit {took:.0f} s of processor, {wall:.0f} s of wall, "
              f"peak {peak:.1f} GiB  {made_of(model.interest)}", flush=True)  # fmt: skip


def made_of(interest: object) -> str:
    """The scorers and weights of a blend."""
    parts, weights = getattr(interest, "parts", ()), getattr(interest, "weights", ())
    if not parts:
        return str(getattr(interest, "name", ""))
    inner = (f"{w:.2f} {made_of(part)}" for w, part in zip(weights, parts, strict=True))
    return f"({' + '.join(inner)})"


if __name__ == "__main__":
    main()
