"""Choose the settings of the linear autoencoder on interactions held out of training.

A few systems are solved; on each, several scales of the weights (``diagonal_power``, ``relax``) are
evaluated without solving again. The candidates were chosen on training parts of MovieLens-1M
(docs/lab-notes.md); the penalty is in units of the mean number of interactions of an item.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from ...train.linear import LinearConfig, solve
from .held_out import HeldOut
from .scorers.linear import Linear, Tilt

PENALTIES = (2.5, 0.8, 7.0)
"""Penalties, in units of the mean number of interactions of an item."""
FIRST = {"user_power": 0.5, "denoising": 0.6}
THEN = ({"user_power": 0.7, "denoising": 0.7}, {"user_power": 0.3, "denoising": 0.4})
SCALES: tuple[dict[str, float], ...] = (
    {"diagonal_power": 1.0},
    {"diagonal_power": 0.8},
    {"relax": 0.4},
)
TILT = 0.2


def search_linear(part: HeldOut, config: LinearConfig) -> tuple[LinearConfig, Linear | None]:
    """Find the settings with the highest mean nDCG on held-out interactions.

    Returns:
        The settings, and the scorer fitted with them to ``part.known``; None without users to
        search on.
    """
    mean = len(part.known.indices) / max(part.known.n_columns, 1)

    def penalty(times: float) -> float:
        return max(times * mean, 1.0)

    values = {**FIRST, "tilt": TILT, "penalty": penalty(PENALTIES[0]), "nearest": 0}
    first = config.replace(values)
    if not len(part.people):
        return first, None
    best = max((_tried(part, first.replace({"penalty": penalty(t)})) for t in PENALTIES), key=_NDCG)
    for values in THEN:
        base = best.config.replace({**values, "diagonal_power": 1.0, "relax": 0.0})
        best = max(best, _tried(part, base), key=_NDCG)
    return best.config, best.fitted


@dataclass(frozen=True, eq=False)
class _Tried:
    """The best scale of the weights of one solved system: mean nDCG, settings and scorer."""

    ndcg: float
    config: LinearConfig
    fitted: Linear


_NDCG = attrgetter("ndcg")


def _tried(part: HeldOut, config: LinearConfig) -> _Tried:
    known = part.known
    tilt = Tilt.of(config.tilt, known.values)
    solved = solve(known, config, tilt.entries(known))
    candidates = [config.replace(values) for values in SCALES]
    scales = [solved.scale(candidate) for candidate in candidates]
    raw = Linear(np.ones(known.n_columns, dtype=np.float32), solved.weights(), tilt)
    totals = np.zeros(len(candidates))
    for people, histories in part.batches():
        scores = raw.scores(histories)
        for at, scale in enumerate(scales):
            totals[at] += part.ndcg_of(scores * scale.astype(np.float32), people).sum()
    at = int(np.argmax(totals))
    del raw  # free its weights before scaled ones are made
    fitted = Linear.solved(known, candidates[at], tilt, solved.weights(scales[at]))
    return _Tried(float(totals[at]) / len(part.people), candidates[at], fitted)
