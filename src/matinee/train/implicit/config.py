"""Options of the scorers of interactions: ``IalsConfig``, ``ItemKnnConfig`` and ``BspmConfig``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...config import Config


class IalsConfig(Config):
    """Matrix factorisation of interactions by implicit alternating least squares (iALS).

    The objective of Rendle et al. 2021 (arXiv 2110.14037), after Hu et al. 2008: with
    ŷ = w_u · h_i, the sum of c (1 - ŷ)² over the interactions, of ``unobserved`` times ŷ² over all
    pairs, and of the regularisation of each vector. The confidence c of an interaction is its
    weight over the mean weight, 1 without weights; the 1 + αr of Hu et al. has α = 1 /
    (``unobserved`` times the mean weight). A weight of 2 is equivalent to two interactions.
    """

    factors: int = Field(128, ge=1)
    """Length of the factor vectors of users and items."""
    sweeps: int = Field(16, ge=1)
    """Alternating sweeps, each over all users, then all items."""
    steps: int = Field(6, ge=0)
    """Steps of conjugate gradients per vector and sweep, from its current value (Takács et al.
    2011); 0 solves exactly. Short rows, for which that is faster, and the vector of a person for
    scoring are always solved exactly."""
    unobserved: float = Field(0.1, gt=0.0)
    """Weight of all pairs, whose target is 0, relative to the mean weight of interactions."""
    ridge: float = Field(0.01, gt=0.0)
    """L2 regularisation of a vector, times (the total weight of its interactions + unobserved times
    the size of the other side) to the power of ``ridge_power``."""
    ridge_power: float = Field(1.0, ge=0.0, le=1.0)
    """Exponent of the growth of regularisation with the number of interactions: 1 is proportional,
    0 constant."""
    spread: float = Field(0.1, gt=0.0)
    """Standard deviation of the initial vectors, times the root of factors."""


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


class BspmConfig(Config):
    """Blurring and sharpening of interactions (BSPM, Choi et al. 2023), without training.

    Scores are a user's interactions blurred by the neighbours of items, plus their projection on
    the leading singular vectors (an ideal low-pass filter), sharpened by one Runge-Kutta step.
    Without sharpening it is GF-CF (Shen et al. 2021). Weights over the mean weight are the edge
    weights of the graph, normalised by the sums over each user and each item, like counts.
    """

    singular_vectors: int = Field(448, ge=1)
    """Number of singular vectors of the low-pass filter."""
    low_pass: float = Field(0.2, ge=0.0)
    """Weight of the low-pass filter relative to the blur."""
    blur: float = Field(1.0, ge=0.0)
    """Weight of the blur; with 0, and without sharpening, only the low-pass filter remains."""
    sharpen: float = Field(2.5, ge=0.0)
    """Time over which the sharpening runs; 0 for none."""
