"""Interest by blurring and sharpening interactions (BSPM)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np

from ....base.arrays import Arrays, Float32, Mask, State
from ....data import Csr
from ....train.implicit import BspmConfig, BspmFilter, fit_bspm
from ....train.lists import ListsConfig
from ..base import (
    FittedWeights,
    Interest,
    restored_sparse,
    sparse_state,
    users_of_items,
)
from ..candidates import Candidate, OnEpoch
from ..held_out import HeldOut


class Bspm(FittedWeights, Interest):
    """Interactions through a low-pass filter, blurred and sharpened.

    Ratings are not used. See ``matinee.train.implicit``.
    """

    name = "bspm"
    of_items = ("vectors",)
    weights: BspmFilter

    @classmethod
    def fitted(cls, rows: Csr, settings: BspmConfig) -> Self:
        """Fit to interactions."""
        return cls(users_of_items(rows), fit_bspm(rows, settings))

    def refitted(self, rows: Csr) -> Bspm:
        """See ``Interest``."""
        return Bspm.fitted(rows, self.weights.config)

    def without(self, kept: Mask) -> Bspm:
        """See ``Interest``."""
        fewer, rows = copy(self), self.weights.rows
        fewer.weights = replace(self.weights, rows=None if rows is None else rows[kept])
        return fewer

    def state(self) -> State:
        """See ``Interest``."""
        arrays, rows = {"vectors": self.weights.vectors}, self.weights.rows
        if rows is not None:
            arrays |= sparse_state(rows, "rows.")
        settings = self.weights.config.model_dump(mode="json")
        return arrays, {"name": self.name, "settings": settings}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        settings = BspmConfig.make(config["settings"], "settings")
        rows = None
        if "rows.values" in arrays:
            rows = restored_sparse(arrays, len(counts), "rows.")
        return cls(counts, BspmFilter(arrays["vectors"], np.sqrt(counts), rows, settings))


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """See ``matinee.recommend.interest.scorers``."""
    return bspm(part, config.bspm)


def bspm(part: HeldOut, config: BspmConfig) -> Candidate:
    """Return the candidate of BSPM."""
    return Candidate(part, partial(Bspm.fitted, settings=config))
