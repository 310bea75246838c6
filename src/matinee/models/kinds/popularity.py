"""Popularity: recommends the items with the most ratings."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...data import Histories, Ratings
from ..one_shot import EpochLog, OneShot
from ..registry import ModelKind


class Popularity(OneShot):
    """Ranks items by their number of training ratings; predicts by the bias model.

    Every list has to beat this one. A person's own ratings change what is predicted for them, not
    the order of their list.
    """

    kind: ClassVar[str] = "popularity"
    counts: npt.NDArray[np.int64]
    """Training ratings of each item, shape (n_items,), after ``fit``."""

    @property
    def takes_interactions(self) -> bool:
        """Counts need no ratings."""
        return True

    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        self.counts = np.bincount(train.items, minlength=train.n_items)

    def _predict(
        self, histories: Histories, rows: npt.NDArray[np.int64], items: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float64]:
        return self.bias.predict(histories, rows, items)

    def _scores(self, histories: Histories) -> npt.NDArray[np.float32]:
        return self.bias.scores(histories)

    def _rank_scores(self, histories: Histories) -> npt.NDArray[np.float32]:
        return np.tile(self.counts.astype(np.float32), (len(histories), 1))

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"counts": self.counts}

    def _load(self, arrays: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> None:
        self.counts = arrays["counts"]


KINDS = (
    ModelKind(
        "popularity",
        "matinee.models.kinds.popularity:Popularity",
        "The most rated items first; predicted ratings are the bias model's.",
    ),
)
