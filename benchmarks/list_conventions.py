"""One list of five under the formulas of libraries and papers, as docs/lists.md shows it.

    python benchmarks/list_conventions.py

A person with two relevant items, the first of which is listed in place 1 and the second in place 4;
and one with eight, three of which are listed, in the places 1, 2 and 5.
"""

from __future__ import annotations

import numpy as np

import matinee
from matinee.evaluate.ranking.variants import CONVENTIONS
from matinee.models.kinds.popularity import Popularity

K = 5
METRICS = ("recall", "precision", "ndcg", "map")


def lists(relevant: list[int]) -> dict[str, dict[str, float | None]]:
    """The metrics of a person to whom the items 0, 1, 2, ... are listed in this order."""
    pairs = [(user, item) for item in range(20) for user in range(30 - item)]
    users, items = np.array(pairs).T
    train = matinee.Ratings.from_arrays(users + 1, items)
    model = Popularity().fit(train)
    test = matinee.Ratings.from_arrays(np.zeros(len(relevant), dtype=int), np.array(relevant))
    found = matinee.evaluate_lists(model, test, k=K, baselines=[])
    # A hit rate has one formula everywhere.
    rate = found.value("hit_rate", K)
    return {name: {**values, "hit_rate": rate} for name, values in found.variants[K].items()}


def main() -> None:
    few, many = lists([0, 3]), lists([0, 1, 4, 10, 11, 12, 13, 14])
    print(f"| two relevant, then eight; at {K} | recall | precision | nDCG | AP | hit rate |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in CONVENTIONS:
        cells = []
        for metric in (*METRICS, "hit_rate"):
            one, other = few[name][metric], many[name][metric]
            cells.append("" if one is None or other is None else f"{one:.3f}, {other:.3f}")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
