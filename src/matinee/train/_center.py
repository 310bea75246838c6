"""Centre a trained network's outputs column by column.

A network never sees a column as a whole while it is trained. With items as rows a column is a
person, and nothing holds the network's deviations for one person, over all that they rated, to a
mean of nothing; yet the bias model, which it deviates from, has that mean already. What is left of
it is a constant a person, and is mostly wrong about ratings to come. With users as rows a column is
an item, and there is less of it.
"""

from __future__ import annotations

import numpy as np
import torch

from ..data import Csr
from ..nn import CENTRING, Inputs, Network, predict_entries, row_biases

ROWS = 8192
"""Rows predicted at once."""


def center_columns(network: Network, inputs: Inputs, known: Csr) -> None:
    """Take each column's mean deviation off its output bias.

    The mean is over the rows that have rated the column, weighed against ``CENTRING`` deviations of
    0, as a row's own mean is (``RowOutputs``).

    Args:
        network: With a linear, untied output; changed in place.
        inputs: Its input encoding.
        known: The training ratings by row.
    """
    sums = np.zeros(known.n_columns)
    for first in range(0, known.n_rows, ROWS):
        rows = np.arange(first, min(first + ROWS, known.n_rows), dtype=np.int64)
        ptr = known.indptr[first : first + len(rows) + 1]
        columns = known.indices[ptr[0] : ptr[-1]]
        told = predict_entries(network, inputs, known, rows, ptr - ptr[0], columns)
        told -= inputs.offset[columns]
        told -= np.repeat(row_biases(inputs, known, rows), np.diff(ptr))
        sums += np.bincount(columns, told, minlength=known.n_columns)
    counts = np.bincount(known.indices, minlength=known.n_columns)
    mean = (sums / (counts + CENTRING)).astype(np.float32)
    with torch.no_grad():
        network.bias_out.sub_(torch.from_numpy(mean))
