"""Lists for people who have rated only films that they disliked.

    python benchmarks/disliked.py [--data ml-1m] [--preset default] [--epochs 15] [--cases 10:3]

A tenth of the people are held out of training. Each then gives some of their lowest ratings, and
gets a list from these alone. Prints nDCG@10 for the items that they rated 4 or more, and the mean
number of listed items that they rated 2 or less: with interest in items like those that they
disliked, and with that of a user without a history, as lists have it.
"""

from __future__ import annotations

import argparse

import numpy as np

import matinee
from matinee.base.arrays import Float32, Int32
from matinee.data import Histories, split_users
from matinee.models import Recommender, model
from matinee.recommend import ranking_score

CASES = "1:2,3:2,3:1,10:2,20:2"
LIKED, LEAST = 4, 5


def scored(fitted: Recommender, history: Histories, interest: Float32) -> Float32:
    """Ranking scores of the items not rated yet, (items,)."""
    assert fitted.preference is not None
    liked = fitted.preference.probability(fitted.scores_coded(history))
    scores = ranking_score(interest.copy(), liked, fitted.love, fitted.floor)[0]
    scores[history.items] = -np.inf
    return scores


def of_list(scores: Float32, items: Int32, values: Float32) -> tuple[float, float]:
    """Return nDCG@10 for the liked items, and the number of listed items that were disliked."""
    top = np.argsort(-scores, kind="stable")[:10]
    gains = 1 / np.log2(np.arange(2, 12))
    liked, disliked = items[values >= LIKED], items[values <= 2]
    best = gains[: len(liked)].sum()
    return float((np.isin(top, liked) * gains).sum() / best), float(np.isin(top, disliked).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="ml-1m")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--cases", default=CASES, help="ratings given, and the highest of them")
    options = parser.parse_args()
    ratings = matinee.load(options.data)
    train = split_users(ratings, holdout=0.1, seed=0).train
    fitted = model(options.preset, epochs=options.epochs).fit(train, seed=0, progress=False)
    assert fitted.interest is not None
    usual = fitted.interest.scores(Histories.build([([], [])]))
    trained = set(train.user_ids.decode(np.unique(train.users)).tolist())
    codes, rows = fitted.item_ids.encode(ratings.item_ids.ids), ratings.by_user
    print("| given | people | nDCG@10, before | now | disliked items listed, before | now |")
    print("| --- | --- | --- | --- | --- | --- |")
    rng = np.random.default_rng(0)
    for case in options.cases.split(","):
        n, most = map(int, case.split(":"))
        measured = []
        for user, name in enumerate(ratings.user_ids.ids.tolist()):
            part = slice(rows.indptr[user], rows.indptr[user + 1])
            known = codes[rows.indices[part]] >= 0
            items, values = codes[rows.indices[part]][known], rows.values[part][known]
            low = np.flatnonzero(values <= most)
            if name in trained or len(low) < n or (values >= LIKED).sum() < LEAST:
                continue
            chosen = rng.choice(low, n, replace=False)
            history = Histories.build([(items[chosen], values[chosen])])
            own = fitted.interest.scores(history)
            lists = [scored(fitted, history, interest) for interest in (own, usual)]
            measured.append([*of_list(lists[0], items, values), *of_list(lists[1], items, values)])
        before, shown, now, shown_now = np.mean(measured, axis=0)
        print(
            f"| {n} of at most {most} | {len(measured)} | {before:.3f} | {now:.3f} | "
            f"{shown:.2f} | {shown_now:.2f} |"
        )


if __name__ == "__main__":
    main()
