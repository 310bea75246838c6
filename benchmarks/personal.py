"""What ``personal`` ("for anyone" to "more like me") does to lists.

    python benchmarks/personal.py [--split ml-100k/u1] [--preset default]

Prints for each value the nDCG@10 of the people of the test part, and the share of twelve
recommended films that have the genre of the one film that a newcomer rated highest: the mean over
the 20 most rated films of each genre.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np

import matinee
from matinee.base.arrays import Int64
from matinee.data import named_split
from matinee.models import Recommender, item_counts, model

VALUES = (-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0)
FILMS, LISTED = 20, 12


def in_genre(
    fitted: Recommender, counts: Int64, genres: list[tuple[str, ...]], personal: float
) -> float:
    """Mean share of a newcomer's list that has the genre of the one film they liked."""
    shares = []
    for genre in sorted({name for names in genres for name in names}):
        has = np.array([genre in names for names in genres])
        liked = np.argsort(-np.where(has, counts, -1), kind="stable")[:FILMS]
        people = [{fitted.item_ids.ids[film]: fitted.scale.high} for film in liked[has[liked]]]
        lists = fitted.recommend(people, k=LISTED, personal=personal).columns["item_id"]
        shares.append(has[fitted.item_ids.encode(lists)].mean())
    return float(np.mean(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="ml-100k/u1")
    parser.add_argument("--preset", default="default")
    options = parser.parse_args()
    train, test = named_split(options.split)
    fitted = model(options.preset).fit(train, seed=0, progress=False)
    whole = matinee.load(options.split.partition("/")[0])
    assert whole.item_table is not None
    assert whole.item_table.genres is not None
    by_id = dict(zip(whole.item_ids.ids.tolist(), whole.item_table.genres, strict=True))
    genres = [by_id[item] for item in fitted.item_ids.ids.tolist()]
    counts = item_counts(fitted)
    assert counts is not None
    ranked = fitted.rank_scores_coded
    print("| `personal` | nDCG@10 | share in the genre of the liked film |\n| --- | --- | --- |")
    for personal in VALUES:
        fitted.rank_scores_coded = partial(ranked, personal=personal)  # type: ignore[method-assign]
        ndcg = fitted.evaluate_lists(test, k=10, baselines=[]).summary()["ndcg@10"]
        fitted.rank_scores_coded = ranked  # type: ignore[method-assign]
        share = in_genre(fitted, counts, genres, personal)
        print(f"| {personal:g} | {ndcg:.3f} | {share:.0%} |", flush=True)


if __name__ == "__main__":
    main()
