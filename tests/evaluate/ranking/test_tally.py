from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from plain_lists import histories_of, made_up, person, ranked

import matinee
from matinee import Histories
from matinee.data import Scale
from matinee.evaluate import metrics_of
from matinee.evaluate.ranking.items import ItemStatistics
from matinee.evaluate.ranking.relevant import Relevant, relevant_from
from matinee.evaluate.ranking.tally import ListTally, tally
from matinee.evaluate.ranking.variants import CONVENTIONS, FORMULAS, variants

CUTOFFS = (1, 3, 10, 70)


@pytest.fixture(scope="module")
def case() -> tuple[ListTally, list[np.ndarray], Relevant, Histories, ItemStatistics, object]:
    train, test = made_up()
    relevant = Relevant.of(test, train.item_ids, 4.0)
    histories, rows = histories_of(train, relevant.users)
    items = ItemStatistics.of(Histories.of(train.by_user), train.n_items)
    rng = np.random.default_rng(1)
    tables = [
        rng.integers(0, 20, (train.n_users, train.n_items)).astype(np.float32),
        np.tile(items.counts.astype(np.float32), (train.n_users, 1)),
    ]
    scorers = [lambda batch, table=table: table[batch.users].copy() for table in tables]
    totals = tally(scorers, histories, rows, relevant, items, CUTOFFS, depth=20)
    return totals, tables, relevant, histories.take(rows), items, train


def lists(case: tuple, model: int, k: int) -> list[list[int]]:
    _, tables, relevant, histories, _, _ = case
    return [
        ranked(
            tables[model][user],
            set(histories.items[histories.indptr[row] : histories.indptr[row + 1]].tolist()),
            k,
        )
        for row, user in enumerate(relevant.users)
    ]


@pytest.mark.parametrize("k", CUTOFFS)
@pytest.mark.parametrize("model", [0, 1])
def test_every_formula_is_the_plain_one(case: tuple, model: int, k: int) -> None:
    tallied, _, relevant, _, _, _ = case
    for row, listed in enumerate(lists(case, model, k)):
        part = slice(relevant.indptr[row], relevant.indptr[row + 1])
        items = relevant.items[part].tolist()
        tested = dict(zip(items, relevant.ratings[part].tolist(), strict=True))
        for name, value in person(listed, tested, int(relevant.counts[row]), k).items():
            got = tallied.sums[k].values[name][row, model]
            assert got == pytest.approx(value, abs=1e-12), (name, row)


@pytest.mark.parametrize("model", [0, 1])
def test_metrics_beyond_accuracy(case: tuple, model: int) -> None:
    tallied, _, relevant, histories, items, train = case
    k = 10
    listed = lists(case, model, k)
    shown = Counter(item for each in listed for item in each)
    counts = np.array([shown[item] for item in range(train.n_items)])
    apart = np.abs(counts[:, None] - counts[None]).sum() / (2 * len(counts) * counts.sum())
    share = items.counts / train.n_users
    has = np.zeros((train.n_users, train.n_items))
    has[train.users, train.items] = 1
    vectors = has / np.maximum(np.linalg.norm(has, axis=0), 1)
    far = []
    for each in listed:
        cosines = vectors[:, each].T @ vectors[:, each]
        far.append(1 - cosines[np.triu_indices(len(each), 1)].mean())
    counts_of_history = [
        items.counts[histories.items[histories.indptr[row] : histories.indptr[row + 1]]].mean()
        for row in range(len(relevant))
    ]
    expected = {
        "coverage": len(shown) / train.n_items,
        "gini": apart,
        "novelty": np.mean([np.mean(-np.log2(share[each])) for each in listed]),
        "popularity_lift": np.mean([items.counts[each].mean() for each in listed])
        / np.mean(counts_of_history)
        - 1,
        "diversity": np.mean(far),
        "mean_rating": tallied.sums[k].values["ratings"][:, model].sum()
        / tallied.sums[k].values["rated"][:, model].sum(),
    }
    totals = tallied.sums[k].totals()
    got = {metric.name: metric.from_sums(totals)[model] for metric in metrics_of("list")}
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-10), name


def test_people_without_a_list_have_no_novelty_or_lift() -> None:
    train = {"user": ["a", "a", "b"], "item": [1, 2, 1], "rating": [5, 1, 3]}
    test = {"user": ["a", "b"], "item": [9, 2], "rating": [5, 5]}  # nothing is left to list for a
    scores = matinee.GlobalMean().fit(train).evaluate_lists(test, k=1)
    assert scores.value("novelty", 1) == 1.0
    assert scores.value("popularity_lift", 1) == -0.5


def test_curves_are_the_means_at_every_k(case: tuple) -> None:
    result = case[0]
    assert result.recall.shape == (2, max(CUTOFFS))
    for k in CUTOFFS:
        totals = result.sums[k].totals()
        assert result.recall[:, k - 1] == pytest.approx(totals.mean("recall"), abs=1e-12)
        assert result.precision[:, k - 1] == pytest.approx(totals.mean("precision"), abs=1e-12)


def test_hits_by_item_add_up(case: tuple) -> None:
    sums = case[0].sums[10]
    assert sums.item_hits.sum(axis=1).tolist() == sums.values["hits"].sum(axis=0).tolist()
    assert (sums.item_hits <= sums.exposure).all()


def test_resamples_scatter_about_the_value(case: tuple) -> None:
    sums = case[0].sums[10]
    drawn = sums.resamples(0, 400)
    ndcg = drawn.mean("ndcg")
    assert ndcg.shape == (400, 2)
    each = sums.values["ndcg"]
    error = each.std(axis=0) / np.sqrt(len(each))
    assert np.abs(ndcg.mean(axis=0) - each.mean(axis=0)).max() < error.max() / 2
    assert ndcg.std(axis=0) == pytest.approx(error, rel=0.15)


def test_items_the_model_does_not_know_count_as_missed() -> None:
    train, test = made_up()
    few = train.item_ids.take(np.arange(50))
    relevant = Relevant.of(test, few, 4.0)
    whole = Relevant.of(test, train.item_ids, 4.0)
    assert relevant.counts.tolist() == whole.counts.tolist()
    assert relevant.n_unknown == int(whole.per_item(60)[50:].sum()) > 0
    assert whole.n_unknown == 0


def test_people_without_relevant_items_are_counted() -> None:
    train, test = made_up(share=0.05)
    relevant = Relevant.of(test, train.item_ids, 4.0)
    liked = {user for user, value in zip(test.users, test.values, strict=True) if value >= 4}
    assert set(relevant.users.tolist()) == liked
    assert relevant.n_without == len(set(test.users.tolist())) - len(liked) > 0


def test_relevance_follows_the_scale() -> None:
    train, test = made_up()
    assert relevant_from(train.scale, test) == 4.0
    assert relevant_from(Scale(1.0, 5.0), test.take(test.values <= 2)) == 4.0
    # A model of interactions has no scale of ratings: that of the test ratings counts.
    assert relevant_from(Scale(1.0, 1.0), test) == 4.0


def test_conventions_name_known_formulas(case: tuple) -> None:
    named = {name for row in CONVENTIONS.values() for name in row.values() if name}
    assert named <= set(FORMULAS)
    table = variants(case[0].sums[10])
    assert table["matinee"]["ndcg"] > table["RecTools"]["ndcg"]
    assert table["Liang et al. 2018"]["recall"] >= table["LightGCN"]["recall"]
    assert table["LightGCN"]["map"] is None
