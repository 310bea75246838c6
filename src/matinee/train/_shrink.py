"""Shrink a network's say towards the bias model's, as far as held-out ratings ask for.

With few ratings a row, or little dropout, a network's deviations from the bias model are part
noise. Least squares on a validation part gives the share of them to believe, between 0 and 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from ..data import Csr
from ..nn import Inputs, Network, row_biases

if TYPE_CHECKING:
    from ._holdout import Holdout

Float64 = npt.NDArray[np.float64]


def bias_part(inputs: Inputs, known: Csr, held: Holdout) -> Float64:
    """What the bias model says of each held-out entry, float64 (entries,)."""
    own = row_biases(inputs, known, held.rows)
    both = inputs.offset[held.columns] + np.repeat(own, np.diff(held.indptr))
    return both.astype(np.float64)


def believable(deviation: Float64, wanted: Float64) -> float:
    """The share, 0 to 1, of some deviations that comes nearest to the wanted ones."""
    power = float(np.dot(deviation, deviation))
    share = float(np.dot(deviation, wanted)) / power if power > 0 else 1.0
    return min(max(share, 0.0), 1.0)


def shrink_to_bias(network: Network, inputs: Inputs, known: Csr, held: Holdout) -> float:
    """Multiply the believable share into the network's last layer.

    Args:
        network: With ``center = "bias"`` and a linear, untied output; changed in place.
        inputs: Its input recipe.
        known: The training ratings by row.
        held: The validation part.

    Returns:
        The share.
    """
    base = bias_part(inputs, known, held)
    share = believable(held.predict(network, inputs, known) - base, held.values - base)
    with torch.no_grad():
        network.table_out.mul_(share)
        network.bias_out.mul_(share)
    return share
