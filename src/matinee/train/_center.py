"""Centre a trained network's outputs by column.

Training does not constrain a column's mean deviation from the bias model. With items as rows a
column is a user, whose mean the bias model has already fitted, so that a mean deviation is mostly
noise for new ratings. With users as rows, where a column is an item, it is smaller.
"""

from __future__ import annotations

import numpy as np
import torch

from ..base.memory import count_codes
from ..data import Csr
from ..nn import CENTRING, Inputs, Network, predict_entries, row_biases
from .shards.shard import WHOLE, Shard

ROWS = 8192
"""Rows predicted in one batch."""


def center_columns(network: Network, inputs: Inputs, known: Csr, shard: Shard = WHOLE) -> None:
    """Subtract each column's mean deviation from its output bias.

    The mean is over the rows that have rated the column and is shrunk to 0 with a strength of
    ``CENTRING`` ratings, as is a row's mean in ``RowOutputs``.

    The network, which is changed in place, has a linear, untied output. ``known`` are the ratings
    of this process, ``shard`` the processes that have the others, if any.
    """
    sums, inputs = np.zeros(known.n_columns), inputs.latent
    for first in range(0, known.n_rows, ROWS):
        rows = np.arange(first, min(first + ROWS, known.n_rows), dtype=np.int64)
        ptr = known.indptr[first : first + len(rows) + 1]
        columns = known.indices[ptr[0] : ptr[-1]]
        deviations = predict_entries(network, inputs, known, rows, ptr - ptr[0], columns)
        deviations -= inputs.offset[columns]
        deviations -= np.repeat(row_biases(inputs, known, rows), np.diff(ptr))
        sums += np.bincount(columns, deviations, minlength=known.n_columns)
    counts = count_codes(known.indices, known.n_columns)
    for array in (sums, counts):
        shard.sum(array)
    mean = (sums / (counts + CENTRING)).astype(np.float32)
    with torch.no_grad():
        network.bias_out.sub_(torch.from_numpy(mean))
