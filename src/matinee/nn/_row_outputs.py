"""``RowOutputs``: closed-form corrections of a network's outputs for a row, at prediction.

A network trained on parts of rows predicts from whole rows. Its outputs for a row then have a
non-zero mean over the rated columns, and deviate too much for long rows and too little for short
ones. Both are corrected in closed form, without effect on training.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..base.arrays import Array, Float32, Float64, Int64

CENTRING = 10.0
"""``RowOutputs.reg`` if outputs are centred; values from 0 to 60 make little difference."""
FEW = 20
"""Ratings below which a row's length tapers to 0. Without it, RMSE of ML-1M users with 1 to 5
ratings was 0.001 to 0.005 higher (benchmarks/row_outputs.py)."""
LEAST, MOST = 0.5, 1.5
"""The bounds of ``row_scale``."""


def row_length(counts: Int64, pivot: float) -> Float64:
    """Return row lengths: log(max(n, FEW)) - pivot, times n / FEW if n < FEW, float64 (rows,).

    Args:
        counts: Number of ratings n of each row.
        pivot: Log number of ratings at which the length is 0.
    """
    length: Float64 = np.log(np.maximum(counts, FEW)) - pivot
    return length * np.minimum(counts / FEW, 1.0)


def row_scale(lengths: Float64, slope: float) -> Float64:
    """Return the factor of the last hidden layer: 1 + slope * length, clipped to 0.5 to 1.5."""
    return np.clip(1.0 + slope * lengths, LEAST, MOST)


@dataclass(frozen=True)
class RowOutputs:
    """Centring and scaling of the outputs for a row.

    Attributes:
        reg: The row's mean output over its rated columns, shrunk to 0 by this many ratings, is
            subtracted; negative for no centring.
        slope: Relative change of ``row_scale`` per unit of the row's length.
        pivot: Log number of ratings at which the length is 0; see ``row_length``.
    """

    reg: float = -1.0
    slope: float = 0.0
    pivot: float = 0.0

    @property
    def centred(self) -> bool:
        """Whether mean outputs are subtracted."""
        return self.reg >= 0.0

    def scale(self, counts: Int64) -> Float32:
        """Return ``row_scale`` of rows with these numbers of ratings, float32."""
        return row_scale(row_length(counts, self.pivot), self.slope).astype(np.float32)

    def mean(self, outputs: Array, indptr: Int64) -> Float64:
        """Return the mean outputs of rows, shrunk to 0 by ``reg`` ratings, float64 (rows,).

        Args:
            outputs: The output at each entry of the rows, shape (entries,).
            indptr: int64 (rows + 1,), the entries of each row.
        """
        counts = np.diff(indptr)
        row = np.repeat(np.arange(len(counts)), counts)
        sums = np.bincount(row, outputs, minlength=len(counts))
        return sums / np.maximum(counts + self.reg, 1e-12)

    def as_dict(self) -> dict[str, float]:
        """Return plain values, for JSON."""
        return asdict(self)
