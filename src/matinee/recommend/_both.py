"""One score of an item from both questions: is it chosen, and is it liked."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Float32


def interest_and_preference(
    interest: Float32, liked: Float32, love: float, floor: float = 0.0
) -> Float32:
    """``max(interest, floor) * liked ** love``, in place.

    Args:
        interest: Scores of interest, float32 (people, items).
        liked: Probability that the person likes each item, float32 (people, items).
        love: Exponent; 0 orders by interest alone.
        floor: Score below which all items count alike, in units of the root mean square of a
            person's scores.
    """
    size = np.sqrt(np.mean(np.square(interest), axis=1, keepdims=True))
    np.maximum(interest, np.float32(floor) * size, out=interest)
    interest *= liked if love == 1.0 else np.power(liked, np.float32(love))
    return interest
