from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matinee import Histories
from matinee.base.top import top_k
from matinee.errors import TrainingError, UsageError
from matinee.evaluate.ranking.kernels import similarity
from matinee.evaluate.ranking.tally import best_of, checked_cutoffs, positions_among_tested


@settings(max_examples=60, deadline=None)
@given(
    people=st.integers(1, 5),
    n_items=st.integers(1, 40),
    k=st.integers(1, 50),
    levels=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_best_items_follow_the_rule_of_recommend(
    people: int, n_items: int, k: int, levels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (people, n_items)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    seen = [np.flatnonzero(rng.random(n_items) < 0.3) for _ in range(people)]
    histories = Histories.build([(items, np.ones(len(items))) for items in seen])
    expected = scores.copy()
    for row, items in enumerate(seen):
        expected[row, items] = -np.inf
    columns, values = top_k(expected, k)
    best = best_of(scores, histories, k)
    assert best.shape == (people, k)
    assert (best[:, columns.shape[1] :] == -1).all()
    assert (best[:, : columns.shape[1]] == np.where(values > -np.inf, columns, -1)).all()


def test_a_score_that_is_no_number_is_an_error() -> None:
    scores = np.zeros((2, 3), dtype=np.float32)
    scores[1, 2] = np.nan
    with pytest.raises(TrainingError, match="no numbers"):
        best_of(scores, Histories.build([([], []), ([], [])]), 2)


@pytest.mark.parametrize("wrong", [0, -1, 2.0, True, (), (5, 5), ("10",)])
def test_cutoffs_are_whole_numbers(wrong: object) -> None:
    with pytest.raises(UsageError, match="cutoff"):
        checked_cutoffs(wrong)  # type: ignore[arg-type]


def test_tested_items_are_found_by_place() -> None:
    best = np.array([[4, 1, -1], [0, 2, 5]], dtype=np.int32)
    entries = positions_among_tested(best, np.array([0, 0, 3]), np.array([0, 3, 5], dtype=np.int32))
    assert entries.tolist() == [[-1, -1, -1], [0, -1, 2]]


def test_no_item_is_not_the_last_test_item_of_the_person_before() -> None:
    best = np.array([[5], [-1]], dtype=np.int32)
    entries = positions_among_tested(best, np.array([0, 1, 1]), np.array([5], dtype=np.int32))
    assert entries.tolist() == [[0], [-1]]


def test_tested_items_where_nobody_has_any() -> None:
    best = np.array([[0, 1], [-1, -1]], dtype=np.int32)
    entries = positions_among_tested(best, np.array([0, 0, 0]), np.array([], dtype=np.int32))
    assert entries.tolist() == [[-1, -1], [-1, -1]]


def test_likeness_is_the_sum_of_cosines_of_all_pairs() -> None:
    rng = np.random.default_rng(3)
    has = rng.random((30, 12)) < 0.3
    has[:, 4] = False  # an item that nobody has
    vectors = has / np.maximum(np.sqrt(has.sum(axis=0)), 1)
    indptr = np.append(0, np.cumsum(has.sum(axis=0)))
    people = np.nonzero(has.T)[1].astype(np.int32)
    best = np.stack([rng.permutation(12)[:6] for _ in range(70)]).astype(np.int32)
    best[3, 4:] = -1
    sums = np.empty(best.shape)
    similarity(best, indptr, people, 30, sums)
    for row, items in enumerate(best):
        for k in range(1, 7):
            some = vectors[:, items[:k][items[:k] >= 0]]
            cosines = some.T @ some
            assert sums[row, k - 1] == pytest.approx(np.triu(cosines, 1).sum(), abs=1e-12)
