"""Compiled kernels of the closed form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64
from ...base.compiled import kernel, prange


@kernel(parallel=True)
def spread(
    people: Float32,
    indptr: npt.NDArray[np.signedinteger],
    indices: npt.NDArray[np.signedinteger],
    data: Float32,
    factor: Float32,
    out: Float32,
) -> None:
    """``out = (people @ rows) * factor``, rows being sparse: scores stay in cache for a person.

    Args:
        people: float32 (people, users).
        indptr: integer (users + 1,).
        indices: integer (entries,), columns of the entries of ``rows``.
        data: float32 (entries,).
        factor: float32 (items,).
        out: float32 (people, items), overwritten.
    """
    for person in prange(len(people)):
        mine = out[person]
        mine[:] = 0
        for user in range(len(indptr) - 1):
            amount = people[person, user]
            for entry in range(indptr[user], indptr[user + 1]):
                mine[indices[entry]] += amount * data[entry]
        for item in range(len(mine)):
            mine[item] *= factor[item]


@kernel(parallel=True)
def add_gram(
    starts: npt.NDArray[np.signedinteger],
    entries: npt.NDArray[np.signedinteger],
    row_of: npt.NDArray[np.signedinteger],
    indptr: npt.NDArray[np.signedinteger],
    indices: npt.NDArray[np.signedinteger],
    data: Float64,
    out: npt.NDArray[np.floating],
) -> None:
    """Add ``matrix.T @ matrix`` of a sparse matrix to the lower triangle of ``out``.

    Args:
        starts: integer (columns + 1,), where the entries of each column begin in ``entries``.
        entries: integer (entries,), the positions of the entries of each column, ascending.
        row_of: integer (entries,), the row of each entry.
        indptr: integer (rows + 1,).
        indices: integer (entries,), columns, ascending within a row.
        data: float64 (entries,).
        out: float (columns, columns).
    """
    columns = len(starts) - 1
    for chunk in prange(64):  # dealt out in turn: the last rows of a triangle are the longest
        for column in range(chunk, columns, 64):
            mine = out[column]
            for at in range(starts[column], starts[column + 1]):
                entry = entries[at]
                amount = data[entry]
                for other in range(indptr[row_of[entry]], entry + 1):
                    mine[indices[other]] += amount * data[other]
