"""``Inputs``: encodes rows of ratings as batches for the network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ..base.arrays import Array, Float, Float32, Int32, Int64, Mask, row_bounds
from ..base.compiled import kernel, shared
from ..baseline.ordinal import OrdinalLink
from ..data import Levels
from ._config import NetworkConfig
from ._row_outputs import CENTRING, RowOutputs
from .sparse.random import uniform

ROWS_PER_COLUMN = {"ratings": 1, "presence": 2}
"""Rows of the input table for each column, by kind of input."""


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch of rows: the entries of the loss, and the inputs of the encoder.

    Attributes:
        indptr: int64 (rows + 1,), the entries of each row.
        column: int32 (entries,), row of the output table.
        target: float (entries,), the rating minus the offset.
        weight: float (entries,), weight in the loss.
        in_ptr: int64 (rows + 1,), the inputs of each row; ``indptr`` itself for input "ratings".
        source: int32 (inputs,), row of the input table; ``column`` itself for input "ratings".
        coef: float (inputs,), coefficient of that table row; 0 for a hidden entry.
        row_bias: float (rows,), bias of the row from its visible ratings; 0 unless
            ``center = "bias"``.
        level: int32 (entries,), the rating's level with ordinal outputs, -1 if the target is a
            teacher's; None without.
    """

    indptr: Int64
    column: Int32
    target: Float
    weight: Float
    in_ptr: Int64
    source: Int32
    coef: Float
    row_bias: Float
    level: Int32 | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    def take(self, rows: slice) -> Batch:
        """Return a contiguous range of rows, as views."""
        if rows == slice(0, self.rows):
            return self
        ptr = self.indptr[rows.start : rows.stop + 1]
        entries = slice(ptr[0], ptr[-1])
        ptr, column = ptr - ptr[0], self.column[entries]
        if self.source is self.column:
            in_ptr, source, inputs = ptr, column, entries
        else:
            in_ptr = self.in_ptr[rows.start : rows.stop + 1]
            inputs = slice(in_ptr[0], in_ptr[-1])
            in_ptr, source = in_ptr - in_ptr[0], self.source[inputs]
        return Batch(
            indptr=ptr,
            column=column,
            target=self.target[entries],
            weight=self.weight[entries],
            in_ptr=in_ptr,
            source=source,
            coef=self.coef[inputs],
            row_bias=self.row_bias[rows],
            level=None if self.level is None else self.level[entries],
        )


@dataclass(frozen=True, eq=False)
class Inputs:
    """The fitted encoding of ratings as batches, and of outputs as ratings.

    Attributes:
        kind: How a rating becomes input: see ``NetworkConfig.input``.
        sqrt: Whether a row's input is divided by the root of its visible count.
        offset: float32 (columns,), subtracted from every rating in a column.
        row_reg: Shrinkage of the row bias, in ratings; negative for no row bias.
        outputs: Corrections of the outputs for a row.
        link: The link from latent scores to ratings of ordinal outputs, or None.
        levels: Number of levels of the rows' side columns, the last rows of the table.
    """

    kind: Literal["ratings", "presence"]
    sqrt: bool
    offset: Float32
    row_reg: float
    outputs: RowOutputs = field(default_factory=RowOutputs)
    link: OrdinalLink | None = None
    levels: int = 0

    @property
    def table_rows(self) -> int:
        """Number of rows of the input table."""
        return len(self.offset) * ROWS_PER_COLUMN[self.kind] + self.levels

    @property
    def latent(self) -> Inputs:
        """Return the encoding without the link: predictions are then latent scores."""
        return replace(self, link=None)

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
        side: Levels | None = None,
    ) -> Batch:
        """Make a batch from rows of a CSR.

        Args:
            indptr: int64 (all rows + 1,).
            indices: int32 (all entries,), columns.
            values: float32 (all entries,), ratings.
            rows: int64, the rows, in this order.
            salt: Seed of this batch's random numbers.
            conditional: Show the encoder a random share of each row (uniform 0 to 1) and count only
                the rest in the loss, up to the row's size.
            dropout: Share of the entries hidden from the encoder but kept in the loss.
            dtype: float32, or float64 for checks.
            side: Side columns of all rows, always visible to the encoder; for input
                "presence" only.
        """
        counts = indptr[rows + 1] - indptr[rows]
        ptr = row_bounds(counts)
        entries = int(ptr[-1])
        shown = np.ones(entries, dtype=np.bool_)
        visible = counts
        if conditional or dropout > 0.0:
            visible = np.empty(len(rows), dtype=np.int64)
            seed = np.uint64(salt & 0xFFFFFFFFFFFFFFFF)
            _show(ptr, seed, conditional, dropout, shown, visible)

        column = np.empty(entries, dtype=np.int32)
        target = np.empty(entries, dtype=dtype)
        weight = np.empty(entries, dtype=dtype)
        row_bias = np.empty(len(rows), dtype=dtype)
        lift = np.ones(len(rows), dtype=dtype)
        if self.sqrt:
            lift /= np.sqrt(np.maximum(visible, 1))
        if dropout > 0.0 and not conditional:
            lift /= 1.0 - dropout
        ratings, visibility = (indptr, indices, values), (ptr, shown, visible)
        made = column, target, weight, row_bias
        _outputs(ratings, rows, visibility, self.offset, self.row_reg, conditional, made)

        if self.kind == "ratings":  # one input per entry, hidden ones included: columns are shared
            coef = np.empty(entries, dtype=dtype)
            _rating_inputs(ptr, shown, target, lift, coef)
            return Batch(ptr, column, target, weight, ptr, column, coef, row_bias)
        in_ptr = row_bounds(2 * visible)
        source = np.empty(in_ptr[-1], dtype=np.int32)
        coef = np.empty(in_ptr[-1], dtype=dtype)
        _presence_inputs(ptr, shown, column, target, lift, in_ptr, source, coef)
        if side is not None:
            first = self.table_rows - self.levels
            in_ptr, source, coef = with_levels(side.take(rows), first, in_ptr, source, coef)
        return Batch(ptr, column, target, weight, in_ptr, source, coef, row_bias)


