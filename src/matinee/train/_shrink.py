"""Shrink a network's say towards the bias model's, as far as held-out ratings ask for."""

from __future__ import annotations

import numpy as np
import torch

from ..data import Csr
from ..nn import Inputs, Network, predict_entries, row_biases
from ._holdout import Holdout


def shrink_to_bias(network: Network, inputs: Inputs, known: Csr, held: Holdout) -> float:
    """Scale the network's output, a deviation from the bias model, to fit held-out ratings best.

    With few ratings a row, a network's deviations are part noise; least squares on the held-out
    part gives the share of them to believe, between 0 and 1. The output is linear, so the share is
    multiplied into the last layer.

    Args:
        network: With ``center = "bias"`` and a linear, untied output; changed in place.
        inputs: Its input recipe.
        known: The training ratings by row.
        held: The validation part.

    Returns:
        The share.
    """
    guess = predict_entries(network, inputs, known, held.rows, held.indptr, held.columns)
    own = row_biases(inputs, known)[held.rows]
    base = inputs.offset[held.columns] + np.repeat(own, np.diff(held.indptr))
    deviation = guess - base
    power = float(np.dot(deviation, deviation))
    share = float(np.dot(deviation, held.values - base)) / power if power > 0 else 1.0
    share = min(max(share, 0.0), 1.0)
    with torch.no_grad():
        network.table_out.mul_(share)
        network.bias_out.mul_(share)
    return share
