"""Markdown tables."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Container[int] = ()
) -> str:
    """Return a table, one line a row.

    Args:
        columns: Headings.
        rows: Cells. White space is folded and a "|" is escaped.
        numbers: Positions of the columns that are aligned to the right.
    """
    rule = ["---:" if at in numbers else "---" for at in range(len(columns))]
    return "".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |\n"
        for line in (columns, rule, *rows)
    )
