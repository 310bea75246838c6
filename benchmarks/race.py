"""Seconds from file to score, of Matinee and of other libraries: whole processes.

    python benchmarks/race.py [--rounds 5] [--only matinee-items cornac-mf ...] [--json]

Ratings: every process reads the training file, fits, and prints its RMSE on the test file. A
contender runs once for each target that it reaches, with the fewest epochs that reach it: an RMSE
of 0.857 or 0.845, and its best, which is with the settings of the leaderboard (those of the other
libraries were searched for on validation parts by `svd_settings.py` and for the leaderboard). The
epochs to a target were found on the test part itself: seconds are compared here, not errors.

Lists: every process reads the same file, fits, lists ten films for everybody, and prints nDCG@10 of
all held-out ratings of 4 and 5, all other films ranked. Each library has its default settings, but
128 factors for both iALS.

`MATINEE_DATA` must hold ml-1m-seed-split. Rounds are interleaved; a figure is the median over them.
The first process of each library is not counted. Needs the extra bench; a library that is not there
is named and left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busy import processor

TABLE = """
def table(path):
    import pandas as pd
    names = ["user", "_", "item", "__", "rating"]  # every second field between colons is empty
    return pd.read_csv(path, sep=":", usecols=[0, 2, 4], names=names, index_col=False, header=None)
"""
"""A fast reader of the file for the other libraries. Matinee reads it itself."""

RMSE = """
import numpy as np
def rmse(predicted, ratings):
    low_high = np.clip(np.asarray(predicted, dtype=float), 1, 5)
    print("score", np.sqrt(np.mean((low_high - np.asarray(ratings)) ** 2)))
"""

NDCG = """
import numpy as np
def ndcg(lists, test):
    discount = 1 / np.log2(np.arange(2, 12))
    gains = []
    for user, items in test[test.rating >= 4].groupby("user").item:
        liked = set(items)
        hits = [item in liked for item in lists.get(user, [])]
        gains.append(discount[: len(hits)] @ hits / discount[: min(len(liked), 10)].sum())
    print("score", np.mean(gains))
"""

MATINEE = """
import matinee
train, test = matinee.load(train_file), matinee.load(test_file)
model = matinee.model(preset, interest="none", **options).fit(train, progress=False)
print("score", model.evaluate(test).rmse)
"""

SURPRISE = (
    TABLE
    + RMSE
    + """
from surprise import SVD, Dataset, Reader
train, test = table(train_file), table(test_file)
full = Dataset.load_from_df(train, Reader(rating_scale=(1, 5))).build_full_trainset()
model = SVD(random_state=0, **options).fit(full)
pairs = zip(test.user, test.item, test.rating)
rmse([answer.est for answer in model.test(list(pairs))], test.rating)
"""
)

CORNAC = (
    TABLE
    + RMSE
    + """
import cornac
train, test = table(train_file), table(test_file)
data = cornac.data.Dataset.from_uir(train.itertuples(index=False), seed=0)
model = cornac.models.MF(seed=0, verbose=False, **options).fit(data)
users = test.user.map(data.uid_map).fillna(-1).astype(int).to_numpy()
items = test.item.map(data.iid_map).fillna(-1).astype(int).to_numpy()
known = (users >= 0) & (items >= 0)
users, items = users[known], items[known]
predicted = np.full(len(test), model.global_mean)
dots = np.einsum("ij,ij->i", model.u_factors[users], model.i_factors[items])
predicted[known] += model.u_biases[users] + model.i_biases[items] + dots
rmse(predicted, test.rating)
"""
)

MATINEE_LISTS = (
    TABLE
    + NDCG
    + """
import matinee
import pandas as pd
model = matinee.model(preset, **options).fit(train_file, progress=False)
lists = pd.concat(part.to_pandas() for part in model.recommend_all(k=10))
ndcg(lists.groupby("user_id").item_id.agg(list).to_dict(), table(test_file))
"""
)

IMPLICIT = (
    TABLE
    + NDCG
    + """
