"""Tables and numbers as plain text."""

from __future__ import annotations

from collections.abc import Container, Sequence


def aligned(rows: Sequence[Sequence[str]], numbers: Container[int] = ()) -> list[str]:
    """The rows of a table as lines, their columns aligned and two blanks apart.

    Args:
        rows: Cells; the headings may be the first row.
        numbers: Positions of the columns that are aligned to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def signed(value: float, digits: int = 4) -> str:
    """A difference with its sign, the minus as in print."""
    return f"{value:+.{digits}f}".replace("-", "−")


def seconds_text(value: float) -> str:
    """Seconds, to about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
