"""Peak memory of training beyond the imported libraries, against a bound of 4 x the ratings.

    python benchmarks/memory.py [--json] [--batch 64]

The bound: 4 x the bytes of the ratings (12 a rating: user, item, value) plus the parameters and
the optimiser's state. Libraries are imported and the kernels loaded by a tiny fit first; then the
peak counter is reset, ml-1m is made ready as arrays, and 3 epochs of a 3 x 128 network are trained.
Needs Linux and `MATINEE_DATA`.
"""

from __future__ import annotations

import argparse
import gc
import json

import numpy as np

import matinee
from _memory import now_mib, peak_mib, reset_peak

MIB = 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()

    shape = {"hidden": [128, 128, 128], "batch_size": options.batch}
    rng = np.random.default_rng(0)
    pairs = rng.permutation(400 * 300)[:20_000]
    tiny = matinee.Ratings.from_arrays(pairs // 300, pairs % 300, rng.integers(1, 6, 20_000))
    matinee.Autoencoder("base", epochs=1, **shape).fit(tiny)

    ratings = matinee.load("ml-1m")
    ratings_bytes = sum(a.nbytes for a in (ratings.users, ratings.items, ratings.values))
    gc.collect()
    before = now_mib()
    reset_peak()
    model = matinee.Autoencoder("base", epochs=3, **shape).fit(ratings)
    grown = peak_mib() - before
    parameters = sum(p.numel() * p.element_size() for p in model.network.parameters())
    bound = (4 * ratings_bytes + 3 * parameters) / MIB
    row = {
        "ratings_mib": round(ratings_bytes / MIB, 1),
        "parameters_and_state_mib": round(3 * parameters / MIB, 1),
        "grown_mib": round(grown, 1),
        "bound_mib": round(bound, 1),
        "within": grown <= bound,
    }
    print(json.dumps(row) if options.json else "\n".join(f"{k:26} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