import pandas as pd
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
train = table(train_file)
users, user_ids = pd.factorize(train.user)
items, item_ids = pd.factorize(train.item)
ones = np.ones(len(train), dtype=np.float32)
pairs = csr_matrix((ones, (users, items)))
model = AlternatingLeastSquares(random_state=0, **options)
model.fit(pairs, show_progress=False)
best, _ = model.recommend(np.arange(len(user_ids)), pairs, N=10)
ndcg({user: item_ids[row].tolist() for user, row in zip(user_ids, best)}, table(test_file))
"""
)


@dataclass(frozen=True)
class Contender:
    """What runs for one line of a table.

    Attributes:
        name: Its name.
        target: The RMSE to reach, "best", or "nDCG@10".
        code: The program; it prints "score" and a number.
        options: Settings of its model.
        preset: Of Matinee's models.
        requires: The library's module.
    """

    name: str
    target: str
    code: str
    options: dict[str, Any]
    preset: str = ""
    requires: str = "matinee"


def _items(epochs: int) -> dict[str, Any]:
    """An autoencoder of items: `default`'s teacher alone, with a larger step for few epochs."""
    alone = {"rows": "items", "shrink": False, "teacher": "none", "known_codes": "encoded"}
    return {**alone, "learning_rate": 4e-3, "epochs": epochs}


def _svd(epochs: int) -> dict[str, Any]:
    return {"n_factors": 100, "n_epochs": epochs, "lr_all": 0.005, "reg_all": 0.06}


def _mf(epochs: int) -> dict[str, Any]:
    return {"k": 50, "max_iter": epochs, "learning_rate": 0.005, "lambda_reg": 0.06}


CONTENDERS = (
    Contender("matinee-items", "0.857", MATINEE, _items(8), "default"),
    Contender("matinee-mf", "0.857", MATINEE, {"sweeps": 3}, "biased-mf"),
    Contender("cornac-mf", "0.857", CORNAC, _mf(55), requires="cornac"),
    Contender("surprise-svd", "0.857", SURPRISE, _svd(40), requires="surprise"),
    Contender("matinee-items", "0.845", MATINEE, _items(20), "default"),
    Contender("matinee-mf", "best", MATINEE, {}, "biased-mf"),
    Contender("matinee-default", "best", MATINEE, {}, "default"),
    Contender("cornac-mf", "best", CORNAC, _mf(60), requires="cornac"),
    Contender("surprise-svd", "best", SURPRISE, _svd(60), requires="surprise"),
    Contender("matinee-ease", "nDCG@10", MATINEE_LISTS, {}, "ease"),
    Contender("matinee-ials", "nDCG@10", MATINEE_LISTS, {"factors": 128}, "ials"),
    Contender("implicit-als", "nDCG@10", IMPLICIT, {"factors": 128}, requires="implicit"),
    Contender("matinee-lists", "nDCG@10", MATINEE_LISTS, {}, "lists"),
)


def run(contender: Contender, folder: Path) -> tuple[float, float]:
    """Wall seconds of a process, and its score."""
    names = {
        "train_file": str(folder / "train.dat"),
        "test_file": str(folder / "test.dat"),
        "preset": contender.preset,
        "options": contender.options,
    }
    head = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", head + contender.code],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds = time.perf_counter() - started
    line = next(line for line in done.stdout.splitlines() if line.startswith("score"))
    return seconds, float(line.split()[1])


def main() -> None:
    """Run all contenders in turn, and print a table or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", help="names of contenders")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    folder = Path(os.environ["MATINEE_DATA"]) / "ml-1m-seed-split"
    chosen = [c for c in CONTENDERS if not options.only or c.name in options.only]
    for name in sorted({c.requires for c in chosen}):
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: left out (pip install 'matinee[bench]')")
    chosen = [c for c in chosen if importlib.util.find_spec(c.requires)]
    for first in {c.code: c for c in chosen}.values():
        run(first, folder)  # compiles, and brings files into memory
    seconds: dict[int, list[float]] = {}
    results = []
    for _ in range(options.rounds):
        for number, contender in enumerate(chosen):
            took, score = run(contender, folder)
            seconds.setdefault(number, []).append(took)
            results.append((number, score))
    scores = dict(results)
    rows = [
        {
            "target": c.target,
            "contender": c.name,
            "score": round(scores[number], 4),
            "seconds": round(statistics.median(seconds[number]), 1),
            "least": round(min(seconds[number]), 1),
            "most": round(max(seconds[number]), 1),
        }
        for number, c in enumerate(chosen)
    ]
    load = os.getloadavg()[0]
    if options.json:
        print(json.dumps({"processor": processor(), "load": load, "rows": rows}))
        return
    print(f"{processor()}, {os.cpu_count()} cores, load {load:.1f}, rounds {options.rounds}\n")
    print("| to | contender | score | seconds, median | least to most |")
    print("|---|---|---|---|---|")
    for row in rows:
        values = " | ".join(str(row[name]) for name in ("target", "contender", "score", "seconds"))
        print(f"| {values} | {row['least']} to {row['most']} |")


if __name__ == "__main__":
    main()
