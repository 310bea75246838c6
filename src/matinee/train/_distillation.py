"""``Distillation``: predictions of teacher networks at sampled columns as further targets.

A row has ratings at a few columns, chosen by the user. A network over the other side of the ratings
(items as rows if this one has users) makes different errors, so its predictions at other columns
carry information that the row's own ratings do not. The student is trained on these predictions as
well as the ratings (knowledge distillation: Hinton et al. 2015, arXiv 1503.02531).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ..base.arrays import Array, Float, Float32, Float64, Int32, Int64, row_bounds
from ..base.compiled import FAST, kernel, shared
from ..base.memory import count_codes, row_chunks
from ..data import Csr
from ..nn import Batch, Inputs, Network, encode_rows, row_biases
from ..nn.activations import activate
from ..nn.sparse.kernels import four_dots
from ..nn.sparse.random import uniform

ROWS = 1024
"""Rows of a teacher encoded per batch."""
_TIMES, _MOST_KEPT = 2.0, 10
"""Expected uses from which a prediction is cached; most cached predictions per rating."""
_KEPT_IN_ALL = 1 << 27
"""Largest number of cached predictions (512 MiB as float32): with very many ratings the gain does
not justify more memory."""
_KEPT_AT_ONCE = 1 << 22
"""Predictions computed at a time to fill the cache (or one row's): their columns take 112 MiB."""
_DRAWS = 0x2545F4914F6CDD1D
"""Separates the random stream of sampled columns from that of input dropout."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network over the student's columns, in the form that predicts fastest.

    Attributes:
        vectors: float (student's columns, width), last hidden layer of its rows.
        added: float (student's columns,), constant added to each row's outputs.
        table: float (student's rows, width), output weights.
        bias: float (student's rows,), output bias.
        offset: float32 (student's rows,), offset of each target column.
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
        """Make a teacher from a trained network.

        ``inputs`` and ``known`` must exclude the validation part, on which the student's epoch is
        selected.

        ``share`` is the network's shrinkage coefficient; see ``fit_shrinkage``.
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

    def entries(self, rows: Int64, columns: Int32) -> Float64:
        """Return predictions at the student's entries, float64 (entries,); linear outputs only."""
        dots = np.einsum("ij,ij->i", self.table[rows], self.vectors[columns], dtype=np.float64)
        return dots + self.bias[rows] + self.offset[rows] + self.added[columns]


@dataclass(frozen=True, eq=False)
class Distillation:
    """Adds the teachers' predictions to batches.

    Each row of a batch gets as many additional entries as it has ratings, at columns sampled with
    probability proportional to their number of ratings. The target is the teachers' mean
    prediction, or with ordinal outputs their mean latent score. Some sampled columns are rated by
    the row; excluding these gains nothing (docs/lab-notes.md).

    Attributes:
        known: The student's training ratings by row.
        teachers: One or more.
        weight: Loss weight of such an entry relative to a rating.
        low: Predictions are clipped to at least this.
        high: Predictions are clipped to at most this.
        epochs: Number of training epochs; see ``_Kept``.
        rows: int64, the rows trained on; None for all.
    """

    known: Csr
    teachers: Sequence[Teacher]
    weight: float = 1.0
    low: float = -np.inf
    high: float = np.inf
    epochs: int = 0
    rows: Int64 | None = None

    @cached_property
    def _kept(self) -> _Kept:
        return _Kept(self.known, self.teachers, self.epochs, self.rows)

    def extend(self, batch: Batch, rows: Int64, offset: Float32, *, salt: int) -> Batch:
        """Return a batch with the ratings and, for each, an entry with a teacher prediction.

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
        self._kept.add(batch.indptr, rows, column, target)
        target = np.clip(target / len(self.teachers), self.low, self.high)
        target -= offset[column] + np.repeat(batch.row_bias, np.diff(batch.indptr))
        joint = partial(_interleaved, batch.indptr)
        joined = replace(
            batch,
            indptr=2 * batch.indptr,
            column=joint(batch.column, column),
            target=joint(batch.target, target),
            weight=joint(batch.weight, weight),
            level=None if batch.level is None else joint(batch.level, np.full_like(column, -1)),
        )
        if batch.source is not batch.column:
            return joined
        # Inputs and outputs share their columns: the added entries have input coefficient 0.
        coef = joint(batch.coef, np.zeros_like(batch.coef))
        return replace(joined, in_ptr=joined.indptr, source=joined.column, coef=coef)


class _Kept:
    """Teacher predictions, with a cache of those that are used repeatedly.

    A row of n ratings uses a column of m ratings n m / N times an epoch in expectation, of N
    ratings in all. Predictions used at least twice over all epochs are cached: on MovieLens-1M
    eight per rating, which serve seven of eight uses.
    """

    def __init__(
        self, known: Csr, teachers: Sequence[Teacher], epochs: int, rows: Int64 | None
    ) -> None:
        self._teachers = teachers
        popularity = count_codes(known.indices, known.n_columns)
        order = np.argsort(-popularity, kind="stable").astype(np.int32)
        self._rank = np.empty_like(order)
        self._rank[order] = np.arange(len(order), dtype=np.int32)
        counts = known.counts.astype(np.float64)
        if rows is not None:
            counts = np.where(np.isin(np.arange(len(counts)), rows), counts, 0.0)
        uses, kept = counts * (epochs / max(len(known.indices), 1)), np.zeros(0, dtype=np.int64)
        times, limit = _TIMES, min(_MOST_KEPT * len(known.indices), _KEPT_IN_ALL)
        while not len(kept) or kept.sum() > limit:
            least = np.divide(times, uses, out=np.full_like(uses, np.inf), where=uses > 0)
            kept = np.searchsorted(-popularity[order], -least, side="right")
            times *= 1.5
        ptr = row_bounds(kept)
        self._ptr = np.zeros_like(ptr)  # the cache is empty: ``add`` computes all
        self._values = np.zeros(ptr[-1], dtype=teachers[0].vectors.dtype)
        for some in row_chunks(ptr, _KEPT_AT_ONCE):
            bounds = ptr[some.start : some.stop + 1]
            starts, values = bounds - bounds[0], self._values[bounds[0] : bounds[-1]]
            column = order[np.arange(len(values)) - np.repeat(starts[:-1], kept[some])]
            self.add(starts, np.arange(some.start, some.stop), column, values)
        self._ptr = ptr

    def add(self, indptr: Int64, rows: Int64, column: Int32, target: Float) -> None:
        """Add the sum of the teachers' predictions for rows at columns."""
        cache = self._rank, self._ptr, self._values
        for number, each in enumerate(self._teachers):
            teacher = each.vectors, each.added, each.table, each.bias, each.offset
            first = number == 0
            _predict(indptr, rows, column, teacher, each.activation, first, cache, target)


def _interleaved(indptr: Int64, first: Array, second: Array) -> Array:
    """Return for each row the entries of the first array, then those of the second."""
    out = np.empty(2 * len(first), dtype=first.dtype)
    bits = f"i{first.itemsize}"  # one compiled function serves all types of that size
    _join(indptr, first.view(bits), second.view(bits), out.view(bits))
    return out


_Teacher = tuple[Float, Float, Float, Float, Float32]
"""``vectors``, ``added``, ``table``, ``bias`` and ``offset`` of a ``Teacher``."""
_Cache = tuple[Int32, Int64, Float]
"""``rank``, ``kept_ptr`` and ``kept``; see ``_predict``."""


@kernel()
def _draw(indices: Int32, salt: np.uint64, column: Int32) -> None:
    """Sample a column for each entry, uniformly from ``indices``."""
    for j in range(len(column)):
        column[j] = indices[int(uniform(salt, np.uint64(j)) * len(indices))]


@shared("rows", choice="activation", fastmath=FAST, error_model="numpy")
def _predict(
    begin: int,
    end: int,
    ptr: Int64,
    rows: Int64,
    column: Int32,
    teacher: _Teacher,
    activation: int,
    adds: bool,
    cache: _Cache,
    target: Float,
) -> None:
    """Add a teacher's prediction at each entry to ``target``, (entries,).

    ``kept`` caches the teachers' sum for the columns of row r with a ``rank`` below
    ``kept_ptr[r + 1] - kept_ptr[r]``; it is added if ``adds`` is set.
    """
    vectors, added, table, bias, offset = teacher
    rank, kept_ptr, kept = cache
    dots = np.empty(4, dtype=table.dtype)
    for b in range(begin, end):
        r = rows[b]
        first = kept_ptr[r]
        count = kept_ptr[r + 1] - first
        where = np.empty(ptr[b + 1] - ptr[b], dtype=np.int32)
        n = 0
        for j in range(ptr[b], ptr[b + 1]):
            at = rank[column[j]]
            if at >= count:
                where[n] = j
                n += 1
            elif adds:
                target[j] += kept[first + at]
        for p in range(0, n, 4):  # four at a time; if fewer remain, the last is recomputed
            few = n - p if n - p < 4 else 4
            j0, j1 = where[p], where[p + (few > 1)]
            j2, j3 = where[p + (few > 1) + (few > 2)], where[p + few - 1]
            c0, c1, c2, c3 = column[j0], column[j1], column[j2], column[j3]
            dots[0], dots[1], dots[2], dots[3] = four_dots(table[r], vectors, c0, c1, c2, c3)
            for q in range(few):
                j = where[p + q]
                predicted = activate(activation, dots[q] + bias[r]) + offset[r]
                target[j] += predicted + added[column[j]]


@kernel()
def _join(indptr: Int64, first: Array, second: Array, out: Array) -> None:
    for b in range(len(indptr) - 1):
        for j in range(indptr[b], indptr[b + 1]):
            out[indptr[b] + j] = first[j]
            out[indptr[b + 1] + j] = second[j]
