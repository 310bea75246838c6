"""Interest by a linear autoencoder in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np

from ....base.arrays import Arrays, Float32, Mask, State
from ....data import Csr, Histories
from ....train.linear import (
    ItemWeights,
    LinearConfig,
    LinearWeights,
    NearWeights,
    UserWeights,
    fit_linear,
)
from ....train.lists import ListsConfig
from ..base import Interest, restored_sparse, sparse_state, users_of_items
from ..candidates import Candidate, OnEpoch
from ..held_out import HeldOut

_LEAST = 0.02


@dataclass(frozen=True)
class Tilt:
    """The strength of an interaction by its rating; see ``LinearConfig.tilt``.

    Attributes:
        tilt: Slope of the weight by rating; 0 for equal weights.
        mean: Mean training rating.
        deviation: Standard deviation of the training ratings.
    """

    tilt: float
    mean: float
    deviation: float

    @classmethod
    def of(cls, tilt: float, ratings: Float32) -> Self:
        """Fit to the training ratings; tilt 0 if they are all equal."""
        deviation = float(ratings.std(dtype=np.float64)) if len(ratings) else 0.0
        if deviation == 0.0 or tilt == 0.0:
            return cls(0.0, 0.0, 1.0)
        return cls(tilt, float(ratings.mean(dtype=np.float64)), deviation)

    def strengths(self, ratings: Float32) -> Float32:
        """Return the strength of each interaction, float32 (entries,), from ratings (entries,)."""
        if self.tilt == 0.0:
            return np.ones(len(ratings), dtype=np.float32)
        strengths_of = 1.0 + self.tilt * (ratings.astype(np.float64) - self.mean) / self.deviation
        return np.maximum(strengths_of, _LEAST).astype(np.float32)

    def entries(self, rows: Csr) -> Float32:
        """Return the entries of the linear autoencoder's matrix, float32 (entries,).

        These are the strengths times the square roots of the weights, whose mean is 1 in
        training.
        """
        strengths = self.strengths(rows.values)
        return strengths if rows.weights is None else strengths * np.sqrt(rows.weights)


class Linear(Interest):
    """The items of a history times fitted weights; see ``matinee.train.linear``.

    Args:
        counts: float32 (items,), training users of each item.
        weights: The fitted weights.
        tilt: The weights of interactions by rating.
        settings: The options it was fitted with; None if they were not saved.
    """

    name = "linear"
    of_items = ("weights", "gamma", "scale", "diagonal")

    def __init__(
        self,
        counts: Float32,
        weights: LinearWeights,
        tilt: Tilt | None = None,
        settings: LinearConfig | None = None,
    ) -> None:
        self.counts = counts
        self.weights = weights
        self.tilt = tilt or Tilt(0.0, 0.0, 1.0)
        self.settings = settings

    @classmethod
    def fitted(cls, rows: Csr, settings: LinearConfig) -> Self:
        """Fit to interactions."""
        tilt = Tilt.of(settings.tilt, rows.values)
        weights = fit_linear(rows, settings, tilt.entries(rows))
        return cls.solved(rows, settings, tilt, weights)

    @classmethod
    def solved(cls, rows: Csr, settings: LinearConfig, tilt: Tilt, weights: LinearWeights) -> Self:
        """Make a scorer from weights fitted to interactions."""
        return cls(users_of_items(rows), weights, tilt, settings)

    def refitted(self, rows: Csr) -> Linear | None:
        """See ``Interest``."""
        return None if self.settings is None else Linear.fitted(rows, self.settings)

    def without(self, kept: Mask) -> Linear:
        """See ``Interest``."""
        fewer = copy(self)
        if isinstance(self.weights, UserWeights):
            fewer.weights = self.weights.without(kept)
        return fewer

    def _scores(self, histories: Histories) -> Float32:
        rows = histories.csr(len(self.counts))
        return self.weights.scores(replace(rows, values=self.tilt.entries(rows), weights=None))

    def state(self) -> State:
        """See ``Interest``."""
        weights = self.weights
        if isinstance(weights, ItemWeights):
            return {"weights": weights.weights}, self._config("items")
        if isinstance(weights, NearWeights):
            return sparse_state(weights.weights), self._config("near")
        assert isinstance(weights, UserWeights)
        arrays = {
            "kernel": weights.kernel,
            **sparse_state(weights.rows, "rows."),
            "gamma": weights.gamma,
            "scale": weights.scale,
            "diagonal": weights.diagonal,
        }
        return arrays, self._config("users")

    def _config(self, side: str) -> dict[str, Any]:
        config = {"name": self.name, "side": side, "tilt": asdict(self.tilt)}
        if self.settings is not None:
            config["settings"] = self.settings.model_dump(mode="json")
        return config

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        tilt = Tilt(**config["tilt"])
        settings = config.get("settings")  # folders of earlier versions have none
        if settings is not None:
            settings = LinearConfig.make(settings, "settings")
        if config["side"] == "items":
            return cls(counts, ItemWeights(arrays["weights"]), tilt, settings)
        if config["side"] == "near":
            return cls(counts, NearWeights(restored_sparse(arrays, len(counts))), tilt, settings)
        rows = restored_sparse(arrays, len(counts), "rows.")
        weights_arrays = (arrays["gamma"], arrays["scale"], arrays["diagonal"])
        return cls(counts, UserWeights(arrays["kernel"], rows, *weights_arrays), tilt, settings)


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """See ``matinee.recommend.interest.scorers``."""
    return linear(part, config.linear)


def linear(part: HeldOut, config: LinearConfig, fitted: Interest | None = None) -> Candidate:
    """Return the candidate of the closed form; ``fitted`` as for ``Candidate``."""
    return Candidate(part, partial(Linear.fitted, settings=config), fitted)
