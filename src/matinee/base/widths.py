"""How wide hidden layers may be where the tables beside them are bounded."""

from __future__ import annotations

from collections.abc import Sequence


def within(hidden: Sequence[int], limit: int, columns: int, table_rows: int) -> tuple[int, ...]:
    """Hidden sizes of which the first and the last keep their tables to so many weights.

    Args:
        hidden: Hidden sizes.
        limit: Most weights of the first layer's table, and of the last's; 0 for no limit.
        columns: Rows of the last layer's table.
        table_rows: Rows of the first layer's.
    """
    widths = list(hidden)
    if limit:
        widths[0] = min(widths[0], max(limit // max(table_rows, 1), 1))
        widths[-1] = min(widths[-1], max(limit // max(columns, 1), 1))
    return tuple(widths)
