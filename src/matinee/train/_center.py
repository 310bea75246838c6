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
    together = network.blocks is not None  # every process then predicts for all rows
    entries = shard.counts(known) if together else known.counts
    for first in range(0, known.n_rows, ROWS):
        rows = np.arange(first, min(first + ROWS, known.n_rows), dtype=np.int64)
        some, at = shard.rows_of(known, rows, entries) if together else (known, rows)
        ptr = some.indptr[at[0] : at[-1] + 2]
        columns = some.indices[ptr[0] : ptr[-1]]
        deviations = predict_entries(network, inputs, some, at, ptr - ptr[0], columns)
        deviations -= inputs.offset[columns]
        deviations -= np.repeat(row_biases(inputs, some, at), np.diff(ptr))
        sums += np.bincount(columns, deviations, minlength=known.n_columns)
    counts = count_codes(known.indices, known.n_columns)
    shard.sum(counts)
    if not together:
        shard.sum(sums)
    mean = (sums / (counts + CENTRING)).astype(np.float32)
    with torch.no_grad():
        network.bias_out.sub_(torch.from_numpy(mean))
