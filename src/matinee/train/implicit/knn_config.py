"""``ItemKnnConfig``: how neighbours of items are found."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...config import Config


class ItemKnnConfig(Config):
    """Item-kNN: an item scores the similarities of its nearest neighbours that a person has.

    The similarity of two items is the dot product of who has them, each person weighted by
    ``weighting``, over the product of the two lengths plus ``shrinkage``. An interaction of weight
    w, over the mean weight, is the entry √w in both, and in the history that is scored: the cosine
    of √w, as the tf-idf of the library implicit has it.
    """

    neighbours: int = Field(100, ge=1)
    """Nearest neighbours of an item that count."""
    shrinkage: float = Field(10.0, ge=0.0)
    """Added to the product of the lengths: pairs of rare items count less."""
    weighting: Literal["none", "tfidf", "bm25"] = "tfidf"
    """With "none" it is the plain cosine. "tfidf" weighs a person by the logarithm of the number of
    all items over theirs; "bm25" does so too and, in place of the lengths, saturates each item by
    its popularity: an interaction of weight w is w (k1 + 1) / (w + k1 (1 - b + b p)) with p the
    item's weight over the mean item's."""
    bm25_k1: float = Field(100.0, gt=0.0)
    """How late an item saturates, where weighting = "bm25"."""
    bm25_b: float = Field(0.5, ge=0.0, le=1.0)
    """How far saturation depends on the popularity of the item, where weighting = "bm25"."""
