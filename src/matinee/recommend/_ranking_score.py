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


def personalised(
    scores: Float32, usual: Float32, personal: float, by_rating: bool, logits: bool = False
) -> Float32:
    """Scores ordered more, or less, by what a person's own ratings add to everyone's scores.

    A score that is a predicted rating loses ``personal`` times everyone's rating of the item; any
    other is divided by everyone's score plus the mean of these, to the power of ``personal``: so
    much is added that an item that nobody chose does not come first. Logits lose the logarithm.

    Args:
        scores: What items are ranked by for each person, float32 (people, items).
        usual: The same for a person without ratings, float32 (1, items).
        personal: From -1 to 1; 0 changes nothing, and below 0 everyone's scores count for more.
        by_rating: Whether the scores are predicted ratings.
        logits: Whether they are logarithms of probabilities, up to a constant of each person.

    Returns:
        float32 (people, items). Scores of interest are not below 0; others are returned as they
        are.
    """
    if by_rating:
        return scores - np.float32(personal) * (usual - usual.mean())
    base = np.maximum(usual, 0)
    base += np.maximum(base.mean(), np.finfo(np.float32).tiny)
    base /= base.max()
    if logits:
        return (scores - np.float32(personal) * np.log(base)).astype(np.float32)
    factor = np.power(base, np.float32(-personal))
    return np.where(scores > 0, scores * factor, scores).astype(np.float32)


def combined(scores: Float32, rule: str, by_rating: bool) -> Float32:
    """One ranking for several people.

    Args:
        scores: What items are ranked by for each of them, float32 (people, items).
        rule: "least_misery" ranks by the lowest of their scores (O'Connor et al., ECSCW 2001),
            "mean" by the mean.
        by_rating: Whether the scores are predicted ratings, which compare as they are. Others are
            divided by each person's highest.

    Returns:
        float32 (1, items).
    """
    if not by_rating:
        highest = np.maximum(scores.max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        scores = scores / highest
    whole = scores.min(axis=0) if rule == "least_misery" else scores.mean(axis=0)
    return whole[None].astype(np.float32)
