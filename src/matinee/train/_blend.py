"""``Blend``: the weights of an ensemble's members, fitted on held-out ratings.

An entry of the ensemble is one network or the copies of one, which divide its weight evenly. Each
entry predicts the held-out ratings; the blend is the bias model plus weighted deviations from it.

1. The weights are a mixture of equal weights and the least-squares weights that are non-negative
   and sum to 1. The latter have the mixing proportion

       max(0, 1 - 2 (entries - 1) s2 / gain)

   where ``gain`` is the decrease in the sum of squared errors from equal to least-squares weights
   and ``s2`` the mean squared error under equal weights: the positive-part rule of James & Stein
   (1961), with Akaike's factor of 2, as the expected gain by chance is about (entries - 1) s2. The
   expected cost of the mixture over equal weights is below (entries - 1) s2 / n, even if equal
   weights are optimal.
2. The blended deviation is multiplied by its ``shrinkage_coefficient``, 0 to 1: if no user-item
   interactions can be learned, the blend becomes the bias model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base.arrays import Float64
from ._shrink import shrinkage_coefficient


@dataclass(frozen=True, eq=False)
class Blend:
    """Weights of the members' deviations from the bias model.

    Attributes:
        weights: float64 (members,), at least 0; they sum to at most 1.
    """

    weights: Float64

    @classmethod
    def equal(cls, members: int, chosen_members: Sequence[int] | None = None) -> Blend:
        """Return equal weights for all members, or for some."""
        weights = np.zeros(members)
        chosen = list(range(members) if chosen_members is None else chosen_members)
        weights[chosen] = 1.0 / max(len(chosen), 1)
        return cls(weights)


def fit_blend(
    deviations: Float64, target: Float64, entries: Sequence[Sequence[int]], members: int
) -> Blend:
    """Fit the weights on held-out ratings.

    Args:
        deviations: Each entry's mean prediction minus the bias model's, float64 (n, entries).
        target: The ratings minus the bias model's predictions, float64 (n,).
        entries: The members (numbers from 0) averaged in each entry.
        members: Number of members.

    Returns:
        The blend; members of no entry have weight 0.
    """
    sizes = np.array([len(entry) for entry in entries], dtype=np.float64)
    if len(sizes) == 0:
        return Blend(np.zeros(members))
    weights = sizes / sizes.sum()
    errors = target[:, None] - deviations
    plain = float(np.square(errors @ weights).sum())
    if len(sizes) > 1 and plain > 0:
        best = _least_squares(errors)
        gain = plain - float(np.square(errors @ best).sum())
        chance = 2.0 * (len(sizes) - 1) * plain / len(target)
        proportion = max(0.0, 1.0 - chance / gain) if gain > 0 else 0.0
        weights = (1.0 - proportion) * weights + proportion * best
    weights = weights * shrinkage_coefficient(deviations @ weights, target)
    each = np.zeros(members)
    for entry, weight in zip(entries, weights, strict=True):
        each[list(entry)] = weight / len(entry)
    return Blend(each)


def _least_squares(errors: Float64) -> Float64:
    """Minimise |errors @ weights|^2 over non-negative weights that sum to 1.

    Solved by non-negative least squares with the constraint as a further row: up to a factor, the
    solution does not depend on the weight of that row.
    """
    from scipy.optimize import nnls

    root: Float64 = np.asarray(np.linalg.qr(errors, mode="r"))
    scale = max(float(np.abs(root).max()), 1e-12)
    rows: Float64 = np.vstack([root / scale, np.ones(errors.shape[1])])
    solution, _ = nnls(rows, np.append(np.zeros(len(root)), 1.0))
    return solution / solution.sum()
