"""Netflix's shape: generate 100 million ratings, load them, train one epoch of 3 x 128.

    python benchmarks/scale.py [--json] [--folder DIR] [--users N --items N --ratings N]
        [--memory GIB]

Prints seconds and peak memory of each step, and the time per rating against ml-1m's at the same
settings in the same run. A `--folder` that holds a generated set is used as it is; without one a
temporary folder is used and removed. With `--memory` the process may allocate no more than that
(RLIMIT_DATA): the ratings are then in temporary files, whose pages count in the peaks as far as
they are in memory. Needs Linux, 600 MB of disk, and `MATINEE_DATA` for ml-1m.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import matinee
from _memory import peak_mib, reset_peak
from matinee.synth import write_synthetic

SETTINGS = {
    "hidden": [128, 128, 128],
    "activation": "elu",
    "batch_size": 512,
    "center": "mean",
    "interest": "popularity",  # what is timed is the network
}


def epoch_seconds(ratings: matinee.Ratings, epochs: int) -> float:
    """Seconds of the last of some epochs: the first also compiles or loads the kernels."""
    model = matinee.Autoencoder("base", epochs=epochs, **SETTINGS).fit(ratings)
    return model.epochs[-1].seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--users", type=int, default=480_189)
    parser.add_argument("--items", type=int, default=17_770)
    parser.add_argument("--ratings", type=int, default=100_000_000)
    parser.add_argument("--memory", type=float, default=None, help="GiB that may be allocated")
    options = parser.parse_args()
    if options.memory is not None:
        most = int(options.memory * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    small = matinee.load("ml-1m")
    per_small = epoch_seconds(small, 4) / len(small)

    row: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "netflix"
        reset_peak()
        if not folder.exists():
            started = time.perf_counter()
            write_synthetic(folder, options.users, options.items, options.ratings)
            row["synth_seconds"] = time.perf_counter() - started
            row["synth_peak_mib"] = peak_mib()
        reset_peak()
        started = time.perf_counter()
        ratings = matinee.load(folder)
        row["load_seconds"] = time.perf_counter() - started
        row["load_peak_mib"] = peak_mib()
        reset_peak()
        seconds = epoch_seconds(ratings, 1)
        row["epoch_seconds"] = seconds
        row["train_peak_mib"] = peak_mib()
    row["ns_per_rating"] = seconds / len(ratings) * 1e9
    row["ns_per_rating_ml1m"] = per_small * 1e9
    row["times_ml1m"] = row["ns_per_rating"] / row["ns_per_rating_ml1m"]
    row = {key: round(value, 2) for key, value in row.items()}
    print(json.dumps(row) if options.json else "\n".join(f"{k:20} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
