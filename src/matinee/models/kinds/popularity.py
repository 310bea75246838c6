"""Popularity: recommends the items with the most ratings."""

from __future__ import annotations

from typing import ClassVar

from ...data import Ratings
from ...recommend.interest import (
    Calibration,
    FittedInterest,
    Popularity as Counts,
    mean_one,
    users_of_items,
)
from ..registry import ModelKind
from .lists import ListModel


class Popularity(ListModel):
    """Ranks items by their number of training ratings, or the sum of their weights.

    Ratings are predicted by the bias model: unlike the lists, they are personalised.
    """

    kind: ClassVar[str] = "popularity"

    def _fit_interest(self, train: Ratings, seed: int) -> FittedInterest:
        rows, unit = mean_one(train.by_user)
        scorer = Counts(users_of_items(rows))
        scorer.unit = unit
        return FittedInterest(scorer, Calibration(love=0.0, floor=0.0))


KINDS = (
    ModelKind(
        "popularity",
        Popularity,
        "The most rated items first; predicted ratings are the bias model's.",
    ),
)
