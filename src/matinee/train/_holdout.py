"""``Holdout``: held-out ratings, how they are drawn, and the shrinkage that is fitted on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..base.arrays import Array, Float32, Float64, Int32, Int64, Mask, row_bounds
from ..base.memory import chunks, count_codes, large_take
from ..baseline.ordinal import expected_ratings
from ..data import Csr, Ratings
from ..nn import FEW, Inputs, Network, predict_entries, row_biases, row_length
from ._shrink import Deviations
from .shards.shard import WHOLE, Shard

ROWS = 1024
"""Rows whose ratings processes with tables in blocks exchange at a time."""


@dataclass(frozen=True, eq=False)
class Holdout:
    """Held-out entries by row.

    Attributes:
        rows: int64 (n,), the rows with held-out entries.
        indptr: int64 (n + 1,), position of the first entry of each row.
        columns: int32 (entries,).
        values: float32 (entries,), the ratings.
        low: Predictions are clipped to at least this.
        high: Predictions are clipped to at most this.
        users_are_columns: Whether items are the rows and users the columns.
        shard: The processes that divide predictions, all of which have all entries; they must call
            the methods that predict together.
    """

    rows: Int64
    indptr: Int64
    columns: Int32
    values: Float32
    low: float = -np.inf
    high: float = np.inf
    users_are_columns: bool = False
    shard: Shard = WHOLE

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(
        cls,
        csr: Csr,
        low: float = -np.inf,
        high: float = np.inf,
        *,
        users_are_columns: bool = False,
        shard: Shard = WHOLE,
    ) -> Holdout:
        """Hold out every entry of a CSR, or of those of all processes."""
        counts = shard.counts(csr)
        rows = np.flatnonzero(counts)
        entries = shard.join(csr.indices), shard.join(csr.values)
        return cls(rows, row_bounds(counts[rows]), *entries, low, high, users_are_columns, shard)

    def predict(self, network: Network, inputs: Inputs, known: Csr) -> Float64:
        """Return unclipped predictions of the entries from inputs ``known``, float64 (entries,)."""
        if network.blocks is not None:
            return self._predict_together(network, inputs, known)
        local = self.shard.divided(self.rows, self.indptr)
        ptr = self.indptr[local.start : local.stop + 1]
        columns = self.columns[ptr[0] : ptr[-1]]
        part = predict_entries(network, inputs, known, self.rows[local], ptr - ptr[0], columns)
        (predictions,) = self.shard.group.join_parts((part, ptr[0], len(self)))
        return predictions

    def _predict_together(self, network: Network, inputs: Inputs, known: Csr) -> Float64:
        """Compute ``predict`` with tables in blocks: every process predicts for the same rows."""
        counts, out = self.shard.counts(known), np.empty(len(self))
        for first in range(0, len(self.rows), ROWS):
            rows, ptr = self.rows[first : first + ROWS], self.indptr[first : first + ROWS + 1]
            some, at = self.shard.rows_of(known, rows, counts)
            columns = self.columns[ptr[0] : ptr[-1]]
            out[ptr[0] : ptr[-1]] = predict_entries(
                network, inputs, some, at, ptr - ptr[0], columns
            )
        return out

    def bias_predictions(self, inputs: Inputs, known: Csr) -> Float64:
        """Return the bias model's prediction for each entry, float64 (entries,)."""
        row_bias = self._by_row(lambda rows: row_biases(inputs, known, rows))
        predictions = inputs.offset[self.columns] + np.repeat(row_bias, np.diff(self.indptr))
        return predictions.astype(np.float64)

    def deviations(self, network: Network, inputs: Inputs, known: Csr, base: Float64) -> Deviations:
        """Return a network's deviations from the bias model, before shrinkage.

        The network has ``center = "bias"`` and a linear, untied output, and its inputs no
        slope; ``base`` are ``bias_predictions``.
        """
        counts = np.diff(self.indptr)
        whole = self.predict(network, inputs.latent, known) - base
        bias = network.bias_out.detach().cpu().numpy()
        vectors = whole - bias[self.columns]
        if inputs.outputs.centred:
            mean = inputs.outputs.mean(bias[known.indices], known.indptr)
            vectors += np.repeat(self._by_row(lambda rows: mean[rows]), counts)
        shown = np.repeat(self._by_row(lambda rows: known.counts[rows]), counts)
        pivot = float(np.log(np.maximum(shown, FEW)).mean())
        lengths = row_length(shown, pivot)
        return Deviations(base, self.values - base, whole, vectors, lengths, pivot, inputs.link)

    def squared_errors(
        self, network: Network, inputs: Inputs, known: Csr, base: Float64 | None = None
    ) -> Float64:
        """Return the squared error of each entry from inputs ``known``, float64 (entries,).

        With the bias model's predictions as ``base``, the network's deviations from them
        are shrunk by a fit to these entries first.
        """
        if base is None:
            predictions = self.predict(network, inputs, known)
        else:
            deviations = self.deviations(network, inputs, known, base)
            predictions = deviations.shrunk(deviations.fit())
        return self._squared(predictions)

    def _by_row(self, compute: Callable[[Int64], Array]) -> Array:
        return self.shard.by_row(compute, self.rows, self.indptr)

    def _squared(self, predictions: Float64) -> Float64:
        return np.square(np.clip(predictions, self.low, self.high) - self.values)

    def rmse(
        self, network: Network, inputs: Inputs, known: Csr, base: Float64 | None = None
    ) -> float:
        """Return the global RMSE from inputs ``known``; see ``squared_errors``."""
        return float(np.sqrt(self.squared_errors(network, inputs, known, base).mean()))

    def bias_rmse(self, inputs: Inputs, base: Float64) -> float:
        """Return ``rmse`` of a network whose deviations from ``base`` are shrunk to 0."""
        return float(np.sqrt(self._squared(expected_ratings(base, inputs.link)).mean()))

    def mean_user_rmse(self, squared: Float64, added: float = 0.0) -> float:
        """Return the unweighted mean over users of each user's RMSE.

        Args:
            squared: Squared error of each entry, float64 (entries,).
            added: Penalty added to each user's mean squared error.
        """
        if self.users_are_columns:
            counts = np.bincount(self.columns)
            rated = counts > 0
            each = np.bincount(self.columns, squared)[rated] / counts[rated]
        else:
            each = np.add.reduceat(squared, self.indptr[:-1]) / np.diff(self.indptr)
        return float(np.sqrt(each + added).mean())


