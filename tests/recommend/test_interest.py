from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from matinee.data import Csr, Histories
from matinee.errors import ModelFileError
from matinee.recommend import interest_reasons
from matinee.recommend.interest import (
    Blend,
    Bspm,
    Interest,
    Linear,
    Network,
    Popularity,
    interest_state,
    restore_interest,
)
from matinee.train.implicit import BspmConfig
from matinee.train.linear import LinearConfig, fit_linear
from matinee.train.lists import ListNetworkConfig, fit_list_network

NAMES = ["items", "users", "bspm", "low-pass", "network", "variational", "popularity", "blend"]


def some(seed: int, users: int, items: int) -> Csr:
    result = sparse.random(users, items, 0.3, "csr", np.float32, np.random.default_rng(seed))
    result.data[:] = 1.0
    return Csr(
        result.indptr.astype(np.int64), result.indices.astype(np.int32), result.data, None, items
    )


def people() -> Histories:
    return Histories.build([([1, 4], [1, 1]), ([], []), ([0], [1])])


def scorers() -> dict[str, Interest]:
    rows = some(0, 30, 12)
    counts = np.bincount(rows.indices, minlength=12).astype(np.float32)
    by_items = Linear(counts, fit_linear(rows, LinearConfig(penalty=3.0, solve="items")))
    by_users = Linear(counts, fit_linear(rows, LinearConfig(penalty=3.0, relax=0.4, solve="users")))
    popular = Popularity(counts)
    config = ListNetworkConfig(hidden=(6, 6), epochs=2)
    vae = ListNetworkConfig(hidden=(6, 4, 6), epochs=2, variational=True, residual=False)
    deep, drawn = (
        Network(counts, fit_list_network(rows, each, np.random.default_rng(0)).weights)
        for each in (config, vae)
    )
    return {
        "network": deep,
        "variational": drawn,
        "items": by_items,
        "users": by_users,
        "popularity": popular,
        "bspm": Bspm.fitted(rows, BspmConfig(singular_vectors=4)),
        "low-pass": Bspm.fitted(rows, BspmConfig(blur=0.0, sharpen=0.0)),
        "blend": Blend(counts, [by_items, Blend(counts, [deep], [1.0])], [0.8, 0.2]),
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_is_restored_as_it_was(name: str) -> None:
    scorer = scorers()[name]
    arrays, config = scorer.state()
    again = restore_interest(scorer.counts, arrays, config)
    assert np.array_equal(again.scores(people()), scorer.scores(people()))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_history_the_popular_lead(name: str) -> None:
    scorer = scorers()[name]
    scores = scorer.scores(people())
    assert scores.shape == (3, 12)
    assert scores.dtype == np.float32
    assert np.array_equal(
        np.argsort(-scores[1], kind="stable"), np.argsort(-scorer.counts, kind="stable")
    )
    alone = scorer.scores(people().take([0, 2]))
    assert np.allclose(scores[[0, 2]], alone, atol=1e-6)


def test_the_values_of_a_history_do_not_matter() -> None:
    scorer = scorers()["items"]
    one = scorer.scores(Histories.build([([1, 4], [5, 1])]))
    assert np.array_equal(one, scorer.scores(Histories.build([([4, 1], [2, 2])])))


def test_a_blend_weighs_standardised_scores() -> None:
    parts = scorers()
    some_people = people().take([0, 2])
    one, two = (parts[name].scores(some_people) for name in ("items", "users"))
    both = Blend(parts["items"].counts, [parts["items"], parts["users"]], [0.25, 0.75])
    for row, scores_of in enumerate(both.scores(some_people)):
        wanted = 0.25 * one[row] / np.sqrt((one[row] ** 2).mean())
        wanted = wanted + 0.75 * two[row] / np.sqrt((two[row] ** 2).mean())
        assert np.allclose(scores_of, wanted, atol=1e-5)


def test_an_unknown_scorer_is_named() -> None:
    with pytest.raises(ModelFileError, match=r"'linaer'.*linear"):
        restore_interest(np.ones(3, np.float32), {}, {"name": "linaer"})


def test_the_interest_of_a_linear_scorer_is_the_sum_of_its_reasons() -> None:
    rows = some(0, 30, 12)
    weights = fit_linear(rows, LinearConfig(penalty=3.0, solve="items"))
    counts = np.bincount(rows.indices, minlength=12).astype(np.float32)
    one = Histories.build([([1, 4, 7], [1, 1, 1])])
    asked = np.array([0, 5])
    result = interest_reasons(Linear(counts, weights), one, asked)
    ones = np.ones(3, dtype=np.float32)
    each = Csr(np.arange(4, dtype=np.int64), np.array([1, 4, 7], np.int32), ones, None, 12)
    wanted = weights.scores(each)[:, asked].T
    assert np.allclose(result.contributions, wanted, atol=1e-5)
    assert np.allclose(result.contributions.sum(axis=1), result.predictions, atol=1e-5)
    assert np.allclose(result.together, 0.0, atol=1e-5)


def test_reasons_have_the_weights_of_the_history() -> None:
    rows = some(0, 30, 12)
    weights = fit_linear(rows, LinearConfig(penalty=3.0))
    counts = np.bincount(rows.indices, minlength=12).astype(np.float32)
    one = Histories.build([([1, 4], [1, 1])])
    heavy = replace(one, weights=np.array([4.0, 1.0], dtype=np.float32))
    plain, result = (
        interest_reasons(Linear(counts, weights), each, np.array([0, 5])) for each in (one, heavy)
    )
    assert np.allclose(result.contributions, plain.contributions * [2.0, 1.0], atol=1e-5)


def test_the_unit_of_weights_is_that_of_training() -> None:
    """A unit of 4: a history without weights has a quarter of the mean weight each."""
    scorer = scorers()["items"]
    plain = scorer.scores(people())
    scorer.unit = 4.0
    again = restore_interest(scorer.counts, *interest_state(scorer))
    for each in (scorer, again):
        assert np.allclose(each.scores(people())[[0, 2]], plain[[0, 2]] / 2.0, atol=1e-6)
    with pytest.raises(ModelFileError, match="unit of weights is -1"):
        restore_interest(scorer.counts, {}, {"name": "popularity", "unit": -1.0})
    four = replace(people(), weights=np.full(3, 4.0, dtype=np.float32))
    assert np.array_equal(again.scores(four), plain)


def test_a_single_item_is_the_whole_reason() -> None:
    rows = some(0, 30, 12)
    counts = np.bincount(rows.indices, minlength=12).astype(np.float32)
    scorer = Linear(counts, fit_linear(rows, LinearConfig(penalty=3.0)))
    one = Histories.build([([1], [1])])
    result = interest_reasons(scorer, one, np.array([0, 5]))
    assert np.allclose(result.contributions[:, 0], scorer.scores(one)[0, [0, 5]], atol=1e-6)
