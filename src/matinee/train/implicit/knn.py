"""Item-kNN: neighbours of items by who has them (Deshpande & Karypis 2004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Float64, Int32
from ...data import Csr
from .ials import transposed
from .knn_config import ItemKnnConfig
from .knn_kernels import nearest


@dataclass(frozen=True, eq=False)
class _Saturation:
    """The saturation of BM25, ``w (k1 + 1) / (w + norm[item])``."""

    k1: float
    norms: Float64

    def of(self, weights: Float64, items: Int32 | slice = slice(None)) -> Float64:
        """Interactions of some weights with some items, float64 (n,)."""
        saturated: Float64 = weights * ((self.k1 + 1.0) / (self.norms[items] + weights))
        return saturated


def fit_item_knn(rows: Csr, config: ItemKnnConfig) -> Any:
    """Similarities of the nearest neighbours of each item.

    Args:
        rows: Interactions by user, with weights of mean 1 or none; values are not read.
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
    saturation = _saturation(columns, config)
    strengths = _strengths(rows, saturation)
    if saturation is None:
        lengths = _lengths(rows, weights, strengths)
    else:
        lengths = 1.0 / saturation.of(np.ones(n_items))
    neighbours = np.empty((n_items, width), dtype=np.int32)
    similarity = np.empty((n_items, width), dtype=np.float32)
    shrinkage = 0.0 if config.weighting == "bm25" else config.shrinkage
    nearest(
        columns.indptr,
        columns.indices,
        rows.indptr,
        rows.indices,
        strengths[columns.order] if len(strengths) else strengths,
        strengths,
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


def _saturation(columns: Csr, config: ItemKnnConfig) -> _Saturation | None:
    """The saturation of BM25; None for other weightings."""
    if config.weighting != "bm25":
        return None
    popularity = columns.row_weights
    relative = popularity / max(float(popularity.mean()), 1e-12)
    k1, b = config.bm25_k1, config.bm25_b
    return _Saturation(k1, k1 * (1.0 - b + b * relative))


def _strengths(rows: Csr, saturation: _Saturation | None) -> Float64:
    """The entry of each interaction, over that of one of weight 1, float64 (entries,).

    Empty without weights.
    """
    if rows.weights is None:
        return np.empty(0)
    weights = rows.weights.astype(np.float64)
    if saturation is None:
        return np.asarray(np.sqrt(weights), dtype=np.float64)
    ones = saturation.of(np.ones(rows.n_columns))
    return saturation.of(weights, rows.indices) / ones[rows.indices]


def _lengths(rows: Csr, weights: Float64, strengths: Float64) -> Float64:
    """The length of each item's vector, float64 (items,)."""
    owner = np.repeat(np.square(weights), rows.counts)
    if len(strengths):
        owner *= np.square(strengths)
    squares = np.bincount(rows.indices, owner, minlength=rows.n_columns)
    return np.sqrt(np.asarray(squares, dtype=np.float64))
