"""The ranking score: interest times the probability of liking."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Float32


def ranking_score(interest: Float32, liked: Float32, love: float, floor: float = 0.0) -> Float32:
    """``max(interest, floor) * liked ** love``, in place.

    Args:
        interest: Scores of interest, float32 (people, items).
        liked: Probability of liking, float32 (people, items).
        love: Exponent; 0 orders by interest alone.
        floor: Lower bound of the scores of interest, in units of the root mean square of a user's
            scores.
    """
    size = np.sqrt(np.mean(np.square(interest), axis=1, keepdims=True))
    np.maximum(interest, np.float32(floor) * size, out=interest)
    interest *= liked if love == 1.0 else np.power(liked, np.float32(love))
    return interest


def combined(scores: Float32, how: str, by_rating: bool) -> Float32:
    """One ranking for several people.

    Args:
        scores: What items are ranked by for each of them, float32 (people, items).
        how: "least_misery" ranks by the lowest of their scores (O'Connor et al., ECSCW 2001),
            "mean" by the mean.
        by_rating: Whether the scores are predicted ratings, which compare as they are. Others are
            divided by each person's highest.

    Returns:
        float32 (1, items).
    """
    if not by_rating:
        highest = np.maximum(scores.max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        scores = scores / highest
    whole = scores.min(axis=0) if how == "least_misery" else scores.mean(axis=0)
    combined_scores: Float32 = whole[None].astype(np.float32)
    return combined_scores
