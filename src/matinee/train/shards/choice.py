"""Whether processes with some users' ratings each divide the tables by columns as well."""

from __future__ import annotations

import numpy as np

from ...base.memory import memory_limit
from ...errors import UsageError
from ...nn import ColumnBlocks, NetworkConfig
from ..config import TrainConfig
from ..context import RunContext

SHARE = 4
"""Tables are divided if, whole in every process of a machine, they take more than this part of its
memory."""


def choose_blocks(
    shape: NetworkConfig, train: TrainConfig, context: RunContext, rows: tuple[int, int]
) -> ColumnBlocks | None:
    """Return how processes with some users' ratings each divide the tables; None for not at all.

    Args:
        shape: The architecture, with the widths for this data.
        train: The training options.
        context: Has the processes, and whether the tables are to be divided.
        rows: Rows of the first and of the last table.

    Raises:
        UsageError: The tables are to be divided, and these options do not allow it.
    """
    group, wanted = context.group, context.shard_tables
    ends = (shape.hidden[0], shape.hidden[-1])
    obstacles = {
        f"device = {context.device!r}; train on the CPU": context.device != "cpu",
        f"refeed = {train.refeed!r}; set train.refeed = 'off'": train.refeed != "off",
        f"hidden = {list(shape.hidden)}; start fewer processes than the first and the last layer "
        "have units": min(ends) < group.size,
    }
    reason = next((text for text, found in obstacles.items() if found), None)
    if wanted and reason is not None:
        raise UsageError(f"tables cannot be divided among {group.size} processes with {reason}")
    if wanted is None and reason is None:
        numbers = rows[0] * ends[0] + (0 if shape.tied else rows[1] * ends[1])
        copies = 2 + (train.optimizer == "adam") + bool(train.validation)
        taken = 4 * numbers * copies * group.local_size  # bytes
        exceeded = np.array([float(SHARE * taken > memory_limit())])
        group.sum(exceeded)  # machines may differ
        wanted = bool(exceeded[0])
    return ColumnBlocks(group) if wanted and reason is None else None
