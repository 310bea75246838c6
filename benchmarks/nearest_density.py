"""From which density on the closed form of all items is better than that of the nearest 100.

    python benchmarks/nearest_density.py ml-1m [--shares 0.09,0.18,0.3,0.45,0.7,1] [--seeds 0,1,2]
    python benchmarks/nearest_density.py gowalla [--cores 10,15,20]

Thinned data of MovieLens-1M (a share of its pairs, at random) and k-cores of Gowalla's training
part. A fifth of each person's interactions is held out at random; nDCG at 20 of up to 2,500 people,
with the settings that the preset ``lists`` has on large data. ``per row`` is what
``choose.DENSE_ROW`` is compared with: known interactions for each of the users or items, whichever
are fewer. The gain is that of all items over the nearest, paired, with its standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

import matinee
from matinee.data import Csr, Ratings, named_split
from matinee.recommend.interest.choose import NEAREST
from matinee.recommend.interest.held_out import HeldOut
from matinee.recommend.interest.scorers.linear import Linear
from matinee.train.linear import LinearConfig


def thinned(shares: list[float], seed: int) -> Iterator[tuple[str, Csr]]:
    whole = matinee.load("ml-1m")
    for share in shares:
        rng = np.random.default_rng(seed)
        kept = np.flatnonzero(rng.random(len(whole)) < share)
        yield f"ml-1m x {share:g}", rows_of(whole.take(kept))


def cores(ks: list[int]) -> Iterator[tuple[str, Csr]]:
    train, _ = named_split("gowalla-lightgcn")
    for k in ks:
        yield f"gowalla, {k}-core", rows_of(train.k_core(k))


def rows_of(pairs: Ratings) -> Csr:
    return pairs.compact().by_user


def compare(name: str, rows: Csr, seed: int) -> None:
    part = HeldOut.draw(rows, np.random.default_rng(seed))
    known = part.known
    mean = len(known.indices) / known.n_columns
    base = {"penalty": 4.0 * mean, "user_power": 0.3, "denoising": 0.5, "max_gib": 16.0}
    found = [
        part.ndcg_each(Linear.fitted(known, LinearConfig.make({**base, "nearest": nearest})))
        for nearest in (0, NEAREST)
    ]
    gain = found[0] - found[1]
    row = len(known.indices) / min(known.n_rows, known.n_columns)
    print(
        f"| {name} | {seed} | {known.n_rows:,} | {known.n_columns:,} | {row:.0f} | "
        f"{found[0].mean():.4f} | {found[1].mean():.4f} | {gain.mean():+.4f} ± "
        f"{gain.std() / np.sqrt(len(gain)):.4f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", choices=("ml-1m", "gowalla"))
    parser.add_argument("--shares", default="0.09,0.18,0.3,0.45,0.7,1")
    parser.add_argument("--cores", default="10,15,20")
    parser.add_argument("--seeds", default="0")
    args = parser.parse_args()
    print("| data | seed | users | items | per row | all | nearest | gain of all |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed in map(int, args.seeds.split(",")):
        made = (
            thinned([float(each) for each in args.shares.split(",")], seed)
            if args.data == "ml-1m"
            else cores([int(each) for each in args.cores.split(",")])
        )
        for name, rows in made:
            compare(name, rows, seed)


if __name__ == "__main__":
    main()
