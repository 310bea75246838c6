"""Implied ratings of items that a user chose without rating them."""

from __future__ import annotations

from ..baseline.preference import liked_from
from ..data import Scale


def implied_rating(scale: Scale, liked: bool | None = None) -> float:
    """Return the rating implied by an interaction without a rating.

    Args:
        scale: Range of the ratings of the model.
        liked: True, or None for an interaction such as a click or a purchase, is three quarters
            of the scale, which is 4 on 1 to 5. False is the lowest rating.
    """
    if liked is False:
        return scale.low
    return liked_from(scale)


def is_constant(scale: Scale) -> bool:
    """Return whether a model was trained on interactions without weights."""
    return scale.low == scale.high
