"""Hidden widths under a limit on the size of the first and last weight matrices."""

from __future__ import annotations

from collections.abc import Sequence


def within(hidden: Sequence[int], limit: int, columns: int, table_rows: int) -> tuple[int, ...]:
    """Hidden widths, the first and last reduced so that their weight tables stay below a limit.

    Args:
        hidden: Hidden widths.
        limit: Most weights in the input table, and in the output table; 0 for no limit.
        columns: Rows of the output table.
        table_rows: Rows of the input table.
    """
    widths = list(hidden)
    if limit:
        widths[0] = min(widths[0], max(limit // max(table_rows, 1), 1))
        widths[-1] = min(widths[-1], max(limit // max(columns, 1), 1))
    return tuple(widths)
