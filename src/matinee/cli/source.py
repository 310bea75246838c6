"""The options by which every command that reads ratings is told how to read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .output import note
from .show.reading import reading

if TYPE_CHECKING:
    from ..data import Ratings

_PANEL = "Reading"

Source = Annotated[
    str | None,
    typer.Argument(
        help="A catalogue name (ml-1m), a name given by 'data add', a file, a folder or a quoted "
        "glob of files; nothing with --sql.",
        show_default=False,
    ),
]
User = Annotated[
    str | None,
    typer.Option("--user", metavar="COL", help="Column of the user id.", rich_help_panel=_PANEL),
]
Item = Annotated[
    str | None,
    typer.Option("--item", metavar="COL", help="Column of the item id.", rich_help_panel=_PANEL),
]
Rating = Annotated[
    str | None,
    typer.Option("--rating", metavar="COL", help="Column of the rating.", rich_help_panel=_PANEL),
]
Time = Annotated[
    str | None,
    typer.Option("--time", metavar="COL", help="Column of the time.", rich_help_panel=_PANEL),
]
ScaleOption = Annotated[
    str | None,
    typer.Option(
        "--scale",
        metavar="LOW:HIGH",
        help="The range ratings may have, as in 1:5; one outside it is an error. By default the "
        "range seen.",
        rich_help_panel=_PANEL,
    ),
]
Repeats = Annotated[
    str,
    typer.Option(
        "--repeats",
        metavar="POLICY",
        help="What to do with a user's repeated rating of one item: keep the last by time (last), "
        "take their mean (mean), or stop (error).",
        rich_help_panel=_PANEL,
    ),
]
Sql = Annotated[
    str | None,
    typer.Option(
        "--sql", metavar="QUERY", help="Read the result of a query.", rich_help_panel=_PANEL
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="FILE",
        help="The database --sql asks: a DuckDB or SQLite file, or a PostgreSQL address.",
        rich_help_panel=_PANEL,
    ),
]
Items = Annotated[
    Path | None,
    typer.Option(
        "--items",
        metavar="FILE",
        help="A table of titles and genres by item id; one beside the ratings is found unasked.",
        rich_help_panel=_PANEL,
    ),
]
Files = Annotated[
    bool, typer.Option("--files", help="Charts as SVG, tables as CSV and Markdown beside it too.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def parse_scale(text: str | None) -> tuple[float, float] | None:
    """A scale written as ``LOW:HIGH``.

    Raises:
        UsageError: It is not written so, or is empty.
    """
    if text is None:
        return None
    low, sign, high = text.partition(":")
    try:
        scale = float(low), float(high)
    except ValueError:
        scale = (0.0, 0.0)
    if not sign or not -float("inf") < scale[0] < scale[1] < float("inf"):
        raise UsageError(f"--scale {text!r}: write it as LOW:HIGH, as in 1:5")
    return scale


def read(
    source: str | None,
    *,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    time: str | None = None,
    scale: str | None = None,
    repeats: str = "last",
    sql: str | None = None,
    database: str | None = None,
    items: Path | None = None,
    notes: bool = True,
    allow_single: bool = False,
) -> Ratings:
    """Read ratings as the options say, and say on stderr what reading them had to settle.

    ``allow_single`` accepts those of one user or one item, which are enough to score or to serve.

    Raises:
        UsageError: Neither a source nor a query, or both.
        DataError: They cannot be read.
    """
    from ..data import load

    if (source is None) == (sql is None):
        raise UsageError("name a SOURCE to read, or give a query with --sql (and not both)")
    if database is not None and sql is None:
        raise UsageError("--database goes with --sql")
    options: dict[str, Any] = {
        "user": user,
        "item": item,
        "rating": rating,
        "time": time,
        "scale": parse_scale(scale),
        "repeats": repeats,
        "items": items,
        "allow_single": allow_single,
    }
    with reading() as report:
        ratings = load(source, sql=sql, database=database, report=report, **options)
    if notes:
        for text in ratings.notes:
            note(f"matinee: {ratings.name}: {text}")
    return ratings


@dataclass(frozen=True)
class Reading:
    """The reading options of a command that may read more than one source.

    Attributes:
        columns: The columns' options, by name: "user", "item", "rating", "time", "scale".
        options: The other options of ``read``, for all sources.
        source: The source that the command is about; None for a query's result.
        whole: Options of ``read`` that are of that source alone: "sql", "database", "items".
    """

    columns: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None
    whole: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mapped(self) -> list[str]:
        """Names of the columns that were mapped."""
        return [name for name, value in self.columns.items() if value is not None]

    def __call__(self, source: str | None) -> Ratings:
        """Read a source."""
        only = self.whole if source == self.source else {}
        return read(source, **self.columns, **self.options, **only)
