"""The kernel that sorts each user's rows, against a stable sort."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from matinee.data._encode_kernels import sort_rows


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("users", [1, 5, 40])
def test_rows_of_one_item_keep_their_order(users: int, timed: bool, weighted: bool) -> None:
    rng = np.random.default_rng(users)
    start = np.append(0, np.cumsum(rng.integers(0, 50, users))).astype(np.int64)
    items = rng.integers(0, 30, start[-1]).astype(np.int32)
    values = np.arange(start[-1], dtype=np.float32)
    times = np.arange(start[-1] if timed else 0, dtype=np.int64)
    weights = np.arange(start[-1] if weighted else 0, dtype=np.float32)
    each = [np.argsort(items[a:b], kind="stable") + a for a, b in pairwise(start)]
    wanted = np.concatenate(each)
    expected = items[wanted]
    sort_rows(start, items, values, times, weights)
    assert np.array_equal(items, expected)
    assert np.array_equal(values, wanted)
    assert np.array_equal(times, wanted if timed else [])
    assert np.array_equal(weights, wanted if weighted else [])
