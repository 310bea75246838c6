"""``Distillation``: predictions of teacher networks at sampled columns as further targets.

A row has ratings at few columns, which its person chose. A network over the other side of the
ratings (items as rows where this one has users) makes different errors, so its predictions at other
columns carry information that the row's own ratings do not. The student is trained on them beside
the ratings (knowledge distillation: Hinton et al. 2015, arXiv 1503.02531).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float, Float32, Int32, Int64
from ..base.compiled import kernel, prange
from ..data import Csr
from ..nn import Batch, Inputs, Network, encode_rows, row_biases
from ..nn.activations import activate
from ..nn.sparse import kernels
from ..nn.sparse.random import uniform

ROWS = 1024
"""Rows of a teacher that are encoded in one batch."""
_DRAWS = 0x2545F4914F6CDD1D
"""Separates the random stream of sampled columns from that of input dropout."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network whose rows are the student's columns, in the form that predicts fastest.

    Attributes:
        vectors: float (student's columns, width), the last hidden layer of its rows.
        added: float (student's columns,), constant of each row's outputs.
        table: float (student's rows, width), its output weights.
        bias: float (student's rows,), its output bias.
        offset: float32 (student's rows,), offsets of its targets by column.
        activation: Code of its output activation.
    """

    vectors: Float
    added: Float
    table: Float
    bias: Float
    offset: Float32
    activation: int

    @classmethod
    def of(cls, network: Network, inputs: Inputs, known: Csr, share: float = 1.0) -> Teacher:
        """From a trained network.

        ``inputs`` and ``known`` must be without the validation part, by which the student's epoch
        is chosen.

        Args:
            network: The network, on the CPU.
            inputs: Its input encoding.
            known: The ratings that it was trained on, by its rows.
            share: Shrinkage coefficient of its deviations from the bias model; see
                ``fit_shrinkage``.
        """
        rows = np.arange(known.n_rows, dtype=np.int64)
        parts = [
            encode_rows(network, inputs, known, rows[first : first + ROWS])
            for first in range(0, len(rows), ROWS)
        ]
        vectors, added = (np.concatenate(each) for each in zip(*parts, strict=True))
        bias = network.bias_out.detach().numpy()
        if share != 1.0:  # only linear outputs are shrunk, so scaling their parts is exact
            base = row_biases(inputs, known)
            vectors, bias, added = share * vectors, share * bias, base + share * (added - base)
        return cls(
            vectors=vectors,
            added=added,
            table=network.table_out.detach().numpy(),
            bias=bias,
            offset=inputs.offset,
            activation=network.output_code,
        )


@dataclass(frozen=True, eq=False)
class Distillation:
    """Adds the teachers' predictions to batches.

    Each row of a batch gets as many further entries as it has ratings, at columns sampled with
    probability proportional to their number of ratings. The target is the teachers' mean
    prediction. Some sampled columns are rated by the row; leaving these out gains nothing
    (docs/lab-notes.md).

    Attributes:
        known: The student's training ratings by row.
        teachers: One or more.
        weight: Weight of such an entry in the loss, relative to a rating.
        low: Predictions are clipped to at least this.
        high: Predictions are clipped to at most this.
    """

    known: Csr
    teachers: Sequence[Teacher]
    weight: float = 1.0
    low: float = -np.inf
    high: float = np.inf

    def extend(self, batch: Batch, rows: Int64, offset: Float32, *, salt: int) -> Batch:
        """A batch with the ratings and, for each, an entry with the teachers' prediction.

        Args:
            batch: The ratings.
            rows: int64 (rows,), the rows of ``known`` in the batch.
            offset: float32 (columns,), offsets of the student's targets.
            salt: Seed of the sampling.
        """
        entries = len(batch.column)
        column = np.empty(entries, dtype=np.int32)
        target = np.zeros(entries, dtype=batch.target.dtype)
        weight = np.full(entries, self.weight, dtype=batch.weight.dtype)
        seed = np.uint64((salt ^ _DRAWS) & 0xFFFFFFFFFFFFFFFF)
        _draw(self.known.indices, seed, column)
        for each in self.teachers:
            _answer(
                batch.indptr,
                rows,
                column,
                each.vectors,
                each.added,
                each.table,
                each.bias,
                each.offset,
                each.activation,
                target,
            )
        target = np.clip(target / len(self.teachers), self.low, self.high)
        target -= offset[column] + np.repeat(batch.row_bias, np.diff(batch.indptr))
        both = _Joint(batch.indptr)
        joined = replace(
            batch,
            indptr=2 * batch.indptr,
            column=both.of(batch.column, column),
            target=both.of(batch.target, target),
            weight=both.of(batch.weight, weight),
        )
        if batch.source is not batch.column:
            return joined
        # Inputs and outputs share their columns: the added entries have input coefficient 0.
        coef = both.of(batch.coef, np.zeros_like(batch.coef))
        return replace(joined, in_ptr=joined.indptr, source=joined.column, coef=coef)


class _Joint:
    """Interleaves two arrays over the same entries by row: a row's first, then its second."""

    def __init__(self, indptr: Int64) -> None:
        self._indptr = indptr

    def of(self, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The interleaved array, of twice the length."""
        out = np.empty(2 * len(first), dtype=first.dtype)
        bits = f"i{first.itemsize}"  # one compiled function serves all types of that size
        _join(self._indptr, first.view(bits), second.view(bits), out.view(bits))
        return out


@kernel(parallel=True)
def _draw(indices: Int32, salt: np.uint64, column: Int32) -> None:
    """Sample a column for each entry, uniformly from ``indices``."""
    for j in prange(len(column)):
        column[j] = indices[int(uniform(salt, np.uint64(j)) * len(indices))]


@kernel(choice=8, parallel=True, fastmath=kernels.FAST, error_model="numpy")
def _answer(
    ptr: Int64,
    rows: Int64,
    column: Int32,
    vectors: Float,
    added: Float,
    table: Float,
    bias: Float,
    offset: Float32,
    activation: int,
    target: Float,
) -> None:
    """Add a teacher's prediction at each entry to ``target``, (entries,)."""
    for b in prange(len(rows)):
        r = rows[b]
        for j in range(ptr[b], ptr[b + 1]):
            c = column[j]
            dot = vectors[c, 0] * table[r, 0]
            for k in range(1, vectors.shape[1]):
                dot += vectors[c, k] * table[r, k]
            target[j] += activate(activation, dot + bias[r]) + offset[r] + added[c]


@kernel(parallel=True)
def _join(
    indptr: Int64, first: npt.NDArray[Any], second: npt.NDArray[Any], out: npt.NDArray[Any]
) -> None:
    for b in prange(len(indptr) - 1):
        for j in range(indptr[b], indptr[b + 1]):
            out[indptr[b] + j] = first[j]
            out[indptr[b + 1] + j] = second[j]
