"""Take a test set out of the ratings it was drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...base.arrays import Int64
from ...errors import DataError
from ..ratings import Ratings
from .shared import share_vocabularies


def subtract(ratings: Ratings, test: Ratings) -> tuple[Ratings, Ratings, int]:
    """Leave out of ratings every (user, item) pair that a test set has.

    Args:
        ratings: The ratings, with or without those of the test set.
        test: The test set.

    Returns:
        The remaining training ratings, the test set with the same vocabularies, and how many
        ratings were left out.

    Raises:
        DataError: No training rating would remain.
    """
    whole, held = share_vocabularies(ratings, test)
    in_both = np.isin(_pairs(whole), _pairs(held))
    if in_both.all():
        raise DataError(
            f"{ratings.name}: every rating is in the test set {test.name}; nothing is left to "
            "train on"
        )
    return replace(whole.take(~in_both), notes=ratings.notes), held, int(in_both.sum())


def _pairs(ratings: Ratings) -> Int64:
    return ratings.users.astype(np.int64) * ratings.n_items + ratings.items
