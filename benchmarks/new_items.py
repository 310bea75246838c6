"""Items held out whole: predictions and lists from their genres, years and titles.

    python benchmarks/new_items.py ml-100k biased-mf

A tenth of the items is held out with all of their ratings. Baselines: the mean of all ratings, that
of the person, and the bias model (person and mean, no item); for lists of 10 among the held-out
items, a random order, and the expected popularity (the regression of one number, the count, on the
same columns).
"""

from __future__ import annotations

import sys
import time

import numpy as np

import matinee
from matinee.base.arrays import Float64
from matinee.data import Ratings
from matinee.evaluate.ranking.relevant import relevant_from
from matinee.models.new_items import NewItems


def main(source: str, preset: str, seeds: int = 3) -> None:
    """Print a table for each seed's held-out items, and the mean."""
    ratings = matinee.load(source)
    rows = [_one(ratings, preset, seed) for seed in range(seeds)]
    print(f"{source}, {preset}: {seeds} draws of a tenth of the items")
    for name in rows[0]:
        values = [row[name] for row in rows if name in row]
        print(f"{name:34} {np.mean(values):.4f} ± {np.std(values) / np.sqrt(seeds):.4f}")


def _one(ratings: Ratings, preset: str, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    held_out = rng.random(ratings.n_items) < 0.1
    new = held_out[ratings.items]
    train, test = ratings.take(~new).compact(), ratings.take(new).compact()
    known = np.isin(test.user_ids.ids, train.user_ids.ids)
    test = test.take(known[test.users]).compact()
    model = matinee.model(preset).fit(train, seed=0, progress=False)
    users = test.user_ids.decode(test.users)
    items = test.item_ids.decode(test.items)
    found: dict[str, float] = {}

    def score(name: str, predicted: Float64) -> None:
        found[f"RMSE {name}"] = float(np.sqrt(np.mean((predicted - test.values) ** 2)))

    score("mean of all", np.full(len(test), train.values.mean()))
    score("mean of the person", matinee.UserMean().fit(train).predict(users, items))
    score("bias model, no item", model.bias.predict(*_coded(model, users)))
    tables = {"columns": 0, "columns and 64 word buckets": 64}
    lists = {}
    for name, words in tables.items():
        began = time.perf_counter()
        cold = NewItems(model, test.item_ids.ids, test.item_table, words=words)
        found.setdefault("seconds to fit", time.perf_counter() - began)
        score(name, cold.predict(users, items))
        people = model._people(None, "skip")
        lists[name] = cold.rank_scores(people.histories.take(people.rows(test.user_ids.ids)), None)[
            :, cold.item_ids.encode(test.item_ids.ids)
        ]
        popularity = np.bincount(model.histories.items, minlength=model.n_items) @ cold.weights
        lists.setdefault(
            "expected popularity",
            np.tile(popularity[cold.item_ids.encode(test.item_ids.ids)], (test.n_users, 1)),
        )
    lists["random order"] = rng.random((test.n_users, test.n_items))
    threshold = relevant_from(train.scale, test)
    liked = test.take(test.values >= threshold)
    relevant = np.zeros((test.n_users, test.n_items), dtype=bool)
    relevant[liked.users, liked.items] = True
    for name, scores in lists.items():
        found[f"nDCG@10 {name}"] = _ndcg(scores, relevant)
    return found


def _coded(model: matinee.Recommender, users: np.ndarray) -> tuple:  # type: ignore[type-arg]
    people = model._people(None, "skip")
    rows = people.rows(users)
    return people.histories, rows, np.full(len(rows), -1, dtype=np.int32)


def _ndcg(scores: Float64, relevant: np.ndarray, k: int = 10) -> float:  # type: ignore[type-arg]
    discount = 1 / np.log2(np.arange(2, k + 2))
    order = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(relevant, order, axis=1)
    most = np.minimum(relevant.sum(axis=1), k)
    some = most > 0
    ideal = np.append(0, np.cumsum(discount))[most[some]]
    return float(((hits[some] @ discount[: hits.shape[1]]) / ideal).mean())


if __name__ == "__main__":
    main(*sys.argv[1:3])
