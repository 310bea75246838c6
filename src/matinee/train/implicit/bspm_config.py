"""``BspmConfig``: how interactions are blurred and sharpened."""

from __future__ import annotations

from pydantic import Field

from ...config import Config


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
