"""The acceptance figures of lists: every protocol, preset and baseline, exact, all items ranked.

    python benchmarks/lists.py quest            # ml-1m-quest, three folds, nDCG@10
    python benchmarks/lists.py strong           # people held out, ratings of 4 and more, nDCG@100
    python benchmarks/lists.py reference        # ML-1M 80/20: nDCG@10, mean rating of hits, RMSE
    python benchmarks/lists.py gowalla          # the LightGCN split, recall and nDCG at 20

Presets are named after the protocol; by default "ease" and "lists". Settings are chosen inside of
``fit``, on interactions held out of the training part.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from collections.abc import Iterator

import numpy as np

import matinee
from matinee.data import Ratings, named_split

Part = tuple[str, Ratings, Ratings, Ratings | None]


def quest() -> Iterator[Part]:
    for fold in range(3):
        train, test = named_split(f"ml-1m-quest/{fold}")
        yield f"ml-1m-quest/{fold}", train, test, None


def strong(seed: int = 0) -> Iterator[Part]:
    liked = matinee.load("ml-1m", relevant=4)
    rng = np.random.default_rng(seed)
    counts = np.bincount(liked.users, minlength=liked.n_users)
    people = rng.permutation(np.flatnonzero(counts >= 5))
    test_people, rest = np.split(people, [len(people) // 5])
    chosen = np.isin(liked.users, rest[len(people) // 10 :])
    held = np.flatnonzero(np.isin(liked.users, test_people))
    order = held[np.lexsort((rng.random(len(held)), liked.users[held]))]
    owner = liked.users[order]
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    given = place < np.floor(0.8 * counts[owner])
    known = np.zeros(liked.n_items, dtype=bool)
    known[liked.items[chosen]] = True
    scored = order[~given]
    yield (
        f"ml-1m strong, seed {seed}",
        liked.take(np.flatnonzero(chosen)),
        liked.take(np.sort(scored[known[liked.items[scored]]])),
        liked.take(np.sort(order[given][known[liked.items[order[given]]]])),
    )


def reference() -> Iterator[Part]:
    train, test = named_split("ml-1m-seed-split")
    yield "ml-1m 80/20 of the reference", train, test, None


def gowalla() -> Iterator[Part]:
    train, test = named_split("gowalla-lightgcn")
    yield "gowalla-lightgcn", train, test, None


PROTOCOLS = {"quest": (quest, 10), "strong": (strong, 100), "reference": (reference, 10)}
PROTOCOLS["gowalla"] = (gowalla, 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocol", choices=PROTOCOLS)
    parser.add_argument("presets", nargs="*", default=["ease", "lists"])
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {time.strftime('%Y-%m-%d')}")
    parts, k = PROTOCOLS[args.protocol]
    for name, train, test, given in parts():
        for preset in args.presets:
            started = time.perf_counter()
            options = matinee.config.parse_settings(args.set)
            model = matinee.model(preset, **options).fit(train, seed=0)
            fitted = time.perf_counter() - started
            print(f"\n{name}: {preset} {' '.join(args.set)}, fitted in {fitted:.0f} s", flush=True)
            beside = ["popularity", "ease"] if args.protocol == "reference" else ["popularity"]
            print(model.evaluate_lists(test, k=k, histories=given, baselines=beside))
            if args.protocol == "reference":
                print(model.evaluate(test))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            took = time.perf_counter() - started
            print(f"with the evaluation {took:.0f} s; peak memory {peak:.1f} GiB", flush=True)


if __name__ == "__main__":
    main()
