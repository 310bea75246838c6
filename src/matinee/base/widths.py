"""Hidden widths under limits by the size of the weight matrices and of the data."""

from __future__ import annotations

from collections.abc import Sequence


def most_units(multiple: float, ratings: int, users: int, items: int) -> int:
    """The largest hidden width for some data: a multiple of ratings / (users + items); 0 for any.

    Args:
        multiple: Units for each rating per user and item; 0 for no limit.
        ratings: Number of training ratings.
        users: Number of users.
        items: Number of items.
    """
    return max(int(multiple * ratings / max(users + items, 1)), 1) if multiple else 0


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
