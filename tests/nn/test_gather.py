"""Weighted sums of table rows against a dense product."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.nn.sparse import gather


@pytest.mark.parametrize("near", [1, 7, 40, 1 << 17])
@pytest.mark.parametrize("people", [1, 3])
def test_a_person_s_rows_a_few_at_a_time(
    near: int, people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "_NEAR", near)
    rng = np.random.default_rng(0)
    table = rng.normal(size=(50, 7)).astype(np.float32)
    index = np.concatenate([np.sort(rng.choice(50, 23, replace=False)) for _ in range(people)])
    coef = rng.normal(size=len(index)).astype(np.float32)
    indptr = np.arange(people + 1) * 23
    dense = np.zeros((people, 50))
    dense[np.repeat(np.arange(people), 23), index] = coef
    found = gather.weighted_rows(indptr, index, coef, table)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, dense @ table, atol=1e-5)
