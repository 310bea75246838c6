from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from matinee.data import Histories
from matinee.recommend import _topk as module, rank, top_k

# Few distinct values, so that ties are the rule.
scores = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 30)),
    elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 0.5, 2.0, 3.0]).map(np.float32),
)


@given(scores, st.integers(1, 35))
def test_it_is_a_full_sort_cut_off(matrix: np.ndarray, k: int) -> None:
    items, best = top_k(matrix.copy(), k)
    order = np.argsort(-matrix, axis=1, kind="stable")[:, :k]
    assert np.array_equal(items, order)
    assert np.array_equal(best, np.take_along_axis(matrix, order, axis=1))
    assert items.dtype == np.int32
    assert best.dtype == np.float32


@pytest.mark.parametrize("finite", [600, 30, 2])
@pytest.mark.parametrize("levels", [1 << 20, 50, 2])
def test_of_many_items_few_are_sorted(finite: int, levels: int) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, levels, (20, 600)).astype(np.float32)
    for row in matrix:
        row[rng.permutation(600)[finite:]] = -np.inf
    for k in (1, 4):
        items, best = top_k(matrix.copy(), k)
        order = np.argsort(-matrix, axis=1, kind="stable")[:, :k]
        assert np.array_equal(items, order)
        assert np.array_equal(best, np.take_along_axis(matrix, order, axis=1))
        crowded = (finite == 600 and levels == 2) or (finite == 2 and k == 4)
        assert (module._candidates(matrix, k) is None) == crowded


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("more", [-1, 0, 1, 7])
def test_the_edges_of_blocks(k: int, more: int) -> None:
    """Including the columns after the last block, and rows of which some have many ties."""
    rng = np.random.default_rng(k)
    least = module._BLOCKS * module._LEAST_BLOCK * k
    for levels in (1 << 20, 40):
        matrix = rng.integers(-levels, levels, (12, least + more)).astype(np.float32)
        matrix[0] = np.sort(matrix[0])  # the best are after the last block
        matrix[1] = np.sort(matrix[1])[::-1]
        matrix[2, rng.permutation(least + more)[k:]] = -np.inf
        items, best = top_k(matrix.copy(), k)
        order = np.argsort(-matrix, axis=1, kind="stable")[:, :k]
        assert np.array_equal(items, order)
        assert np.array_equal(best, np.take_along_axis(matrix, order, axis=1))
        if levels > least:
            assert (module._candidates(matrix, k) is None) == (more < 0)


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("n_items", [0, 1, 1000])
def test_nobody_and_no_items(count: int, n_items: int) -> None:
    items, best = top_k(np.zeros((count, n_items), dtype=np.float32), 3)
    assert items.shape == best.shape == (count, min(3, n_items))


def people() -> Histories:
    return Histories.build([([0, 2], [5, 4]), ([], []), ([1], [3]), ([0, 1, 2, 3, 4], [1] * 5)])


def by_item(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    scores = np.tile(np.array([1, 5, 4, 5, 2], dtype=np.float32), (len(histories), 1))
    return scores, scores + 10


def ranked(**options: object) -> list[tuple[int, int, int]]:
    parts = list(rank(by_item, people(), 5, **options))  # type: ignore[arg-type]
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    rows, items, scores, ranks, further = columns
    assert np.array_equal(further, scores + 10)
    return list(zip(rows.tolist(), items.tolist(), ranks.tolist(), strict=True))


def test_seen_items_are_left_out() -> None:
    assert ranked(k=2) == [(0, 1, 1), (0, 3, 2), (1, 1, 1), (1, 3, 2), (2, 3, 1), (2, 2, 2)]


def test_seen_items_can_be_had() -> None:
    assert [row[:2] for row in ranked(k=1, include_seen=True)] == [(0, 1), (1, 1), (2, 1), (3, 1)]


def test_only_allowed_items_come() -> None:
    allowed = np.array([True, False, False, False, True])
    assert ranked(k=3, allowed=allowed) == [
        (0, 4, 1),
        (1, 4, 1),
        (1, 0, 2),
        (2, 4, 1),
        (2, 0, 2),
    ]


@pytest.mark.parametrize("held", [1, 5, 12])
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    whole = ranked(k=3)
    monkeypatch.setattr(module, "_SCORES", held)
    assert ranked(k=3) == whole


@pytest.mark.parametrize(
    ("held", "sizes"), [(1, [1, 1, 1, 1]), (9, [1, 1, 1, 1]), (11, [2, 2]), (15, [3, 1]), (99, [4])]
)
def test_scores_in_memory_are_bounded(
    monkeypatch: pytest.MonkeyPatch, held: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(module, "_SCORES", held)
    seen: list[int] = []

    def score(histories: Histories) -> tuple[np.ndarray, None]:
        seen.append(len(histories))
        return by_item(histories)[0], None

    assert len(list(rank(score, people(), 5, k=1))) == len(sizes)
    assert seen == sizes
    assert [len(part[0]) for part in rank(score, people().take(np.arange(0)), 0, k=1)] == [0]
