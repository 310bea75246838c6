"""``Lessons``: what another network says of drawn columns, as further targets of a batch.

Of a row, ratings are known at few columns, and its person chose these. A network that has the
ratings' other side as its rows errs in other ways, so what it says of other columns tells the
first one something that the row's own ratings do not. It learns as a pupil does from a teacher
(Hinton et al. 2015, arXiv 1503.02531), with drawn columns as the questions.
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
"""Rows of a teacher encoded at once."""
_DRAWS = 0x2545F4914F6CDD1D
"""Keeps the columns that are drawn apart from the draws of what the encoder is shown."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network whose rows are the pupil's columns, ready to answer.

    Attributes:
        vectors: float (pupil's columns, width), the last hidden layer of its rows.
        added: float (pupil's columns,), what is added to each row's outputs.
        table: float (pupil's rows, width), its output table.
        bias: float (pupil's rows,), its output bias.
        offset: float32 (pupil's rows,), what was taken off the ratings of its columns.
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
        """From a network that is trained.

        Ratings that were kept out of its training have no part in what it says, and must have none
        in ``inputs`` and ``known``: the pupil's epochs are chosen by the same ones.

        Args:
            network: The network, on the CPU.
            inputs: Its input recipe.
            known: The ratings that it was trained on, by its rows.
            share: What to believe of its deviations from the bias model: see ``fit_shrinkage``.
        """
        rows = np.arange(known.n_rows, dtype=np.int64)
        parts = [
            encode_rows(network, inputs, known, rows[first : first + ROWS])
            for first in range(0, len(rows), ROWS)
        ]
        vectors, added = (np.concatenate(each) for each in zip(*parts, strict=True))
        bias = network.bias_out.detach().numpy()
        if share != 1.0:  # only a linear output is shrunk, so it may be done here
            own = row_biases(inputs, known)
            vectors, bias, added = share * vectors, share * bias, own + share * (added - own)
        return cls(
            vectors=vectors,
            added=added,
            table=network.table_out.detach().numpy(),
            bias=bias,
            offset=inputs.offset,
            activation=network.output_code,
        )


@dataclass(frozen=True, eq=False)
class Lessons:
    """What is asked of the teachers at each step, and how much their answers count.

    Each row of a batch is given as many further entries as it has ratings, at columns drawn from
    all ratings, so that a column is asked for as often as it is rated. The target is the teachers'
    mean prediction. Now and then that is a column which the row has rated: what the teachers say of
    it is closer to the rating than to what they would say otherwise, and leaving it out gains
    nothing (docs/lab-notes.md).

    Attributes:
        known: The pupil's training ratings by row.
        teachers: One or more.
        weight: What an answer counts in the loss, where a rating counts 1.
        low: The lowest prediction that is believed; minus infinity for any.
        high: The highest.
    """

    known: Csr
    teachers: Sequence[Teacher]
    weight: float = 1.0
    low: float = -np.inf
    high: float = np.inf

    def extend(self, batch: Batch, rows: Int64, offset: Float32, *, salt: int) -> Batch:
        """A batch of ratings, with the teachers' answers beside them.

        Args:
            batch: The batch.
            rows: int64 (rows,), which rows of ``known`` it has.
            offset: float32 (columns,), the pupil's: what was taken off its targets.
            salt: Seed of the draws.
        """
        entries = len(batch.column)
        column = np.empty(entries, dtype=np.int32)
        told = np.zeros(entries, dtype=batch.target.dtype)
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
                told,
            )
        told = np.clip(told / len(self.teachers), self.low, self.high)
        told -= offset[column] + np.repeat(batch.row_bias, np.diff(batch.indptr))
        both = _Joint(batch.indptr)
        joined = replace(
            batch,
            indptr=2 * batch.indptr,
            column=both.of(batch.column, column),
            target=both.of(batch.target, told),
            weight=both.of(batch.weight, weight),
        )
        if batch.source is not batch.column:
            return joined
        # Inputs and outputs by the same columns: the answers are entries that are not shown.
        coef = both.of(batch.coef, np.zeros_like(batch.coef))
        return replace(joined, in_ptr=joined.indptr, source=joined.column, coef=coef)


class _Joint:
    """Joins two arrays over the same entries: the first of a row, then the second of it."""

    def __init__(self, indptr: Int64) -> None:
        self._indptr = indptr

    def of(self, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The joint array, of twice the length."""
        out = np.empty(2 * len(first), dtype=first.dtype)
        bits = f"i{first.itemsize}"  # one compiled function serves all types of that size
        _join(self._indptr, first.view(bits), second.view(bits), out.view(bits))
        return out


@kernel(parallel=True)
def _draw(indices: Int32, salt: np.uint64, column: Int32) -> None:
    """Draw a column for each entry, as often as it stands in ``indices``."""
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
    told: Float,
) -> None:
    """Add a teacher's prediction to each entry."""
    for b in prange(len(rows)):
        r = rows[b]
        for j in range(ptr[b], ptr[b + 1]):
            c = column[j]
            dot = vectors[c, 0] * table[r, 0]
            for k in range(1, vectors.shape[1]):
                dot += vectors[c, k] * table[r, k]
            told[j] += activate(activation, dot + bias[r]) + offset[r] + added[c]


@kernel(parallel=True)
def _join(
    indptr: Int64, first: npt.NDArray[Any], second: npt.NDArray[Any], out: npt.NDArray[Any]
) -> None:
    for b in prange(len(indptr) - 1):
        for j in range(indptr[b], indptr[b + 1]):
            out[indptr[b] + j] = first[j]
            out[indptr[b + 1] + j] = second[j]
