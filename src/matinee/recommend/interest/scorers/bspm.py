"""Interest by blurring and sharpening interactions (BSPM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ....base.arrays import Float32
from ....data import Csr, Histories
from ....train.implicit import BspmConfig, BspmFilter, fit_bspm
from ....train.lists import ListsConfig
from ..base import Arrays, Interest, State, restored_sparse, sparse_state, users_of_items
from ..candidates import Candidate, OnEpoch
from ..held_out import HeldOut


class Bspm(Interest):
    """Interactions through a low-pass filter, blurred and sharpened.

    Ratings are not used. See ``matinee.train.implicit``.

    Args:
        counts: float32 (items,), training users of each item.
        filters: The fitted filters.
        settings: The options they were fitted with.
    """

    name = "bspm"
    of_items = ("vectors",)

    def __init__(self, counts: Float32, filters: BspmFilter, settings: BspmConfig) -> None:
        self.counts = counts
        self.filters = filters
        self.settings = settings

    @classmethod
    def fitted(cls, rows: Csr, settings: BspmConfig) -> Self:
        """Fit to interactions."""
        return cls(users_of_items(rows), fit_bspm(rows, settings), settings)

    def refitted(self, rows: Csr) -> Bspm:
        """See ``Interest``."""
        return Bspm.fitted(rows, self.settings)

    def _scores(self, histories: Histories) -> Float32:
        return self.filters.scores(histories.csr(len(self.counts)))

    def state(self) -> State:
        """See ``Interest``."""
        arrays = {"vectors": self.filters.vectors}
        rows = self.filters.rows
        if rows is not None:
            arrays |= sparse_state(rows, "rows.")
        return arrays, {"name": self.name, "settings": self.settings.model_dump(mode="json")}

    @classmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """See ``Interest``."""
        settings = BspmConfig.make(config["settings"], "settings")
        rows = None
        if "rows.values" in arrays:
            rows = restored_sparse(arrays, len(counts), "rows.")
        filters = BspmFilter(
            arrays["vectors"],
            np.sqrt(counts),
            rows,
            settings.low_pass,
            settings.blur,
            settings.sharpen,
        )
        return cls(counts, filters, settings)


def candidate(
    part: HeldOut, config: ListsConfig, rng: np.random.Generator, on_epoch: OnEpoch | None
) -> Candidate:
    """See ``matinee.recommend.interest.scorers``."""
    return bspm(part, config.bspm)


def bspm(part: HeldOut, config: BspmConfig) -> Candidate:
    """Return the candidate of BSPM."""

    def fit(rows: Csr) -> Interest:
        return Bspm.fitted(rows, config)

    return Candidate(part, fit)
