"""What the networks of ``accurate`` are worth, one by one and averaged.

    python benchmarks/accurate_parts.py [--split ml-1m-seed-split | ml-100k/u1] [--only NAME ...]

Networks are trained on nine tenths of the split's *training* part and scored on the last tenth; its
test part is not read. All share one seed but where the name says so. Averages are plain means.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from typing import Any

import numpy as np

import matinee
from matinee.data import named_split

ITEMS = {"rows": "items"}
NETWORKS: dict[str, dict[str, Any]] = {
    "users": {},
    "users, seed 1": {},
    "users, decay 0.5": {"weight_decay": 0.5},
    "users, decay 2": {"weight_decay": 2.0},
    "users, dropout 0.5": {"code_dropout": 0.5},
    "users, dropout 0.8": {"code_dropout": 0.8},
    "users, 1000 wide, decay 0.5": {"hidden": (1000,), "weight_decay": 0.5},
    "users, 120 epochs": {"epochs": 120},
    "users, by levels, decay 0.5": {"input": "levels", "weight_decay": 0.5},
    "items": ITEMS,
    "items, seed 1": ITEMS,
    "items, seed 2": ITEMS,
    "items, decay 0.5": {**ITEMS, "weight_decay": 0.5},
    "items, decay 2": {**ITEMS, "weight_decay": 2.0},
    "items, decay 4": {**ITEMS, "weight_decay": 4.0},
    "items, dropout 0.5, decay 0.5": {**ITEMS, "code_dropout": 0.5, "weight_decay": 0.5},
    "items, dropout 0.8, decay 0.5": {**ITEMS, "code_dropout": 0.8, "weight_decay": 0.5},
    "items, by levels": {**ITEMS, "input": "levels"},
}
AVERAGED = ("users", "users, seed 1", "items", "items, seed 1", "items, seed 2", "items, by levels")


def main() -> None:
    """Train, score, average, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--split", default="ml-1m-seed-split")
    parser.add_argument("--only", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    args = parser.parse_args()
    train, _ = named_split(args.split)
    train, held = matinee.split(train, holdout=0.1, seed=7)
    users, items = held.user_ids.ids[held.users], held.item_ids.ids[held.items]

    def rmse(told: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(told - held.values))))

    told: dict[str, np.ndarray] = {}
    for name in args.only:
        model = matinee.Autoencoder("default", **NETWORKS[name])
        model.fit(train, seed=int(name[-1]) if "seed" in name else 0)
        told[name] = model.predict(users, items)
        print(f"{name:32} {rmse(told[name]):.4f}", flush=True)
    parts = [name for name in AVERAGED if name in told]
    for size in range(2, len(parts) + 1):
        for some in combinations(parts, size):
            mean = np.mean([told[name] for name in some], axis=0)
            print(f"{' + '.join(some):60} {rmse(mean):.4f}")


if __name__ == "__main__":
    main()
