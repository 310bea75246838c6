"""``Interest``: base class of the scorers of interest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar, Self

import numpy as np

from ...base.arrays import Array, Arrays, Float32, Mask, State
from ...data import Csr, Histories
from ...data.values.weights import relative
from ...errors import ModelFileError, nearest
from ...train.lists import SCORERS


class Interest(ABC):
    """Scores all items for users from the items of their histories.

    Only the order of one user's scores is meaningful. A user without a history gets the scores of
    popularity.

    Attributes:
        counts: float32 (items,): training users of each item; with weights, the sum of weights over
            their mean.
        unit: The mean weight of the training interactions, 1 without weights. Weights of
            histories are divided by it.
    """

    name: ClassVar[str]
    unit: float = 1.0
    logits: ClassVar[bool] = False
    """Whether scores are logits of a softmax over items, whose sign is meaningless."""
    of_items: ClassVar[tuple[str, ...]] = ()
    """Names of the arrays of ``state`` with a row per item."""
    counts: Float32

    def scores(self, histories: Histories) -> Float32:
        """Score all items in a new float32 array (people, items); positive means interest."""
        if self.unit != 1.0:
            weights = histories.csr(len(self.counts)).entry_weights
            histories = replace(histories, weights=relative(weights, self.unit))
        empty = histories.counts == 0
        if not empty.any():
            return self._scores(histories)
        out = np.empty((len(histories), len(self.counts)), dtype=np.float32)
        out[empty] = self.counts / max(float(self.counts.max(initial=0.0)), 1.0)
        if not empty.all():
            out[~empty] = self._scores(histories.take(np.flatnonzero(~empty)))
        return out

    @abstractmethod
    def _scores(self, histories: Histories) -> Float32:
        """Compute ``scores`` of users with non-empty histories, whose weights have mean 1."""

    @abstractmethod
    def state(self) -> State:
        """Return what ``restore`` needs besides the counts."""

    @classmethod
    @abstractmethod
    def restore(cls, counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """Restore a scorer from the output of ``state``."""

    def refitted(self, rows: Csr) -> Interest | None:
        """Fit a scorer with the same settings to other interactions; None if not supported.

        Args:
            rows: Interactions by user, with weights of mean 1 or none.
        """
        return None

    def without(self, kept: Mask) -> Interest:
        """Return a scorer that has no rows of the training users outside a mask, shape (users,)."""
        return self


class FittedWeights:
    """A mixin for an ``Interest`` that scores by weights fitted to interactions, not ratings.

    Args:
        counts: float32 (items,), training users of each item.
        weights: The weights, whose ``scores`` takes histories (people, items).
    """

    def __init__(self, counts: Float32, weights: Any) -> None:
        self.counts, self.weights = counts, weights

    def _scores(self, histories: Histories) -> Float32:
        return self.weights.scores(histories.csr(len(self.counts)))


def users_of_items(rows: Csr) -> Float32:
    """Return the number of users of each item, or the sum of their weights, float32 (items,)."""
    return rows.column_weights.astype(np.float32)


def mean_one(rows: Csr) -> tuple[Csr, float]:
    """Scale weights, if any, to mean 1; also return the ``unit`` they were divided by."""
    if rows.weights is None or not len(rows.weights):
        return rows, 1.0
    unit = float(rows.weights.mean(dtype=np.float64))
    return replace(rows, weights=relative(rows.weights, unit)), unit


def restore_interest(counts: Float32, arrays: Arrays, config: Mapping[str, Any]) -> Interest:
    """Restore the scorer of a saved model, by the ``"name"`` in its configuration.

    Raises:
        ModelFileError: An unknown scorer.
    """
    name = config.get("name")
    if name == "blend":
        import_module(".blend", __package__)
    elif name in SCORERS:
        scorer_module(name)
    else:
        names = (*SCORERS, "blend")
        raise ModelFileError(f"no scorer of interest {name!r}{nearest(str(name), names)}")
    kind = next(kind for kind in Interest.__subclasses__() if kind.name == name)
    for array in kind.of_items:
        if array in arrays and len(arrays[array]) != len(counts):
            raise ModelFileError(f"{name}: {array} is not of {len(counts):,} items")
    restored = kind.restore(counts, arrays, config)
    restored.unit = float(config.get("unit", 1.0))
    if not 0.0 < restored.unit < np.inf:
        raise ModelFileError(f"the unit of weights is {restored.unit:g}, and must be above 0")
    return restored


def sparse_state(matrix: Any, prefix: str = "") -> dict[str, Array]:
    """Return the arrays of a CSR matrix, for ``Interest.state``."""
    return {
        f"{prefix}indptr": matrix.indptr.astype(np.int64),
        f"{prefix}indices": matrix.indices.astype(np.int32),
        f"{prefix}values": matrix.data,
    }


def restored_sparse(arrays: Arrays, n_items: int, prefix: str = "") -> Any:
    """Restore the matrix of ``sparse_state``, float32 CSR (rows, items).

    Raises:
        ModelFileError: The row bounds are not in order, or an item code is invalid.
    """
    from scipy import sparse  # takes a fifth of a second to import

    indptr, indices, values = (arrays[f"{prefix}{n}"] for n in ("indptr", "indices", "values"))
    steps, ends = np.diff(indptr), (indptr[0], indptr[-1])
    if (steps < 0).any() or ends != (0, len(indices)) or len(values) != len(indices):
        raise ModelFileError(f"{prefix}indptr: the bounds of rows are not in order")
    if len(indices) and (indices.min() < 0 or indices.max() >= n_items):
        raise ModelFileError(f"{prefix}indices: codes of no item")
    return sparse.csr_matrix((values, indices, indptr), shape=(len(steps), n_items))


def interest_state(interest: Interest) -> State:
    """Return what ``restore_interest`` needs besides the counts."""
    arrays, config = interest.state()
    return arrays, config if interest.unit == 1.0 else {**config, "unit": interest.unit}


def scorer_module(name: str) -> ModuleType:
    """Import the module of a scorer of ``train.lists.SCORERS``."""
    return import_module(f".scorers.{name.replace('-', '_')}", __package__)
