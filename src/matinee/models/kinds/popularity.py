"""Popularity: recommends the items with the most ratings."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...data import Ratings
from ...recommend.interest import Calibration, FittedInterest, Popularity as Counts
from ..registry import ModelKind
from .lists import ListModel


class Popularity(ListModel):
    """Ranks items by their number of training ratings; predicts by the bias model.

    The lists are not personalised. The predicted ratings are.
    """

    kind: ClassVar[str] = "popularity"

    def _fit_interest(self, train: Ratings, seed: int) -> FittedInterest:
        counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
        return FittedInterest(Counts(counts), Calibration(love=0.0, floor=0.0))


KINDS = (
    ModelKind(
        "popularity",
        Popularity,
        "The most rated items first; predicted ratings are the bias model's.",
    ),
)
