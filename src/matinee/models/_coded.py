"""``Coded``: predictions and ranking scores by user and item codes."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Float32, Float64, Int32, Int64
from ..baseline.preference import fit_preference
from ..baseline.variance import HeldOutPredictions
from ..data import Histories, Ratings
from ..errors import TrainingError, UsageError
from ..recommend import interest_and_preference
from ._answers import answers
from .hooks import Hooks


class Coded(Hooks):
    """The internal interface of ``Recommender`` by codes instead of ids."""

    def predict_coded(
        self, histories: Histories, rows: Int64, items: Int32, *, clip: bool = True
    ) -> Float64:
        """``predict`` by codes.

        Args:
            histories: Histories of users, by this model's items.
            rows: The row in ``histories`` of each prediction, shape (n,); -1 for an unknown user.
            items: Item codes, shape (n,); -1 for an unknown item.
            clip: Whether to clip to the scale, if the model clips.

        Returns:
            float64, shape (n,).
        """
        out, _ = answers(self, histories, rows, items)
        return self._clipped(out) if clip else out

    def predict_coded_std(
        self, histories: Histories, rows: Int64, items: Int32, predictions: Float64 | None = None
    ) -> tuple[Float64, Float64]:
        """``predict_coded`` and predictive standard deviations, float64 (n,).

        ``predictions`` are the unclipped output of ``predict_coded``, if computed already.

        Raises:
            UsageError: The model was saved without a predictive variance.
        """
        if self.predictive_variance is None:
            raise UsageError("this model was saved without standard deviations; train it again")
        out, std = answers(self, histories, rows, items, self.predictive_variance, predictions)
        return self._clipped(out), std

    def scores_coded(self, histories: Histories) -> Float32:
        """Unclipped predictions of all items, float32 (users, n_items)."""
        some = np.flatnonzero(histories.counts > 0)
        if 0 < len(some) == len(histories):
            scores = self._scores(histories)
        else:
            scores = np.empty((len(histories), self.n_items), dtype=np.float32)
            items = np.arange(self.n_items, dtype=np.int32)
            scores[:] = self._unknown(histories, np.full(self.n_items, -1), items)
            if len(some):
                scores[some] = self._scores(histories.take(some))
        return _finite(scores)

    def rank_scores_coded(self, histories: Histories, love: float | None = None) -> Float32:
        """Ranking scores of all items, float32 (users, n_items); higher is better.

        Interest times the probability that the item is liked, to the power of ``love``; without a
        scorer of interest the unclipped predictions. ``recommend``, the evaluation of lists and
        the server all rank by this.

        Args:
            histories: Histories of the users.
            love: Exponent; by default the model's. 0 ranks by interest alone, infinity by predicted
                rating alone.
        """
        love = self.love if love is None else love
        if self.interest is None or love == np.inf:
            return self.scores_coded(histories)
        scores = self.interest.scores(histories)
        if love and self.preference is not None:
            liked = self.preference.probability(self.scores_coded(histories))
            interest_and_preference(scores, liked, love, self.floor)
        return _finite(scores)

    def _fit_lists(self, data: Ratings, errors: HeldOutPredictions, seed: int) -> None:
        """Fit the scorer of interest and its calibration."""
        if not data.implicit:
            held = data.by_user.values[errors.entries]
            # Leave-one-out errors of the bias model are no estimate of this model's errors.
            miss = errors.predictions - held
            error = float(np.sqrt(np.mean(np.square(miss)))) if errors.source == "bias" else None
            self.preference = fit_preference(
                errors.predictions, held, self.scale, self._like(), error
            )
        fitted = self._fit_interest(data, seed)
        if fitted is not None:
            self.interest = fitted.interest
            self.love, self.floor = fitted.calibration.love, fitted.calibration.floor


def _finite(scores: Float32) -> Float32:
    if not np.isfinite(scores).all():
        raise TrainingError("the model gives scores that are not numbers; train it again")
    return scores
