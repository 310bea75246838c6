"""Blended predictions of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...base.arrays import Array, Float32, Float64, Int32, Int64, Mask
from ...baseline import BiasModel
from ...data import Histories, Scale
from ...errors import UsageError
from ._count_shift import CountShift
from ._fitted import FittedNetwork
from ._sampled import SampledMember


class Blending:
    """Predictions of an ensemble: the bias model plus the members' weighted deviations from it.

    Attributes:
        members: The networks.
        known: Weights of the members for known users, float64 (members,).
        new: Weights of the members for new users.
        shift: How the weights for known users depend on rating counts; None if they do not.
        bias: The bias model.
        scale: Range of the ratings.
    """

    members: Sequence[FittedNetwork | SampledMember]
    known: Float64
    new: Float64
    shift: CountShift | None = None
    bias: BiasModel
    scale: Scale

    @property
    def folds_in(self) -> bool:
        """See ``Hooks``."""
        return any(not member.by_items for member in self.members)

    def _extras(self, disagreement: Float64, new: Array) -> Float64:
        """Return covariates of the predictive variance, float64 (n, 2).

        The logarithm of the members' variance in units of the scale, with a floor of 0.01 squared,
        and whether the user is new.
        """
        unit = max(self.scale.high - self.scale.low, 1e-12)
        return np.column_stack([np.log(np.square(disagreement / unit) + 1e-4), new])

    def _weights(self, known: Mask) -> Float64:
        """Return the members' weights for each user, float64 (members, users)."""
        return np.where(known, self.known[:, None], self.new[:, None])

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        base, deviations, weights = self._deviations(histories, rows, items)
        for deviation, weight in zip(deviations, weights, strict=True):
            base += weight * deviation
        return base

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, predictions: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        base, deviations, weights = self._deviations(histories, rows, items)
        std = disagreement(deviations, weights)
        new = histories.users[rows] < 0
        return base + (weights * deviations).sum(axis=0), self._extras(std, new)

    def _deviations(
        self, histories: Histories, rows: Int64, items: Int32
    ) -> tuple[Float64, Float64, Float64]:
        """Return bias predictions (n,), and the members' deviations and weights (members, n)."""
        base = self.bias.predict(histories, rows, items)
        is_known = histories.users >= 0
        weights = self._weights(is_known)[:, rows]
        known = np.flatnonzero(is_known[rows])
        if self.shift is not None and len(known):
            shifts = self.shift.of(items[known], histories.counts[rows[known]])
            weights[:, known] += self.shift.direction[:, None] * shifts
        deviations = np.zeros((len(self.members), len(rows)))
        for member, weight, deviation in zip(self.members, weights, deviations, strict=True):
            if not weight.any():
                continue
            if not member.by_items:
                deviation[:] = member.predict(histories, rows, items) - base
            elif len(known):
                predicted = member.predict(histories, rows[known], items[known])
                deviation[known] = predicted - base[known]
        return base, deviations, weights

    def _scores(self, histories: Histories) -> Float32:
        known = np.flatnonzero(histories.users >= 0)
        weights = self._weights(histories.users >= 0).astype(np.float32)
        scores = self.bias.scores(histories)
        scores *= 1.0 - weights.sum(axis=0)[:, None]
        shift, shifts = self.shift, np.zeros((0, 0), dtype=np.float32)
        if shift is not None and len(known):
            counts = histories.counts[known, None]
            shifts = shift.of(np.arange(scores.shape[1])[None, :], counts).astype(np.float32)
        for number, (member, weight) in enumerate(zip(self.members, weights, strict=True)):
            slope = np.float32(0.0 if shift is None else shift.direction[number])
            if not weight.any() and (slope == 0.0 or not len(known)):
                continue
            if not member.by_items:
                member_scores = member.scores(histories)
                if slope != 0.0 and len(known):
                    scores[known] += slope * shifts * member_scores[known]
                member_scores *= weight[:, None]
                scores += member_scores
            elif len(known):
                member_scores = member.scores(histories.take(known))
                factor = weight[known, None]
                member_scores *= factor if slope == 0.0 else factor + slope * shifts
                scores[known] += member_scores
        return scores

    def encode(self, histories: Histories) -> Float32:
        """Return the concatenated last hidden layers of all members with users as rows.

        Returns:
            float32, shape (users, sum of those members' ``hidden[-1]``).

        Raises:
            UsageError: No member has users as rows, so there are no user vectors.
        """
        if not self.members:
            raise UsageError("Ensemble is not fitted; call fit(ratings) first")
        codes = [member.encode(histories) for member in self.members if not member.by_items]
        if not any(code.shape[1] for code in codes):
            raise UsageError("with rows = 'items' in all members there are no vectors for people")
        return np.concatenate(codes, axis=1)


def disagreement(deviations: Float64, weights: Float64) -> Float64:
    """Return the weighted standard deviation of the members' predictions, float64 (n,)."""
    positive = np.maximum(weights, 0.0)  # a shift by counts may make one negative
    share = positive / np.maximum(positive.sum(axis=0), 1e-12)
    mean = (share * deviations).sum(axis=0)
    return np.sqrt((share * np.square(deviations - mean)).sum(axis=0))
