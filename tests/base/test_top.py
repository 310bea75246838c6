from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from matinee.base import top as module
from matinee.base.compiled import kernel
from matinee.base.top import ROOT, offer, put_in_order, top_k

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


@kernel()
def largest(offered: np.ndarray, values: np.ndarray, codes: np.ndarray) -> int:
    """Keep the largest values, each with its position from the last as its code."""
    size = ROOT
    for at in range(len(offered)):
        size = offer(values, codes, size, offered[at], len(offered) - at)
    put_in_order(values, codes, size)
    return size


@given(
    hnp.arrays(
        np.float64, st.integers(0, 40), elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0])
    ),
    st.integers(0, 45),
)
def test_a_heap_in_a_kernel_keeps_the_largest_with_ties_by_ascending_code(
    offered: np.ndarray, limit: int
) -> None:
    values, codes = np.empty(limit), np.empty(limit, dtype=np.int64)
    size = largest(offered, values, codes)
    given_codes = len(offered) - np.arange(len(offered))
    order = np.lexsort((given_codes, -offered))[:limit]
    assert size == len(order)
    assert codes[:size].tolist() == given_codes[order].tolist()
    assert values[:size].tolist() == offered[order].tolist()
