"""``Posterior``: predictions from a thinned set of samples, for any user with ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Array, Float32, Float64, Int32, Int64, State
from ...data import (
    CodedColumn,
    Histories,
    Levels,
    SideColumns,
    coded_state,
    restored_columns,
    stacked,
)
from .fold_in import add_moments, expected_levels, fold_in
from .probit import bounds_of
from .sampler import Gibbs, Sample

_PEOPLE = 256
"""Users folded in at a time."""
_SIDES = ("user_columns", "item_columns")
Coded = tuple[tuple[CodedColumn, ...], tuple[CodedColumn, ...]]
"""Columns of the users, and of the items."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """A thinned set of samples, whose size grows with the items, not with the users.

    A user's factors are computed from their ratings, given each sample (``fold_in``), so new and
    known users with the same ratings get the same predictions.

    Attributes:
        items: q of the items, float32 (samples, items, rank), in steps of half precision.
        scalars: float32 (samples, items).
        rated: Factors of the implicit features, like ``items``.
        rated_weights: float32 (samples, items).
        columns: Factors of the user columns' levels, followed by the mean user's, like ``items``;
            without rows if there are no columns.
        column_weights: float32 (samples, levels + 1).
        prior: float64 (samples, 2, rank + 1); see ``Sample``.
        start: float64 (samples,), w0.
        alpha: float64 (samples,), precision of the residuals.
        cutpoints: float64 (samples, levels - 1).
        levels: float64 (levels,), ascending; empty with the likelihood "normal".
        mean: Subtracted from ratings, and
        spread: the divisor of ratings, with the likelihood "normal".
        coded: The columns of training users, and of items. Those of users have no rows if the model
            was saved without histories.
    """

    items: Float32
    scalars: Float32
    rated: Float32
    rated_weights: Float32
    columns: Float32
    column_weights: Float32
    prior: Float64
    start: Float64
    alpha: Float64
    cutpoints: Float64
    levels: Float64
    mean: float
    spread: float
    coded: Coded = ((), ())

    @classmethod
    def of(cls, gibbs: Gibbs, samples: Sequence[Sample], coded: Coded = ((), ())) -> Posterior:
        """Make a posterior from samples of a chain."""
        return cls(
            _halved([sample.items for sample in samples]).astype(np.float32),
            np.array([sample.scalars for sample in samples], dtype=np.float32),
            _halved([sample.rated for sample in samples]).astype(np.float32),
            np.array([sample.rated_weights for sample in samples], dtype=np.float32),
            _halved([sample.columns for sample in samples]).astype(np.float32),
            np.array([sample.column_weights for sample in samples], dtype=np.float32),
            np.array([sample.prior for sample in samples]),
            np.array([sample.start for sample in samples]),
            np.array([sample.alpha for sample in samples]),
            np.array([sample.cutpoints for sample in samples]),
            gibbs.levels,
            gibbs.mean,
            gibbs.spread,
            coded,
        )

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.items)

    def predict(self, histories: Histories, rows: Int64, items: Int32) -> tuple[Float64, Float64]:
        """Return unclipped mean and variance of ratings, float64 (n,) each.

        The arguments are those of ``Hooks._predict``.
        """
        total, square = np.zeros(len(rows)), np.zeros(len(rows))
        for first, batch in histories.batches(_PEOPLE):
            start, end = np.searchsorted(rows, (first, first + len(batch)))
            if start == end:
                continue
            part = slice(int(start), int(end))
            part_rows = rows[part] - first
            entries, levels = self._entries(batch), self._levels(batch)
            for s in range(self.n_samples):
                people, linear = self._fold_in(batch, entries, levels, s)
                add_moments(
                    part_rows,
                    items[part],
                    people,
                    linear,
                    self.items[s],
                    self.scalars[s],
                    self._shift(s),
                    total[part],
                    square[part],
                )
        return self._ratings(total, square)

    def scores(self, histories: Histories) -> Float32:
        """Return unclipped mean ratings of all items, float32 (users, items)."""
        values = np.empty((len(histories), self.items.shape[1]), dtype=np.float32)
        for first, batch in histories.batches(_PEOPLE):
            total = np.zeros((len(batch), self.items.shape[1]))
            square = np.zeros_like(total)
            entries, levels = self._entries(batch), self._levels(batch)
            for s in range(self.n_samples):
                people, linear = self._fold_in(batch, entries, levels, s)
                scores = (people @ self.items[s].T).astype(np.float64)
                scores += (linear - self._shift(s))[:, None]
                scores += self.scalars[s]
                total += scores
                square += np.square(scores)
            mean, _ = self._ratings(total.ravel(), square.ravel())
            values[first : first + len(batch)] = mean.reshape(total.shape)
        return values

    def _shift(self, s: int) -> float:
        """Return the mean cutpoint of a sample, to which its scores are relative."""
        return float(self.cutpoints[s].mean()) if len(self.levels) else 0.0

    def _entries(self, histories: Histories) -> tuple[Int32, Float64]:
        """Return the nearest level of each rating, and the scaled ratings."""
        values = histories.values.astype(np.float64)
        if not len(self.levels):
            return np.zeros(len(values), dtype=np.int32), (values - self.mean) / self.spread
        between = 0.5 * (self.levels[1:] + self.levels[:-1])
        return np.searchsorted(between, values).astype(np.int32), np.zeros(len(values))

    @cached_property
    def _people(self) -> Levels:
        """Return the column levels of the training users."""
        return stacked(self.coded[0])

    def _levels(self, histories: Histories) -> Levels:
        """Return the column levels of users; new users get the mean user's."""
        ptr, n = np.zeros(len(histories) + 1, dtype=np.int64), self.columns.shape[1]
        if not self.coded[0]:
            return Levels(ptr, np.zeros(0, dtype=np.int32), np.zeros(0), n)
        begin, levels, scale, _ = self._people
        known = (histories.users >= 0) & (histories.users < len(begin) - 1)
        counts = np.ones(len(histories), dtype=np.int64)
        counts[known] = np.diff(begin)[histories.users[known]]
        np.cumsum(counts, out=ptr[1:])
        level = np.full(ptr[-1], n - 1, dtype=np.int32)
        factor = np.ones(ptr[-1])
        of_known = np.repeat(known, counts)
        first = np.repeat(begin[histories.users[known]] - ptr[:-1][known], counts[known])
        at = np.flatnonzero(of_known) + first
        level[of_known], factor[of_known] = levels[at], scale[at]
        return Levels(ptr, level, factor, n)

    def _fold_in(
        self,
        histories: Histories,
        entries: tuple[Int32, Float64],
        levels: Levels,
        s: int,
    ) -> tuple[Float32, Float64]:
        people = np.empty((len(histories), self.items.shape[2]), dtype=np.float32)
        linear = np.empty(len(histories))
        fixed = self.items, self.scalars, self.rated, self.rated_weights
        fold_in(
            histories.indptr,
            (histories.items, *entries),
            (levels.indptr, levels.levels, levels.scale),
            tuple(each[s] for each in (*fixed, self.columns, self.column_weights)),
            self.prior[s],
            float(self.start[s]),
            float(self.alpha[s]),
            bounds_of(self.cutpoints[s]) if len(self.levels) else np.zeros(0),
            (people, linear),
        )
        return people, linear

    def _ratings(self, total: Float64, square: Float64) -> tuple[Float64, Float64]:
        """Return mean and variance of ratings from sums over samples of scores and squares."""
        n = self.n_samples
        mean = total / n
        variance = np.maximum(square / n - np.square(mean), 0.0)
        if len(self.levels):
            cutpoints = (self.cutpoints - self.cutpoints.mean(axis=1, keepdims=True)).mean(axis=0)
            expected_levels(mean, variance, cutpoints, self.levels)
            return mean, variance
        variance += float(np.mean(1.0 / self.alpha))
        return self.mean + self.spread * mean, self.spread**2 * variance

    def state(self) -> State:
        """Return arrays by name and further JSON-serialisable values, for ``restore``."""
        names = ("scalars", "rated_weights", "prior", "start", "alpha", "cutpoints", "levels")
        arrays = {name: getattr(self, name) for name in names}
        arrays |= {name: getattr(self, name).astype(np.float16) for name in ("items", "rated")}
        rest: dict[str, Any] = {"mean": self.mean, "spread": self.spread}
        if any(self.coded):
            arrays["columns"] = self.columns.astype(np.float16)
            arrays["column_weights"] = self.column_weights
            for side, columns in zip(_SIDES, self.coded, strict=True):
                coded, rest[side] = coded_state(columns, side)
                arrays |= coded
        return arrays, rest

    @classmethod
    def restore(cls, arrays: dict[str, Array], rest: dict[str, Any]) -> Posterior:
        """Restore from the output of ``state``.

        Raises:
            ValueError: The shapes of the arrays are inconsistent.
        """
        coded = [restored_columns(arrays, side, rest.get(side, ())) for side in _SIDES]
        state = {name: each for name, each in arrays.items() if not name.startswith(_SIDES)}
        samples, items, rank = state["items"].shape
        state.setdefault("columns", np.zeros((samples, 0, rank), dtype=np.float16))
        state.setdefault("column_weights", np.zeros((samples, 0), dtype=np.float32))
        for name in ("items", "rated", "columns"):
            state[name] = state[name].astype(np.float32)
        posterior = cls(
            **state,
            mean=float(rest["mean"]),
            spread=float(rest["spread"]),
            coded=(coded[0], coded[1]),
        )
        levels = sum(len(each.levels) for each in coded[0]) + 1 if coded[0] else 0
        shapes = {
            "scalars": (samples, items),
            "rated": (samples, items, rank),
            "rated_weights": (samples, items),
            "columns": (samples, levels, rank),
            "column_weights": (samples, levels),
            "prior": (samples, 2, rank + 1),
            "start": (samples,),
            "alpha": (samples,),
            "cutpoints": (samples, max(len(posterior.levels) - 1, 0)),
        }
        for name, shape in shapes.items():
            if getattr(posterior, name).shape != shape:
                raise ValueError(
                    f"{name} has the shape {getattr(posterior, name).shape}, not {shape}"
                )
        return posterior

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """Return the columns of users and of items that it uses, as it stores them."""
        return SideColumns.decoded(self.coded[0]), SideColumns.decoded(self.coded[1])


def _halved(arrays: Sequence[Array]) -> npt.NDArray[np.float16]:
    """Round to half precision, as saved, so that a loaded model predicts the same."""
    largest = float(np.finfo(np.float16).max)
    return np.clip(arrays, -largest, largest).astype(np.float16)
