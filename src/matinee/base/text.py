"""Tables and numbers as plain text."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

_YEAR = re.compile(r"\s*[(\[](\d{4})(?:\s*[-–]\s*(?:\d{4})?)?[)\]]\s*$")


def aligned(rows: Sequence[Sequence[str]], numbers: Container[int] = ()) -> list[str]:
    """Format the rows of a table as lines, with aligned columns separated by two blanks.

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
    """Return a difference with its sign, the minus as in print."""
    return f"{value:+.{digits}f}".replace("-", "−")


def seconds_text(value: float) -> str:
    """Seconds, to about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def without_password(url: str) -> str:
    """Return the URL of a database as messages name it; its password may contain ``@``."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)


def split_year(title: str) -> tuple[str, int | None]:
    """Split a title into the title without "(1999)" and the year, or None."""
    match = _YEAR.search(title)
    # "(500)", or a title that is only a year, is unchanged.
    if match is None or not title[: match.start()].strip():
        return title, None
    return title[: match.start()], int(match.group(1))


def three_digits(value: float) -> str:
    """Return a number with three decimals; below 0.1, with three significant digits."""
    return f"{value:#.3g}" if 0.0 < abs(value) < 0.1 else f"{value:.3f}"
