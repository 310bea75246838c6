"""List models: items are ordered by interest; ratings are predicted by the bias model."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...data import Ratings
from ..one_shot import EpochLog, OneShot
from ..registry import ModelKind


class ListModel(OneShot):
    """Recommends by a scorer of interest; predicts ratings by the bias model.

    Trains on interactions, with or without ratings and weights. ``lists.interest`` names the
    scorer, whose options are in the section of that name; the presets "lists", "ease", "mult-dae",
    "mult-vae" and "recvae" are of this kind.
    """

    kind: ClassVar[str] = "lists"
    takes_interactions = True
    takes_weights = True

    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        """Nothing to fit: ``fit`` itself fits the scorer of interest."""


KINDS = (
    ModelKind(
        name="lists",
        cls=ListModel,
        summary="Items by interest; predicted ratings are the bias model's.",
        uses=("lists",),
    ),
)
