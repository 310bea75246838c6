"""Items that a person chose without rating them."""

from __future__ import annotations

from ..baseline.preference import liked_from
from ..data import Scale


def unrated(scale: Scale, liked: bool | None = None) -> float:
    """The rating that an item without one stands for.

    Args:
        scale: Range of the ratings of the model.
        liked: Whether the person said so. None, as for a click or a purchase, counts as liked:
            three quarters up the scale, which is 4 of 1 to 5. False is the lowest rating.
    """
    if liked is False:
        return scale.low
    return liked_from(scale)


def is_constant(scale: Scale) -> bool:
    """Whether a model was trained on interactions that are all alike."""
    return scale.low == scale.high
