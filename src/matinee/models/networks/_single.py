"""Predictions of a single network, with or without torch."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64
from ...baseline import BiasModel
from ...data import Histories, SideColumns
from ...errors import UsageError
from ..settings import Settings
from ._fitted import FittedNetwork


class Single:
    """Predictions of one network, or of the bias model for users unknown to it.

    Attributes:
        settings: The options.
        bias: The bias model.
        histories: The training ratings, or None.
    """

    settings: Settings
    bias: BiasModel
    histories: Histories | None

    @property
    @abstractmethod
    def _trained(self) -> FittedNetwork:
        """The network."""

    @property
    def folds_in(self) -> bool:
        """See ``Hooks``."""
        return self.settings.network.rows != "items"

    @property
    def stores_codes(self) -> bool:
        """See ``Hooks``."""
        return self._trained.stored is not None

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """See ``Hooks``."""
        return self._trained.side_columns

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, predictions: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        predictions = self._predict(histories, rows, items) if predictions is None else predictions
        if not self._trained.differs_for_known:
            return predictions, None
        new = ~self._trained.known_rows(histories)
        return predictions, new[rows].astype(np.float64)[:, None]

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        if not self._trained.by_items:
            return self._trained.predict(histories, rows, items, self.histories)
        out = self.bias.predict(histories, rows, items)
        known = np.flatnonzero(histories.users[rows] >= 0)
        if len(known):
            out[known] = self._trained.predict(histories, rows[known], items[known])
        return out

    def _scores(self, histories: Histories) -> Float32:
        if not self._trained.by_items:
            return self._trained.scores(histories, self.histories)
        scores = self.bias.scores(histories)
        known = np.flatnonzero(histories.users >= 0)
        if len(known):
            scores[known] = self._trained.scores(histories.take(known))
        return scores

    def encode(self, histories: Histories) -> Float32:
        """Return the last hidden layer, float32, shape (users, hidden[-1]).

        Raises:
            UsageError: The network's rows are items, so there are no user vectors.
        """
        if self._trained.by_items:
            raise UsageError("with rows = 'items' the network has no vectors for people")
        return self._trained.encode(histories)
