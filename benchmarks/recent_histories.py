"""Newest ratings only, in histories and in training: does the past still help?

    python benchmarks/recent_histories.py [SOURCE] [--preset biased-mf]

Trained on the first 80% by time. Known people of the last fifth are predicted from all of their
ratings, and from those within some days of their newest one, which nobody is left without. Then a
model is trained on the newest ratings alone and shown all histories.
"""

from __future__ import annotations

import argparse

import numpy as np

import matinee
from _by_time import ByTime

DAY = 86_400


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", default="ml-100k")
    parser.add_argument("--preset", default="biased-mf")
    options = parser.parse_args()
    by_time = ByTime(options.source)
    cut = round(0.8 * len(by_time.order))
    train = by_time.rows(0, cut).compact()
    test = by_time.rows(cut, len(by_time.order)).compact()
    test = test.take(train.user_ids.encode(test.user_ids.ids)[test.users] >= 0).compact()
    model = matinee.model(options.preset).fit(train, progress=False)
    assert train.times is not None
    newest = np.zeros(train.n_users, dtype=np.int64)
    np.maximum.at(newest, train.users, train.times)
    age = newest[train.users] - train.times
    shown = np.isin(train.user_ids.ids, test.user_ids.ids)[train.users]
    print(f"{len(test):,} ratings of {test.n_users:,} people\ndays  ratings shown  RMSE    nDCG@10")
    for days in (np.inf, 90, 30, 7, 1):
        recent = shown & (age <= days * DAY)
        histories = train.take(recent)
        score = model.evaluate(test, histories=histories).rmse
        lists = model.evaluate_lists(test, k=10, histories=histories, baselines=[])
        ndcg = lists.value("ndcg", 10)
        print(f"{days:<5} {recent.sum():>13,}  {score:.4f}  {ndcg:.4f}", flush=True)
    print("trained on the newest  RMSE    nDCG@10")
    for share in (0.75, 0.5, 0.25):
        newest_part = by_time.rows(round((1 - share) * cut), cut).compact()
        model = matinee.model(options.preset).fit(newest_part, progress=False)
        histories = train.take(shown)
        score = model.evaluate(test, histories=histories).rmse
        lists = model.evaluate_lists(test, k=10, histories=histories, baselines=[])
        print(f"{share:<21.0%}  {score:.4f}  {lists.value('ndcg', 10):.4f}", flush=True)


if __name__ == "__main__":
    main()
