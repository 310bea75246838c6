"""The kernel of the closed form on the users' side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32
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
