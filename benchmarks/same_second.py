"""What the second of a rating predicts of it: by data set, in the earliest 80% and the latest 20%.

    python benchmarks/same_second.py [SOURCE ...] > docs/results/time-stamps.csv

``matinee.data.leaks.same_second`` has the measure, docs/time-stamps.md what it means.
"""

from __future__ import annotations

import csv
import sys

import numpy as np

import matinee
from matinee.data.leaks.same_second import same_second

SOURCES = ["ml-100k", "ml-latest-small", "ml-1m"]


def main() -> None:
    """Measure and print a CSV table."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["data", "part", "ratings", "shared", "explained", "n1", "n2", "n3", "n4"])
    for source in sys.argv[1:] or SOURCES:
        ratings = matinee.load(source)
        assert ratings.times is not None
        order = np.argsort(ratings.times, kind="stable")
        cut = int(0.8 * len(order))
        parts = {"all": order, "earliest 80%": order[:cut], "latest 20%": order[cut:]}
        for name, rows in parts.items():
            part = ratings.take(np.sort(rows))
            found = same_second(part)
            assert found is not None
            means = ["" if mean is None else f"{mean:.3f}" for mean in found.means]
            figures = [f"{found.shared:.4f}", f"{found.explained:.4f}", *means]
            out.writerow([source, name, len(part), *figures])


if __name__ == "__main__":
    main()
