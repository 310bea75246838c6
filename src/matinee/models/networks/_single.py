"""How a model of one network answers, with torch or without."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...baseline import BiasTable
from ...data import Histories
from ...errors import UsageError
from ..settings import Settings
from ._blending import Member


class Single:
    """The answers of one network; where it knows nothing of a person, the bias model's.

    Attributes:
        settings: The options.
        bias: The bias model.
    """

    settings: Settings
    bias: BiasTable

    @property
    @abstractmethod
    def _trained(self) -> Member:
        """The network."""

    @property
    def folds_in(self) -> bool:
        """See ``Hooks``."""
        return self.settings.network.rows != "items"

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, told: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        told = self._predict(histories, rows, items) if told is None else told
        if not self._trained.by_items:
            return told, None
        return told, (histories.users[rows] < 0).astype(np.float64)[:, None]

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        if not self._trained.by_items:
            return self._trained.predict(histories, rows, items)
        out = self.bias.predict(histories, rows, items)
        met = np.flatnonzero(histories.users[rows] >= 0)
        if len(met):
            out[met] = self._trained.predict(histories, rows[met], items[met])
        return out

    def _scores(self, histories: Histories) -> Float32:
        if not self._trained.by_items:
            return self._trained.scores(histories)
        scores = self.bias.scores(histories)
        met = np.flatnonzero(histories.users >= 0)
        if len(met):
            scores[met] = self._trained.scores(histories.take(met))
        return scores

    def encode(self, histories: Histories) -> Float32:
        """The last hidden layer for people, float32, shape (people, hidden[-1]).

        Raises:
            UsageError: The network's rows are items, so people have no vector.
        """
        if self._trained.by_items:
            raise UsageError("with rows = 'items' the network has no vectors for people")
        return self._trained.encode(histories)
