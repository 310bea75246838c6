"""``Coded``: predictions and ranking scores by codes, for any people and items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data import Histories
from ..errors import TrainingError, UsageError
from ._answers import answers
from .hooks import Hooks
from .support import item_counts

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


class Coded(Hooks):
    """The part of ``Recommender`` that is asked by codes, for the package's own use."""

    def predict_coded(
        self, histories: Histories, rows: Int64, items: Int32, *, clip: bool = True
    ) -> Float64:
        """``predict`` in codes, for the package's own use.

        Args:
            histories: People, by this model's items.
            rows: Which person each prediction is for, shape (n,); -1 for an unknown one.
            items: Item codes, shape (n,); -1 for an unknown item.
            clip: Whether to clip to the scale, if the model clips.

        Returns:
            float64, shape (n,).
        """
        out, _ = answers(self, histories, rows, items)
        return self._clipped(out) if clip else out

    def predict_coded_std(
        self, histories: Histories, rows: Int64, items: Int32, told: Float64 | None = None
    ) -> tuple[Float64, Float64]:
        """``predict_coded``, and a standard deviation of each, float64 (n,).

        ``told`` is what ``predict_coded`` gave, unclipped, where it was asked already.

        Raises:
            UsageError: The model was saved without what it takes.
        """
        if self.spread is None:
            raise UsageError("this model was saved without standard deviations; train it anew")
        out, std = answers(self, histories, rows, items, self.spread, told)
        return self._clipped(out), std

    def scores_coded(self, histories: Histories) -> Float32:
        """Unclipped predictions of all items for some people, float32 (people, n_items)."""
        return self._all_scores(self._scores, histories, self.bias.mean + self.bias.item_bias)

    def rank_scores_coded(self, histories: Histories) -> Float32:
        """What items are ranked by for some people, float32 (people, n_items): higher is better.

        These are the unclipped predictions, unless the model ranks by scores of its own; people
        with no history are then given the most rated items first.
        """
        counts = None if self.ranks_by_rating else item_counts(self)
        if counts is None:
            return self._all_scores(
                self._rank_scores, histories, self.bias.mean + self.bias.item_bias
            )
        return self._all_scores(self._rank_scores, histories, counts)

    def _all_scores(
        self, score: Callable[[Histories], Float32], histories: Histories, empty: npt.NDArray[Any]
    ) -> Float32:
        """Scores of all items for people with a history; ``empty`` (n_items,) for those without."""
        some = np.flatnonzero(histories.counts > 0)
        if 0 < len(some) == len(histories):
            scores = score(histories)
        else:
            scores = np.empty((len(histories), self.n_items), dtype=np.float32)
            scores[:] = empty
            if len(some):
                scores[some] = score(histories.take(some))
        if not np.isfinite(scores).all():
            raise TrainingError("the model gives scores that are no numbers; train it anew")
        return scores
