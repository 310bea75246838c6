"""Looks up rows of a sparse matrix by their content."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Float32, Int64, UInt64

_SEED = 20261128
_TOLERANCE = 1e-5


class KnownRows:
    """Finds the row of a matrix of which a vector is a multiple."""

    def __init__(self, matrix: Any) -> None:
        draw = np.random.default_rng(_SEED)
        self._matrix = matrix
        self._codes = draw.integers(0, 2**63, matrix.shape[1], dtype=np.uint64)
        keys = self._keys(matrix)
        self._order = np.argsort(keys, kind="stable")
        self._keys_sorted = keys[self._order]

    def find(self, vectors: Any) -> tuple[Int64, Float32]:
        """Return each vector's row, int64 (n,), -1 for none; and vector / row, float32 (n,).

        Args:
            vectors: float32 CSR (n, columns), indices ascending within a row.
        """
        matrix = self._matrix
        rows = np.full(vectors.shape[0], -1, dtype=np.int64)
        factors = np.ones(vectors.shape[0], dtype=np.float32)
        keys = self._keys(vectors)
        at = np.minimum(np.searchsorted(self._keys_sorted, keys), len(self._order) - 1)
        for vector in np.flatnonzero(self._keys_sorted[at] == keys):
            row = self._order[at[vector]]
            entries = slice(vectors.indptr[vector], vectors.indptr[vector + 1])
            its = slice(matrix.indptr[row], matrix.indptr[row + 1])
            if not np.array_equal(vectors.indices[entries], matrix.indices[its]):
                continue
            ratio = vectors.data[entries] / matrix.data[its]
            if len(ratio) and np.ptp(ratio) <= _TOLERANCE * ratio[0]:
                rows[vector], factors[vector] = row, ratio[0]
        return rows, factors

    def _keys(self, matrix: Any) -> UInt64:
        """Return a hash of each row's set of columns, uint64 (rows,)."""
        sums = np.zeros(len(matrix.indices) + 1, dtype=np.uint64)
        np.cumsum(self._codes[matrix.indices], out=sums[1:])  # modulo 2^64
        return sums[matrix.indptr[1:]] - sums[matrix.indptr[:-1]]
