"""Hidden widths under limits by the size of the weight matrices and of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence


def most_units(multiple: float, ratings: int, users: int, items: int) -> int:
    """Return the largest hidden width for some data; 0 for any.

    It is a multiple of the geometric mean of the ratings per user and the ratings per item, so that
    it is small only where both are few.

    Args:
        multiple: Units for each rating of that mean; 0 or infinity for no limit.
        ratings: Number of training ratings.
        users: Number of users.
        items: Number of items.
    """
    if multiple in (0, math.inf):
        return 0
    return max(int(multiple * ratings / math.sqrt(max(users * items, 1))), 1)


def within(
    hidden: Sequence[int], limit: int, columns: int, table_rows: int, *, most: int = 0
) -> tuple[int, ...]:
    """Hidden widths, reduced to a largest width and to a limit on the first and last weight table.

    Args:
        hidden: Hidden widths.
        limit: Most weights in the input table, and in the output table; 0 for no limit.
        columns: Rows of the output table.
        table_rows: Rows of the input table.
        most: Largest width of any layer, see ``most_units``; 0 for no limit.
    """
    widths = [min(width, most) for width in hidden] if most else list(hidden)
    if limit:
        widths[0] = min(widths[0], max(limit // max(table_rows, 1), 1))
        widths[-1] = min(widths[-1], max(limit // max(columns, 1), 1))
    return tuple(widths)
