"""Compiled kernels of the closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64
from ...base.compiled import inlined, shared

_TOGETHER = 8
"""Users processed together, so that their sums for an item stay in registers."""


@inlined
def _spread_together(
    people: Any, indptr: Any, indices: Any, data: Any, factor: Any, out: Any
) -> None:
    """Compute ``spread`` for at most ``_TOGETHER`` users."""
    few, users = people.shape
    amounts = np.zeros((users, _TOGETHER), dtype=np.float32)
    for user in range(users):
        for person in range(few):
            amounts[user, person] = people[person, user]
    sums = np.empty(_TOGETHER, dtype=np.float32)
    for item in range(len(indptr) - 1):
        sums[:] = 0
        for entry in range(indptr[item], indptr[item + 1]):
            user, value = indices[entry], data[entry]
            for person in range(_TOGETHER):
                sums[person] += amounts[user, person] * value
        for person in range(few):
            out[person, item] = sums[person] * factor[item]


@shared(lambda people, *_: (len(people) + _TOGETHER - 1) // _TOGETHER)
def spread(
    begin: int,
    end: int,
    people: Float32,
    indptr: npt.NDArray[np.signedinteger],
    indices: npt.NDArray[np.signedinteger],
    data: Float32,
    factor: Float32,
    out: Float32,
) -> None:
    """Compute ``out = (people @ columns) * factor`` with sparse columns.

    Args:
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        people: float32 (people, users).
        indptr: integer (items + 1,).
        indices: integer (entries,), users of the entries of each column, ascending.
        data: float32 (entries,).
        factor: float32 (items,).
        out: float32 (people, items), overwritten.
    """
    for group in range(begin, end):
        first = group * _TOGETHER
        last = min(first + _TOGETHER, len(people))
        _spread_together(people[first:last], indptr, indices, data, factor, out[first:last])


@shared(64)
def add_gram(
    begin: int,
    end: int,
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
        begin: The first row to compute; see ``shared``.
        end: The row after the last.
        starts: integer (columns + 1,), start of each column in ``entries``.
        entries: integer (entries,), positions of each column's entries, ascending.
        row_of: integer (entries,), the row of each of ``entries``.
        indptr: integer (rows + 1,).
        indices: integer (entries,), columns, ascending within a row.
        data: float64 (entries,).
        out: float (columns, columns).
    """
    columns = len(starts) - 1
    for chunk in range(begin, end):  # interleaved: the last rows of a triangle are the longest
        for column in range(chunk, columns, 64):
            column_of_out = out[column]
            for at in range(starts[column], starts[column + 1]):
                entry = entries[at]
                amount = data[entry]
                for other in range(indptr[row_of[at]], entry + 1):
                    column_of_out[indices[other]] += amount * data[other]
