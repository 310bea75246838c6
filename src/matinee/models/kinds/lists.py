"""List models: they order items by interest; the bias model answers for ratings."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...data import Histories, Ratings
from ..one_shot import EpochLog, OneShot
from ..registry import ModelKind


class ListModel(OneShot):
    """Recommends by a scorer of interest; the ratings that it predicts are the bias model's.

    It learns from which items people chose, with or without ratings. ``lists.interest`` names the
    scorer and the section beside it has its options; the presets "lists",
    "ease", "mult-dae" and "mult-vae" are models of this kind.
    """

    kind: ClassVar[str] = "lists"

    @property
    def takes_interactions(self) -> bool:
        """See ``Hooks``."""
        return True

    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        """What there is to learn is the scorer of interest, which every model has."""

    def _predict(
        self, histories: Histories, rows: npt.NDArray[np.int64], items: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float64]:
        return self.bias.predict(histories, rows, items)

    def _scores(self, histories: Histories) -> npt.NDArray[np.float32]:
        return self.bias.scores(histories)


KINDS = (
    ModelKind(
        name="lists",
        cls="matinee.models.kinds.lists:ListModel",
        summary="Items by interest; predicted ratings are the bias model's.",
        uses=("lists",),
    ),
)
