"""HTML that notebooks show of an object."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from markupsafe import escape


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Iterable[int] = (),
    caption: str = "",
) -> str:
    """Return a table. Every text is escaped.

    Args:
        columns: Headings; none where all are empty.
        rows: Cells, as they are to be read.
        numbers: Positions of the columns that are set to the right.
        caption: What the table shows, above it.
    """
    right = set(numbers)

    def cells(tag: str, values: Sequence[object]) -> str:
        markup = []
        for at, value in enumerate(values):
            side = "right" if at in right else "left"
            markup.append(f'<{tag} style="text-align:{side}">{escape(value)}</{tag}>')
        return f"<tr>{''.join(markup)}</tr>"

    above = ""
    if caption:
        style = "caption-side:top;text-align:left;font-weight:600"
        above = f'<caption style="{style}">{escape(caption)}</caption>'
    head = f"<thead>{cells('th', columns)}</thead>" if any(columns) else ""
    body = "".join(cells("td", row) for row in rows)
    return f"<table>{above}{head}<tbody>{body}</tbody></table>"


def paragraphs(lines: Iterable[str]) -> str:
    """Sentences, one below the other."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def picture(svg: str, words: str) -> str:
    """Return an SVG file as an image, so that its style sheet is its own and not the page's."""
    data = b64encode(svg.encode()).decode("ascii")
    style = "max-width:100%"
    return f'<img style="{style}" alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'
