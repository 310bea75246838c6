"""``ItemKnnConfig``: options of item-kNN."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...config import Config


class ItemKnnConfig(Config):
    """Item-kNN: an item's score is the sum of its similarities to its neighbours in the history.

    The similarity of two items is the dot product of their user vectors, weighted by ``weighting``,
    over the product of the two norms plus ``shrinkage``. An interaction of weight w, over the mean
    weight, is the entry √w in both, and in the history that is scored: the cosine of √w, as in the
    tf-idf of the library implicit.
    """

    neighbours: int = Field(100, ge=1)
    """Number of nearest neighbours of an item."""
    shrinkage: float = Field(10.0, ge=0.0)
    """Added to the product of the norms, which lowers the similarity of rare items."""
    weighting: Literal["none", "tfidf", "bm25"] = "tfidf"
    """"none" is the plain cosine. "tfidf" weights a person by the logarithm of the number of all
    items over theirs; "bm25" does so too and, in place of the norms, saturates each item by its
    popularity: an interaction of weight w is w (k1 + 1) / (w + k1 (1 - b + b p)) with p the item's
    weight over the mean item's."""
    bm25_k1: float = Field(100.0, gt=0.0)
    """k1 of BM25: larger values saturate later."""
    bm25_b: float = Field(0.5, ge=0.0, le=1.0)
    """b of BM25: how far saturation depends on the popularity of the item."""
