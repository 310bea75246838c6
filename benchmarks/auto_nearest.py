"""What the closed form of the nearest items adds to the interest of rating presets on large data.

    python benchmarks/auto_nearest.py [--cores 10,15] [--seeds 0]

k-cores of Gowalla's training part. A fifth of each person's interactions is held out at random of
everything, and scored by nDCG@20; "auto" chooses on others, inside of the fit, once as it is and
once with ``choose.LEAST_ROW`` so large that no closed form is tried. Gains are paired, with their
standard error; seconds are of the processor.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from matinee.data import Csr, named_split
from matinee.recommend.interest import Blend, Interest, choose, fit_interest
from matinee.recommend.interest.held_out import HeldOut
from matinee.train.lists import ListsConfig


def fitted(known: Csr, seed: int, least_row: float) -> tuple[Interest, float]:
    """The scorer that "auto" takes, and the seconds of the processor."""
    before, choose.LEAST_ROW = choose.LEAST_ROW, least_row
    started = time.process_time()
    try:
        config = ListsConfig.make({"interest": "auto"})
        interest = fit_interest(known, config, np.random.default_rng(seed)).interest
    finally:
        choose.LEAST_ROW = before
    return interest, time.process_time() - started


def weight(interest: Interest) -> float:
    """The weight of the closed form in a blend, those of blends within multiplied."""
    if isinstance(interest, Blend):
        pairs = zip(interest.parts, interest.weights, strict=True)
        return sum(float(share) * weight(each) for each, share in pairs)
    return float(interest.name == "linear")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cores", default="10,15")
    parser.add_argument("--seeds", default="0")
    args = parser.parse_args()
    train, _ = named_split("gowalla-lightgcn")
    print("| data | per row | seed | without | with it | gain | its weight | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for core in map(int, args.cores.split(",")):
        rows = train.k_core(core).compact().by_user
        for seed in map(int, args.seeds.split(",")):
            part = HeldOut.draw(rows, np.random.default_rng(100 + seed))
            known = part.known
            runs = [fitted(known, seed, least) for least in (np.inf, choose.LEAST_ROW)]
            without, with_it = (part.ndcg_each(interest) for interest, _ in runs)
            gain = with_it - without
            row = len(known.indices) / min(known.n_rows, known.n_columns)
            print(
                f"| {core}-core, {known.n_rows:,} × {known.n_columns:,} | {row:.0f} | {seed} | "
                f"{without.mean():.4f} | {with_it.mean():.4f} | {gain.mean():+.4f} ± "
                f"{gain.std() / np.sqrt(len(gain)):.4f} | {weight(runs[1][0]):.2f} | "
                f"{runs[0][1]:.0f}, {runs[1][1]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
