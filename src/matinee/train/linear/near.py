"""The closed form with few weights per item, solved among each item's nearest items.

With G, Gamma and B of ``solve.py``, column j of EASE's B minimises b'(G + Gamma)b - 2 b'G[:, j]
with b[j] = 0. Here b is also 0 outside the k items N most similar to j,

    b[N] = (G[N, N] + Gamma[N])^-1 G[N, j],

which is the same column if N contains all other items. Memory is items x k, time items x k^3; no
matrix of items by items or users by users is formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Float32
from ...data import Csr
from .config import LinearConfig
from .gram import interactions
from .near_kernels import solve_near


@dataclass(frozen=True, eq=False)
class NearWeights:
    """Sparse weights: a few items for each item.

    Attributes:
        weights: float32 CSR (items, items); column j weighs the history for item j.
    """

    weights: Any

    def scores(self, rows: Csr) -> Float32:
        """See ``LinearWeights``."""
        return np.asarray((rows.scipy(rows.values) @ self.weights).toarray(), dtype=np.float32)


def fit_near(rows: Csr, config: LinearConfig, values: Float32 | None = None) -> NearWeights:
    """Fit each item's weights of its ``config.nearest`` nearest items.

    The nearest items have the largest G[i, j] / sqrt((G[i, i] + Gamma[i]) (G[j, j] + Gamma[j])):
    the cosine, reduced for rare items, whose weights the penalty shrinks.

    Args:
        rows: Interactions by user; values are not read.
        config: The options.
        values: Strength of each entry, float32 (entries,); 1 by default.
    """
    from ..implicit.knn import ItemSimilarity, by_target

    known = interactions(rows, config.user_power, values)
    gamma = known.gamma(config)
    plain = values is None or bool((values == 1.0).all())
    strengths = np.empty(0) if plain else known.matrix.data.astype(np.float64)
    lengths = np.sqrt(known.diagonal + gamma)
    similarity = ItemSimilarity(rows, strengths, np.sqrt(known.weights), lengths)
    near, _ = similarity.nearest(config.nearest)
    weights = np.empty(near.shape, dtype=np.float32)
    weighted = known.weighted().tocsc()
    solve_near(
        weighted.indptr, weighted.indices, weighted.data, gamma, len(rows.counts), near, weights
    )
    return NearWeights(by_target(near, weights))