def _skip(rng: np.random.Generator, numbers: int) -> None:
    """Skip random numbers, those of entries of other processes."""
    if numbers:
        assert isinstance(rng.bit_generator, np.random.PCG64)  # of ``default_rng``
        rng.bit_generator.advance(numbers)


def hold_out_rows(csr: Csr, share: float, rng: np.random.Generator, shard: Shard = WHOLE) -> Mask:
    """Hold out a random share of the entries, leaving each row at least one.

    Args:
        csr: The entries of this process.
        share: The share to hold out.
        rng: A generator in the same state in every process, in which it remains so.
        shard: The processes that have the other entries, if any.

    Returns:
        Mask over the entries, shape (entries,).
    """
    out = np.empty(len(csr.indices), dtype=bool)
    before, total = shard.span(len(out))
    after = total - before - len(out)
    _skip(rng, before)
    for some in chunks(len(out)):
        out[some] = rng.random(some.stop - some.start) < share
    _skip(rng, after)
    first = csr.indptr[:-1][csr.counts > 0]
    whole = np.logical_and.reduceat(out, first) if len(first) else np.empty(0, dtype=bool)
    out[first[whole]] = False
    return out


def hold_out_ratings(train: Ratings, share: float, rng: np.random.Generator) -> Mask:
    """Hold out a random share of the ratings, leaving every user and item at least one.

    Unlike with ``hold_out_rows``, the part does not depend on whether users or items are rows. It
    is drawn in the order of ``train.by_user``, so it does not depend on the order of the ratings.

    Returns:
        Mask over the ratings, shape (len(train),).
    """
    csr = train.by_user
    out = hold_out_rows(csr, share, rng)
    counts = count_codes(large_take(csr.indices, ~out), train.n_items)
    entries = np.flatnonzero(counts[csr.indices] == 0)
    _, first = np.unique(csr.indices[entries], return_index=True)
    out[entries[first]] = False
    return csr.in_order_of_ratings(out)


def part(csr: Csr, mask: Mask) -> tuple[Csr, Csr]:
    """Split grouped ratings by a mask over the ratings they came from: (kept, held out)."""
    out = csr.aligned(mask)
    return csr.where(~out), csr.where(out)


def fit_shrinkage(
    network: Network, inputs: Inputs, known: Csr, held: Holdout
) -> tuple[float, Inputs]:
    """Fit a network's shrinkage coefficient; also return its input encoding with the slope."""
    base = held.bias_predictions(inputs, known)
    fit = held.deviations(network, inputs, known, base).fit()
    outputs = replace(inputs.outputs, slope=fit.slope, pivot=fit.pivot)
    return fit.coefficient, replace(inputs, outputs=outputs)


def shrink_to_bias(
    network: Network, inputs: Inputs, known: Csr, held: Holdout, *, whole: bool = False
) -> tuple[float, Inputs]:
    """Multiply the shrinkage coefficient into the network's last layer.

    If ``whole``, the coefficient stays 1: an ensemble has its own weights.

    Returns:
        The coefficient, and the encoding with the slope.
    """
    coefficient, inputs = fit_shrinkage(network, inputs, known, held)
    if whole:
        return 1.0, inputs
    with torch.no_grad():
        network.table_out.mul_(coefficient)
        network.bias_out.mul_(coefficient)
    return coefficient, inputs
