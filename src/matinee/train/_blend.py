"""How far each member of an ensemble is believed, by held-out ratings.

Every entry of the ensemble (the copies of one network count as one, and share its weight evenly)
predicts the held-out ratings; the blend is the bias model plus weighted deviations from it.

1. Least squares over weights of at least 0 that sum to 1 gives one set; equal weights for all
   members are the other. They are mixed: least squares counts for

       max(0, 1 - 2 (entries - 1) s2 / gain)

   where ``gain`` is how much smaller its sum of squared errors is and ``s2`` the mean squared
   error under equal weights. By chance alone the gain is about (entries - 1) s2, so what may be
   chance counts for nothing, and what is twice that for half: the positive-part rule of James &
   Stein (1961), with Akaike's factor of 2. In expectation the mixture costs less than
   (entries - 1) s2 / n over equal weights even where these are the best there are.
2. The blended deviation is multiplied by the share, 0 to 1, that least squares asks for
   (``shrinkage_coefficient``): where tastes cannot be learned the blend becomes the bias model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base.arrays import Float64
from ._shrink import shrinkage_coefficient


@dataclass(frozen=True, eq=False)
class Blend:
    """Weights of the deviations from the bias model; what they lack to 1 is the bias model's.

    Attributes:
        weights: float64 (members,), at least 0; they sum to at most 1.
    """

    weights: Float64

    @classmethod
    def equal(cls, members: int, some: Sequence[int] | None = None) -> Blend:
        """The plain mean of all members, or of some."""
        weights = np.zeros(members)
        chosen = list(range(members) if some is None else some)
        weights[chosen] = 1.0 / max(len(chosen), 1)
        return cls(weights)


def fit_blend(
    deviations: Float64, wanted: Float64, entries: Sequence[Sequence[int]], members: int
) -> Blend:
    """Weigh members by held-out ratings.

    Args:
        deviations: Each entry's mean prediction less the bias model's, float64 (n, entries).
        wanted: The ratings less the bias model's predictions, float64 (n,).
        entries: The members (numbers from 0) that each entry is the mean of.
        members: Number of members.

    Returns:
        The blend; members of no entry have weight 0.
    """
    sizes = np.array([len(entry) for entry in entries], dtype=np.float64)
    if len(sizes) == 0:
        return Blend(np.zeros(members))
    weights = sizes / sizes.sum()
    errors = wanted[:, None] - deviations
    plain = float(np.square(errors @ weights).sum())
    if len(sizes) > 1 and plain > 0:
        best = _least_squares(errors)
        gain = plain - float(np.square(errors @ best).sum())
        chance = 2.0 * (len(sizes) - 1) * plain / len(wanted)
        trust = max(0.0, 1.0 - chance / gain) if gain > 0 else 0.0
        weights = (1.0 - trust) * weights + trust * best
    weights = weights * shrinkage_coefficient(deviations @ weights, wanted)
    each = np.zeros(members)
    for entry, weight in zip(entries, weights, strict=True):
        each[list(entry)] = weight / len(entry)
    return Blend(each)


def _least_squares(errors: Float64) -> Float64:
    """Weights of at least 0 that sum to 1 and make the squared sum of errors @ weights least.

    With a row that asks for a sum of 1 below the errors, non-negative least squares has this
    solution up to a factor, whatever the row weighs.
    """
    from scipy.optimize import nnls

    root: Float64 = np.asarray(np.linalg.qr(errors, mode="r"))
    scale = max(float(np.abs(root).max()), 1e-12)
    rows: Float64 = np.vstack([root / scale, np.ones(errors.shape[1])])
    found, _ = nnls(rows, np.append(np.zeros(len(root)), 1.0))
    weights: Float64 = found / found.sum()
    return weights
