"""Item-kNN against dense float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.data import Csr
from matinee.train.implicit import ItemKnnConfig, fit_item_knn


def some(users: int = 30, items: int = 20, share: float = 0.25) -> tuple[Csr, np.ndarray]:
    x = (np.random.default_rng(0).random((users, items)) < share).astype(np.float64)
    x[:, 3] = 0.0  # an item that nobody has
    x[4] = 1.0
    rows, columns = np.nonzero(x)
    indptr = np.r_[0, np.cumsum(x.sum(axis=1))].astype(np.int64)
    return Csr(indptr, columns.astype(np.int32), np.ones(len(rows), np.float32), None, items), x


def reference(x: np.ndarray, config: ItemKnnConfig) -> np.ndarray:
    """Dense similarities, x being the weights."""
    users, items = x.shape
    weight = np.ones(users)
    if config.weighting != "none":
        weight = np.log((1 + items) / (1 + (x > 0).sum(axis=1))) + 1e-3
    if config.weighting == "bm25":
        counts = x.sum(axis=0)
        k1, b = config.bm25_k1, config.bm25_b
        norm = k1 * (1 - b + b * counts / counts.mean())
        saturated = x * (k1 + 1) / (x + norm) * weight[:, None]
        similarity = saturated.T @ saturated
    else:
        weighted = np.sqrt(x) * weight[:, None]
        dots = weighted.T @ weighted
        lengths = np.sqrt(np.diag(dots))
        over = np.outer(lengths, lengths) + config.shrinkage
        similarity = np.divide(dots, over, out=np.zeros_like(dots), where=over > 0)
    np.fill_diagonal(similarity, 0.0)
    for column in similarity.T:
        order = np.lexsort((np.arange(items), -column))
        column[order[config.neighbours :]] = 0.0
    return similarity


def weighted(rows: Csr, x: np.ndarray) -> tuple[Csr, np.ndarray]:
    """The same interactions with weights."""
    weights = np.random.default_rng(1).exponential(1.0, len(rows.indices)).astype(np.float32)
    x = x.copy()
    x[x > 0] = weights
    return replace(rows, weights=weights), x


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("weighting", ["none", "tfidf", "bm25"])
@pytest.mark.parametrize(("neighbours", "shrinkage"), [(3, 0.0), (7, 10.0), (100, 2.5)])
def test_neighbours_are_those_of_the_dense_similarities(
    weighting: str, neighbours: int, shrinkage: float, weights: bool
) -> None:
    values = {"weighting": weighting, "neighbours": neighbours, "shrinkage": shrinkage}
    config = ItemKnnConfig.make(values)
    rows, x = weighted(*some()) if weights else some()
    similarities = fit_item_knn(rows, config)
    assert similarities.dtype == np.float32
    assert np.allclose(similarities.toarray(), reference(x, config), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("weighting", ["none", "tfidf", "bm25"])
def test_weights_of_one_change_no_bit(weighting: str) -> None:
    config = ItemKnnConfig.make({"weighting": weighting})
    rows, _ = some()
    ones = replace(rows, weights=np.ones(len(rows.indices), np.float32))
    plain, same = (fit_item_knn(each, config).toarray() for each in (rows, ones))
    assert np.array_equal(plain, same)


def test_equal_neighbours_stand_by_their_codes() -> None:
    x = np.ones((4, 6))
    indptr = np.arange(5, dtype=np.int64) * 6
    rows = Csr(indptr, np.tile(np.arange(6, dtype=np.int32), 4), np.ones(24, np.float32), None, 6)
    config = ItemKnnConfig(neighbours=2, weighting="none")
    dense = fit_item_knn(rows, config).toarray()
    assert np.allclose(dense, reference(x, config))
    assert np.flatnonzero(dense[:, 0]).tolist() == [1, 2]


def test_one_item_has_no_neighbours() -> None:
    rows = Csr(np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32), None, 1)
    assert fit_item_knn(rows, ItemKnnConfig()).nnz == 0
