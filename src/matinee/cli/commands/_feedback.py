"""``matinee feedback``: export, erase and prune a feedback store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import UsageError
from ..output import answer
from ..source import Json

if TYPE_CHECKING:
    from ...feedback import FeedbackStore

app = typer.Typer(no_args_is_help=True, help="Export, erase and prune feedback that was kept.")

Store = Annotated[
    str, typer.Argument(help="Where it is kept: sqlite:PATH, or postgresql://HOST/DATABASE.")
]


@app.command()
def export(store: Store, *, out: Path, json: Json = False) -> None:
    """Write all feedback to one file, in the order in which it came.

    Args:
        out (FILE): A .parquet, .csv or .tsv file to write.
    """
    from ...feedback import export_events

    with opened_store(store) as opened:
        events = export_events(opened, out)
    answer(json, {"events": events, "out": str(out)}, f"{events:,} events written to {out}")


@app.command()
def erase(store: Store, *, user: str, json: Json = False) -> None:
    """Delete all feedback of a person, and stop using their training ratings.

    Args:
        user (ID): Whose feedback to delete.
    """
    from ...data.values.ids import canonical

    with opened_store(store) as opened:
        events = opened.erase(canonical(user) or user)
    answer(json, {"events": events}, f"{events:,} events deleted")


@app.command()
def prune(store: Store, *, days: float, json: Json = False) -> None:
    """Delete feedback that is older than some days.

    Args:
        days (DAYS): Delete older events.
    """
    if not days > 0:
        raise UsageError(f"--days {days:g}: give a number above 0")
    with opened_store(store) as opened:
        events = opened.prune_days(days)
    answer(json, {"events": events}, f"{events:,} events deleted")


@contextmanager
def opened_store(url: str) -> Iterator[FeedbackStore]:
    """An open store that must be there already."""
    from ...feedback import open_store

    scheme, _, path = url.partition(":")
    if scheme == "sqlite" and not Path(path).expanduser().exists():
        raise UsageError(f"{path}: no such file")
    with closing(open_store(url)) as opened:
        yield opened
