"""Against ir-measures, and against figures that others published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plain_lists import histories_of, made_up
from scipy import sparse

from matinee import Histories, Ratings
from matinee.evaluate import metrics_of
from matinee.evaluate.ranking.baselines import EASE_L2, LIST_BASELINES
from matinee.evaluate.ranking.items import ItemStatistics
from matinee.evaluate.ranking.relevant import Relevant
from matinee.evaluate.ranking.tally import Scorer, tally


def rows_of(histories: Histories, n_items: int) -> sparse.csr_matrix:
    ones = np.ones(len(histories.items))
    shape = (len(histories), n_items)
    return sparse.csr_matrix((ones, histories.items, histories.indptr), shape=shape)


def ease(train: Ratings, penalty: float) -> Scorer:
    """Steck 2019, as in the paper, in float64."""
    x = rows_of(Histories.of(train.by_user), train.n_items)
    gram = (x.T @ x).toarray() + penalty * np.eye(train.n_items)
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return lambda batch: np.asarray(rows_of(batch, train.n_items) @ weights, dtype=np.float32)


def popular(train: Ratings) -> Scorer:
    counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
    return lambda batch: np.tile(counts, (len(batch), 1))


def test_ir_measures_agrees() -> None:
    ir_measures = pytest.importorskip("ir_measures", reason="ir-measures is not installed")
    train, test = made_up(seed=5)
    relevant = Relevant.of(test, train.item_ids, 4.0)
    histories, rows = histories_of(train, relevant.users)
    items = ItemStatistics.of(Histories.of(train.by_user), train.n_items)
    table = np.random.default_rng(2).random((train.n_users, train.n_items), dtype=np.float32)
    run: dict[str, dict[str, float]] = {}

    def keep(model: int, start: int, best: np.ndarray) -> None:
        for row, codes in enumerate(best, start=start):
            run[str(row)] = {str(code): -rank for rank, code in enumerate(codes) if code >= 0}

    result = tally(
        [lambda batch: table[batch.users].copy()], histories, rows, relevant, items, (5, 20),
        on_lists=keep,
    )  # fmt: skip
    tested = np.split(relevant.items, relevant.indptr[1:-1])
    ratings = np.split(relevant.ratings, relevant.indptr[1:-1])
    qrels = {
        str(row): {str(item): int(rating >= 4) for item, rating in zip(*each, strict=True)}
        for row, each in enumerate(zip(tested, ratings, strict=True))
    }
    names = {"recall": "R", "precision": "P", "ndcg": "nDCG", "mrr": "RR", "map": "AP",
             "hit_rate": "Success"}  # fmt: skip
    for k in (5, 20):
        totals = result.sums[k].totals()
        measures = {name: ir_measures.parse_measure(f"{name_there}@{k}") for name, name_there in
                    names.items()}  # fmt: skip
        scores = ir_measures.calc_aggregate(measures.values(), qrels, run)
        for name, measure in measures.items():
            assert totals.mean(name)[0] == pytest.approx(scores[measure], abs=1e-12), (name, k)


def k_core(users: np.ndarray, items: np.ndarray, at_least: int) -> np.ndarray:
    keep = np.ones(len(users), dtype=bool)
    while True:
        many_u = np.bincount(users[keep], minlength=users.max() + 1) >= at_least
        many_i = np.bincount(items[keep], minlength=items.max() + 1) >= at_least
        now = keep & many_u[users] & many_i[items]
        if (now == keep).all():
            return keep
        keep = now


def test_the_ease_baseline_is_that_of_the_paper() -> None:
    train, _ = made_up(people=80)
    histories = Histories.of(train.by_user)
    scores = LIST_BASELINES["ease"].fit(histories, train.n_items)(histories)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(ease(train, EASE_L2)(histories), abs=1e-6)


def test_ease_lists_popular_items_for_people_who_liked_nothing() -> None:
    """Its scores are all 0 there, and ties would be listed by item code."""
    train, _ = made_up(people=80)
    histories = Histories.of(train.by_user)
    some = histories.take_or_empty(np.array([3, -1, 5]))
    scores = LIST_BASELINES["ease"].fit(histories, train.n_items)(some)
    assert scores[1] == pytest.approx(popular(train)(some)[1])
    assert scores[[0, 2]] == pytest.approx(ease(train, EASE_L2)(some)[[0, 2]], abs=1e-6)


@pytest.mark.slow
def test_the_digits_published_for_movielens(real_data: Callable[[str], Path]) -> None:
    """Anelli et al. 2022 (RecSys), fold 0 at 10: all items ranked, binary relevance."""
    import pandas as pd

    lines = np.loadtxt(
        real_data("ml-1m/ratings.dat"), delimiter=":", usecols=(0, 2, 4), dtype=np.int64
    )
    liked = lines[lines[:, 2] >= 4]
    liked = liked[k_core(liked[:, 0], liked[:, 1], 10)]
    held = pd.read_parquet(real_data("ml-1m-quest/test-0.parquet")).to_numpy()
    whole = Ratings.from_arrays(liked[:, 0], liked[:, 1], np.ones(len(liked)))
    in_test = np.isin(liked[:, 0] * 10_000 + liked[:, 1], held[:, 0] * 10_000 + held[:, 1])
    train, test = whole.take(~in_test), whole.take(in_test)
    assert (len(whole), len(test), whole.n_users, whole.n_items) == (571_531, 116_671, 5949, 2810)
    relevant = Relevant.of(test, train.item_ids, 1.0)
    items = ItemStatistics.of(Histories.of(train.by_user), train.n_items)
    result = tally(
        [ease(train, 696.79), popular(train)], *histories_of(train, relevant.users), relevant,
        items, (10,),
    )  # fmt: skip
    totals = result.sums[10].totals()
    got = {metric.name: metric.from_sums(totals) for metric in metrics_of("list")}
    assert got["ndcg"][0] == pytest.approx(0.34326606416039346, abs=1e-9)
    assert got["recall"][0] == pytest.approx(0.19654, abs=5e-6)
    assert got["precision"][0] == pytest.approx(0.27998, abs=5e-6)
    assert got["mrr"][0] == pytest.approx(0.58958, abs=5e-6)
    assert got["hit_rate"][0] == pytest.approx(0.88233, abs=5e-6)
    assert got["ndcg"][1] == pytest.approx(0.16221, abs=5e-6)
