"""Item-kNN: neighbours of items by who has them (Deshpande & Karypis 2004)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float64
from ...data import Csr
from .ials import transposed
from .knn_config import ItemKnnConfig
from .knn_kernels import nearest


def fit_item_knn(rows: Csr, config: ItemKnnConfig) -> Any:
    """Similarities of the nearest neighbours of each item.

    Args:
        rows: Interactions by user; an entry counts 1 whatever its value.
        config: The options.

    Returns:
        float32 CSR (items, items): column j holds the similarities of item j's neighbours, so that
        scores are histories times it.
    """
    from scipy import sparse

    columns = transposed(rows)
    n_items = rows.n_columns
    width = max(1, min(config.neighbours, n_items - 1))
    weights = _user_weights(rows, config)
    lengths = _lengths(rows, columns, weights, config)
    neighbours = np.empty((n_items, width), dtype=np.int32)
    similarity = np.empty((n_items, width), dtype=np.float32)
    shrinkage = 0.0 if config.weighting == "bm25" else config.shrinkage
    nearest(
        columns.indptr,
        columns.indices,
        rows.indptr,
        rows.indices,
        weights,
        lengths,
        shrinkage,
        neighbours,
        similarity,
    )
    kept = neighbours >= 0
    targets = np.repeat(np.arange(n_items, dtype=np.int32), kept.sum(axis=1))
    shape = (n_items, n_items)
    return sparse.csr_matrix((similarity[kept], (neighbours[kept], targets)), shape=shape)


def _user_weights(rows: Csr, config: ItemKnnConfig) -> Float64:
    """What each person's entries are multiplied by, float64 (users,)."""
    if config.weighting == "none":
        return np.ones(rows.n_rows)
    # Positive also for a person who has everything.
    user_weights: Float64 = np.log((1.0 + rows.n_columns) / (1.0 + rows.counts)) + 1e-3
    return user_weights


def _lengths(rows: Csr, columns: Csr, weights: Float64, config: ItemKnnConfig) -> Float64:
    """What the dot products of each item are divided by, float64 (items,)."""
    if config.weighting == "bm25":
        popularity = columns.counts.astype(np.float64)
        relative = popularity / max(float(popularity.mean()), 1e-12)
        k1, b = config.bm25_k1, config.bm25_b
        saturated = (k1 + 1.0) / (k1 * (1.0 - b + b * relative) + 1.0)
        return np.asarray(1.0 / saturated, dtype=np.float64)
    owner = np.repeat(np.square(weights), rows.counts)
    squares = np.bincount(rows.indices, owner, minlength=rows.n_columns)
    return np.sqrt(np.asarray(squares, dtype=np.float64))
