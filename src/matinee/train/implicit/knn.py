"""Item-kNN: nearest neighbours of items by their users (Deshpande & Karypis 2004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Float32, Float64, Int32
from ...data import Csr
from .config import ItemKnnConfig
from .ials import transposed
from .knn_kernels import nearest


@dataclass(frozen=True, eq=False)
class _Saturation:
    """The saturation of BM25, ``w (k1 + 1) / (w + norm[item])``."""

    k1: float
    norms: Float64

    def of(self, weights: Float64, items: Int32 | slice = slice(None)) -> Float64:
        """Return the saturated weights of interactions with items, float64 (n,)."""
        return weights * ((self.k1 + 1.0) / (self.norms[items] + weights))


@dataclass(frozen=True, eq=False)
class ItemSimilarity:
    """Items as vectors over users; similarities are dot products over their lengths.

    Attributes:
        rows: Interactions by user.
        strengths: float64 (entries,), the entry of each interaction; empty if all are 1.
        weights: float64 (users,), factors of the users' entries.
        lengths: float64 (items,).
    """

    rows: Csr
    strengths: Float64
    weights: Float64
    lengths: Float64

    def nearest(self, limit: int, shrinkage: float = 0.0) -> tuple[Int32, Float32]:
        """Return the nearest neighbours of each item.

        Args:
            limit: Largest number of neighbours.
            shrinkage: Added to the product of the lengths.

        Returns:
            int32 and float32 (items, k): the items, -1 after the last, and their similarities.
        """
        n_items = self.rows.n_columns
        width = max(1, min(limit, n_items - 1))
        columns = transposed(self.rows)
        neighbours = np.empty((n_items, width), dtype=np.int32)
        similarity = np.empty((n_items, width), dtype=np.float32)
        by_user = self.rows.indptr, self.rows.indices, self.strengths
        strengths = self.strengths[columns.order] if len(self.strengths) else self.strengths
        by_item = columns.indptr, columns.indices, strengths
        nearest(by_item, by_user, self.weights, self.lengths, shrinkage, neighbours, similarity)
        return neighbours, similarity


def by_target(neighbours: Int32, values: Float32) -> Any:
    """Return float32 CSR (items, items); column j has the values of item j's neighbours.

    Args:
        neighbours: int32 (items, k), -1 after the last.
        values: float32 (items, k).
    """
    from scipy import sparse

    n_items = len(neighbours)
    mask = neighbours >= 0
    targets = np.repeat(np.arange(n_items, dtype=np.int32), mask.sum(axis=1))
    return sparse.csr_matrix((values[mask], (neighbours[mask], targets)), shape=(n_items, n_items))


def fit_item_knn(rows: Csr, config: ItemKnnConfig) -> Any:
    """Compute similarities of the nearest neighbours of each item.

    Interactions have weights of mean 1 or none; their values are not read.

    Returns:
        float32 CSR (items, items): column j holds the similarities of item j's neighbours, so that
        scores are histories @ similarities.
    """
    weights = _user_weights(rows, config)
    saturation = _saturation(rows, config)
    strengths = _strengths(rows, saturation)
    if saturation is None:
        lengths = _lengths(rows, weights, strengths)
    else:
        lengths = 1.0 / saturation.of(np.ones(rows.n_columns))
    shrinkage = 0.0 if config.weighting == "bm25" else config.shrinkage
    similarity = ItemSimilarity(rows, strengths, weights, lengths)
    return by_target(*similarity.nearest(config.neighbours, shrinkage))


def _user_weights(rows: Csr, config: ItemKnnConfig) -> Float64:
    """Return the factor of each user's entries, float64 (users,)."""
    if config.weighting == "none":
        return np.ones(rows.n_rows)
    # Positive even for a user with all items.
    return np.log((1.0 + rows.n_columns) / (1.0 + rows.counts)) + 1e-3


def _saturation(rows: Csr, config: ItemKnnConfig) -> _Saturation | None:
    """Return the saturation of BM25; None for other weightings."""
    if config.weighting != "bm25":
        return None
    popularity = rows.column_weights
    relative = popularity / max(float(popularity.mean()), 1e-12)
    k1, b = config.bm25_k1, config.bm25_b
    return _Saturation(k1, k1 * (1.0 - b + b * relative))


def _strengths(rows: Csr, saturation: _Saturation | None) -> Float64:
    """Return each interaction's entry relative to one of weight 1, float64 (entries,).

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
    """Return the length of each item's vector, float64 (items,)."""
    owner = np.repeat(np.square(weights), rows.counts)
    if len(strengths):
        owner *= np.square(strengths)
    squares = np.bincount(rows.indices, owner, minlength=rows.n_columns)
    return np.sqrt(np.asarray(squares, dtype=np.float64))
