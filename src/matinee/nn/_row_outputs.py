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

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

CENTRING = 10.0
"""``RowOutputs.reg`` where outputs are centred; 0 to 60 make little difference."""


def row_scale(logs: Float64, slope: float) -> Float64:
    """What the last hidden layers of rows are multiplied by, float64 (rows,).

    Args:
        logs: Logs of the rows' numbers of ratings, less that of a row which is left as it is.
        slope: How much more for each unit, between 0.5 and 1.5 in all.
    """
    return np.clip(1.0 + slope * logs, 0.5, 1.5)


@dataclass(frozen=True)
class RowOutputs:
    """How the outputs for a row follow from its last hidden layer.

    Attributes:
        reg: How many outputs of 0 the row's mean output, over what it has rated, is weighed against
            before it is taken off; negative for outputs as they are.
        slope: How the last hidden layer is scaled by the log of the row's number of ratings: see
            ``row_scale``.
        pivot: The log for which it is left as it is.
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
        logs = np.log(np.maximum(counts, 1)) - self.pivot
        return row_scale(logs, self.slope).astype(np.float32)

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
