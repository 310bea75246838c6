"""The ranking score: interest times the probability of liking."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Float32
from ..data import Histories, Scale

LARGEST_POWER = 4.0
"""Exponent above which the ranking score is a root. In float32 the power itself would be 0, with an
exponent of 20 for probabilities below 0.01."""


def ranking_score(interest: Float32, liked: Float32, love: float, floor: float = 0.0) -> Float32:
    """Compute ``max(interest, floor) * liked ** love`` in place.

    Above ``LARGEST_POWER`` the score is the love-th root of this, which orders equally.

    Args:
        interest: Scores of interest, float32 (people, items).
        liked: Probability of liking, float32 (people, items).
        love: Exponent; 0 orders by interest alone.
        floor: Lower bound of the scores of interest, in units of the root mean square of a user's
            scores.
    """
    size = np.sqrt(np.mean(np.square(interest), axis=1, keepdims=True))
    np.maximum(interest, np.float32(floor) * size, out=interest)
    if love > LARGEST_POWER:
        root = np.power(np.abs(interest), np.float32(1.0 / love))
        np.copysign(root, interest, out=interest)
        interest *= liked
    else:
        interest *= liked if love == 1.0 else np.power(liked, np.float32(love))
    return interest


def without_dislikes(histories: Histories, scale: Scale, mean: float) -> Histories:
    """Leave out the histories of users who rated everything below the middle of the scale.

    Choices that were all disliked do not predict what a user likes: such users have the scores of
    interest of a user without a history, and the predicted ratings alone are personal. Nothing is
    left out if the mean of all ratings is below the middle, as of play counts.
    """
    middle = (scale.low + scale.high) / 2.0
    if mean < middle:
        return histories
    rows = histories.entry_rows
    others = np.bincount(rows[histories.values >= middle], minlength=len(histories))
    if others[histories.counts > 0].all():
        return histories
    return histories.where(others[rows] > 0)


def personalised(
    scores: Float32, usual: Float32, personal: float, by_rating: bool, logits: bool = False
) -> Float32:
    """Emphasise, or reduce, the personalised part of scores.

    From predicted ratings, ``personal`` times the unpersonalised rating of the item is subtracted.
    Other scores are divided by the unpersonalised score plus the mean of these, to the power of
    ``personal``; adding the mean keeps items that nobody chose from ranking first. From logits the
    logarithm is subtracted.

    Args:
        scores: Ranking scores of each user, float32 (people, items).
        usual: Ranking scores of a user without ratings, float32 (1, items).
        personal: From -1 to 1; 0 changes nothing, below 0 unpersonalised scores count more.
        by_rating: Whether the scores are predicted ratings.
        logits: Whether they are log probabilities, up to a constant per user.

    Returns:
        float32 (people, items). Scores of interest are clipped to at least 0; logits and predicted
        ratings are not.
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
    """Combine scores of several users into one ranking.

    Args:
        scores: Ranking scores of each user, float32 (people, items).
        rule: "least_misery" ranks by the users' lowest score (O'Connor et al., ECSCW 2001),
            "mean" by the mean.
        by_rating: Whether the scores are predicted ratings, which are comparable. Others are
            divided by each user's maximum.

    Returns:
        float32 (1, items).
    """
    if not by_rating:
        highest = np.maximum(scores.max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        scores = scores / highest
    whole = scores.min(axis=0) if rule == "least_misery" else scores.mean(axis=0)
    return whole[None].astype(np.float32)