def with_levels(
    side: Levels, first: int, ptr: Int64, source: Array, coef: Float
) -> tuple[Int64, Array, Float]:
    """Append the levels of side columns to the inputs of rows.

    Args:
        side: The levels of these rows.
        first: Row of the input table of the first level.
        ptr: int64 (rows + 1,), start of each row's inputs.
        source: int (inputs,), rows of the table.
        coef: float (inputs,), coefficient of each.
    """
    own = np.arange(len(source)) + np.repeat(side.indptr[:-1], np.diff(ptr))
    added = np.arange(len(side.levels)) + np.repeat(ptr[1:], np.diff(side.indptr))
    sources = np.empty(len(own) + len(added), dtype=source.dtype)
    coefs = np.empty(len(sources), dtype=coef.dtype)
    sources[own], coefs[own] = source, coef
    sources[added], coefs[added] = side.levels + first, side.scale
    return ptr + side.indptr, sources, coefs


def make_inputs(
    config: NetworkConfig, offset: Float32, row_reg: float = 5.0, *, side: Levels | None = None
) -> Inputs:
    """Make the input encoding of a network.

    Args:
        config: The network's options.
        offset: float32 (columns,): mean, or mean plus column bias; zeros for no centring.
        row_reg: Shrinkage of row biases if ``center = "bias"``.
        side: Side columns of the rows, if the network uses them.
    """
    return Inputs(
        kind=config.input,
        sqrt=config.input_scale == "sqrt",
        offset=offset.astype(np.float32),
        row_reg=row_reg if config.center == "bias" else -1.0,
        outputs=RowOutputs(reg=CENTRING if config.centers_output else -1.0),
        levels=0 if side is None else side.n,
    )


@kernel()
def _show(
    ptr: Int64,
    salt: np.uint64,
    conditional: bool,
    dropout: float,
    shown: Mask,
    visible: Int64,
) -> None:
    """Draw the entries visible to the encoder, and count them by row."""
    for b in range(len(ptr) - 1):
        share = 1.0 - dropout
        if conditional:
            share = uniform(salt ^ np.uint64(0x5851F42D4C957F2D), np.uint64(b))
        visible[b] = 0
        for j in range(ptr[b], ptr[b + 1]):
            shown[j] = uniform(salt, np.uint64(j)) < share
            visible[b] += shown[j]


@shared("rows", error_model="numpy")
def _outputs(
    begin: int,
    end: int,
    ratings: tuple[Int64, Int32, Float32],
    rows: Int64,
    visibility: tuple[Int64, Mask, Int64],
    offset: Float32,
    row_reg: float,
    conditional: bool,
    made: tuple[Int32, Float, Float, Float],
) -> None:
    """Compute columns, targets and weights of the entries, and the row biases."""
    indptr, indices, values = ratings
    ptr, shown, visible = visibility
    column, target, weight, row_bias = made
    for b in range(begin, end):
        first = indptr[rows[b]]
        base = ptr[b]
        n = ptr[b + 1] - base
        row_sum = 0.0
        if row_reg >= 0.0 and visible[b] > 0:
            for j in range(n):
                if shown[base + j]:
                    row_sum += values[first + j] - offset[indices[first + j]]
            row_sum /= visible[b] + row_reg
        row_bias[b] = row_sum
        for j in range(n):
            c = indices[first + j]
            column[base + j] = c
            target[base + j] = values[first + j] - offset[c] - row_sum
            weight[base + j] = 1
        if conditional:  # the scored entries represent the whole row
            hidden = n - visible[b]
            share = n / (hidden if hidden > 0 else 1)
            for j in range(n):
                weight[base + j] = 0 if shown[base + j] else share


@kernel()
def _rating_inputs(ptr: Int64, shown: Mask, target: Float, lift: Float, coef: Float) -> None:
    for b in range(len(ptr) - 1):
        for j in range(ptr[b], ptr[b + 1]):
            coef[j] = shown[j] * lift[b] * target[j]


@kernel()
def _presence_inputs(
    ptr: Int64,
    shown: Mask,
    column: Int32,
    target: Float,
    lift: Float,
    in_ptr: Int64,
    source: Int32,
    coef: Float,
) -> None:
    for b in range(len(ptr) - 1):
        at = in_ptr[b]
        for j in range(ptr[b], ptr[b + 1]):
            if shown[j]:
                source[at] = 2 * column[j]
                coef[at] = lift[b]
                source[at + 1] = 2 * column[j] + 1
                coef[at + 1] = lift[b] * target[j]
                at += 2
