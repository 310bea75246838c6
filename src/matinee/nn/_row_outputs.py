"""``RowOutputs``: what is done to a network's outputs for a row, by what the row has rated.

A network trained on parts of rows is asked about whole ones. Its outputs for somebody then lean to
one side of all that they rated, and go too far where they rated much, not far enough where little.
Both are put right in closed form; training knows nothing of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32, Float64, Int64

CENTRING = 10.0
"""``RowOutputs.reg`` where outputs are centred; 0 to 60 make little difference."""
FEW = 20
"""Ratings below which a row's length goes back to 0: with 1 to 5 ratings a slope that went on cost
0.001 to 0.005 RMSE on people of ML-1M (benchmarks/row_outputs.py); this costs nothing."""
LEAST, MOST = 0.5, 1.5
"""The bounds of ``row_scale``."""


def row_length(counts: Int64, pivot: float) -> Float64:
    """How long rows are, as their outputs see it, float64 (rows,).

    Args:
        counts: Their numbers of ratings. The logs of these count; below ``FEW`` ratings, where
            nothing says that it goes on so, a length goes back to 0 in proportion.
        pivot: The log that counts as 0.
    """
    length: Float64 = np.log(np.maximum(counts, FEW)) - pivot
    return length * np.minimum(counts / FEW, 1.0)


def row_scale(lengths: Float64, slope: float) -> Float64:
    """What the last hidden layers of rows of some lengths are multiplied by: 0.5 to 1.5."""
    return np.clip(1.0 + slope * lengths, LEAST, MOST)


@dataclass(frozen=True)
class RowOutputs:
    """How the outputs for a row follow from its last hidden layer.

    Attributes:
        reg: How many outputs of 0 the row's mean output, over what it has rated, is weighed against
            before it is taken off; negative for outputs as they are.
        slope: By how much more or less the last hidden layer is scaled for each unit of the row's
            length: see ``row_scale``.
        pivot: The log of ratings that is a length of 0: see ``row_length``.
    """

    reg: float = -1.0
    slope: float = 0.0
    pivot: float = 0.0

    @property
    def centred(self) -> bool:
        """Whether mean outputs are taken off."""
        return self.reg >= 0.0

    def scale(self, counts: Int64) -> Float32:
        """``row_scale`` of rows with some numbers of ratings, float32."""
        return row_scale(row_length(counts, self.pivot), self.slope).astype(np.float32)

    def mean(self, outputs: npt.NDArray[Any], indptr: Int64) -> Float64:
        """Mean outputs of rows, weighed against ``reg`` zeros, float64 (rows,).

        Args:
            outputs: The output at each entry of the rows, shape (entries,).
            indptr: int64 (rows + 1,), the entries of each row.
        """
        counts = np.diff(indptr)
        row = np.repeat(np.arange(len(counts)), counts)
        sums = np.bincount(row, outputs, minlength=len(counts))
        return sums / np.maximum(counts + self.reg, 1e-12)

    def as_dict(self) -> dict[str, float]:
        """Plain values, for JSON."""
        return asdict(self)
