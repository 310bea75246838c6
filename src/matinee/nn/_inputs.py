"""How rows of ratings become a batch for the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from ._config import NetworkConfig

Float = npt.NDArray[np.floating[Any]]
Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

MAX_LEVELS = 16
"""A scale with more distinct values than this is cut into as many levels by its quantiles."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows, entry by entry. All arrays but ``indptr`` and ``row_bias`` are (entries,).

    Attributes:
        indptr: int64 (rows + 1,).
        column: int32 column of each entry: its row of the output table.
        source: int32 row of the input table of each entry (``column`` itself, unless levels).
        coef: float, what the encoder multiplies the table row by; 0 hides the entry from it.
        target: float, the rating less the offset.
        weight: float, the entry's share in the loss; 0 hides it from the loss.
        row_bias: float (rows,), what the row's visible ratings say of its own bias (zero unless
            centring by bias).
    """

    indptr: Int64
    column: Int32
    source: Int32
    coef: Float
    target: Float
    weight: Float
    row_bias: Float

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1


@dataclass(frozen=True, eq=False)
class Inputs:
    """The fitted recipe that turns ratings into batches, and outputs back into ratings.

    Attributes:
        levels: float32 ascending level values, empty for plain rating inputs.
        sqrt: Whether a row's input is divided by the root of its visible count.
        offset: float32 (columns,), what is taken off every rating in a column.
        row_reg: Shrinkage of the row's own bias, in ratings; negative for no row bias.
    """

    levels: Float32
    sqrt: bool
    offset: Float32
    row_reg: float

    @property
    def table_rows(self) -> int:
        """Number of rows of the input table."""
        return len(self.offset) * max(len(self.levels), 1)

    def batch(
        self,
        indptr: Int64,
        indices: Int32,
        values: Float32,
        rows: Int64,
        *,
        salt: int = 0,
        conditional: bool = False,
        dropout: float = 0.0,
        dtype: type[np.floating[Any]] = np.float32,
    ) -> Batch:
        """A batch of some rows of a CSR.

        Args:
            indptr: int64 (all rows + 1,).
            indices: int32 (all entries,), columns.
            values: float32 (all entries,), ratings.
            rows: int64, which rows, in which order.
            salt: Seed of this batch's own randomness.
            conditional: Show the encoder a random share of each row (uniform 0 to 1) and weigh
                only the rest in the loss, up to the row's size.
            dropout: Share of the entries hidden from the encoder but kept in the loss.
            dtype: float32, or float64 for checks.
        """
        counts = indptr[rows + 1] - indptr[rows]
        ptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(counts, out=ptr[1:])
        entries = int(ptr[-1])
        column = np.empty(entries, dtype=np.int32)
        source = np.empty(entries, dtype=np.int32) if len(self.levels) else column
        coef = np.empty(entries, dtype=dtype)
        target = np.empty(entries, dtype=dtype)
        weight = np.empty(entries, dtype=dtype)
        row_bias = np.empty(len(rows), dtype=dtype)
        _assemble(
            indptr,
            indices,
            values,
            rows,
            ptr,
            self.levels,
            self.sqrt,
            self.offset,
            self.row_reg,
            np.uint64(salt & 0xFFFFFFFFFFFFFFFF),
            conditional,
            dropout,
            column,
            source,
            coef,
            target,
            weight,
            row_bias,
        )
        return Batch(ptr, column, source, coef, target, weight, row_bias)


def fit_inputs(
    config: NetworkConfig, values: Float32, offset: Float32, row_reg: float = 5.0
) -> Inputs:
    """The recipe for some training ratings.

    Args:
        config: The network's options.
        values: float32, the training ratings, from which the levels are read.
        offset: float32 (columns,): mean, or mean plus column bias; zeros for no centring.
        row_reg: Shrinkage of a row's own bias where ``center = "bias"``.
    """
    levels = np.empty(0, dtype=np.float32)
    if config.input == "levels":
        distinct = np.unique(values)
        if len(distinct) > MAX_LEVELS:
            shares = (np.arange(MAX_LEVELS) + 0.5) / MAX_LEVELS
            distinct = np.unique(np.quantile(values, shares).astype(np.float32))
        levels = distinct.astype(np.float32)
    return Inputs(
        levels=levels,
        sqrt=config.input_scale == "sqrt",
        offset=offset.astype(np.float32),
        row_reg=row_reg if config.center == "bias" else -1.0,
    )


@njit(inline="always")
def _uniform(salt: np.uint64, counter: np.uint64) -> float:
    """A number in [0, 1) from a seed and a counter (splitmix64): the same on any thread count."""
    z = salt + (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(inline="always")
def _level(levels: Float32, value: float) -> int:
    """Index of the level nearest to a value."""
    low, high = 0, len(levels) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if levels[middle] <= value:
            low = middle
        else:
            high = middle
    return low if value - levels[low] <= levels[high] - value else high


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def _assemble(
    indptr: Int64,
    indices: Int32,
    values: Float32,
    rows: Int64,
    ptr: Int64,
    levels: Float32,
    sqrt: bool,
    offset: Float32,
    row_reg: float,
    salt: np.uint64,
    conditional: bool,
    dropout: float,
    column: Int32,
    source: Int32,
    coef: Float,
    target: Float,
    weight: Float,
    row_bias: Float,
) -> None:
    n_levels = len(levels)
    hides = conditional or dropout > 0.0
    for b in prange(len(rows)):
        first = indptr[rows[b]]
        base = ptr[b]
        n = ptr[b + 1] - base
        for j in range(n):
            column[base + j] = indices[first + j]
            coef[base + j] = 1
            weight[base + j] = 1
        visible = n
        if hides:
            show = 1.0 - dropout
            if conditional:
                show = _uniform(salt ^ np.uint64(0x5851F42D4C957F2D), np.uint64(b))
            visible = 0
            for j in range(n):
                seen = _uniform(salt, np.uint64(base + j)) < show
                visible += seen
                coef[base + j] = seen
            if conditional:
                share = n / max(n - visible, 1)
                for j in range(n):
                    weight[base + j] = 0 if coef[base + j] != 0 else share
        own = 0.0
        if row_reg >= 0.0 and visible > 0:
            for j in range(n):
                if coef[base + j] != 0:
                    own += values[first + j] - offset[indices[first + j]]
            own /= visible + row_reg
        row_bias[b] = own
        lift = 1.0 / np.sqrt(visible) if sqrt and visible > 0 else 1.0
        if dropout > 0.0 and not conditional:
            lift /= 1.0 - dropout
        for j in range(n):
            target[base + j] = values[first + j] - offset[indices[first + j]] - own
        if n_levels > 0:
            for j in range(n):
                level = _level(levels, values[first + j])
                source[base + j] = indices[first + j] * n_levels + level
                coef[base + j] *= lift
        else:
            for j in range(n):
                coef[base + j] *= lift * target[base + j]
