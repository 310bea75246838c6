"""``matinee recommend``."""

from __future__ import annotations

import csv
import json as json_format
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from ...base.text import three_digits
from ...errors import MatineeError, UsageError
from .. import source as source_options
from ..options import Model
from ..output import answer, echo, note, plain, print_json, print_table, progress
from ..source import Json
from ..threads import Threads, use_threads

if TYPE_CHECKING:
    from ...data import Ratings, Table
    from ...models import Recommender
    from ...recommend import HistoriesLike


@source_options.reading_options(whole=False, without=("user",))
def recommend(
    model: Model,
    *,
    users: Annotated[list[str] | None, typer.Option("--user")] = None,
    rate: list[str] | None = None,
    ratings: str | None = None,
    all_users: bool = False,
    k: Annotated[int, typer.Option("-k")] = 10,
    exclude: Path | None = None,
    only: Path | None = None,
    new_items: Path | None = None,
    include_seen: bool = False,
    skip_unknown: bool = False,
    love: float | None = None,
    personal: Annotated[float, typer.Option(min=-1, max=1)] = 0.0,
    out: Path | None = None,
    escape_formulas: bool = False,
    threads: Threads = None,
    user_column: Annotated[str | None, typer.Option(rich_help_panel="Reading")] = None,
    reading: source_options.Options = None,
    json: Json = False,
) -> None:
    """Recommend items to people, known or new. New people need no retraining.

    Args:
        users (ID): A user of the training data.
        rate (TITLE=RATING): A rating of a new user: an item id, or an approximate title.
        ratings (SOURCE): Ratings by any number of people, new or known, as for 'data describe'.
        all_users: Every user of the training data.
        k: Items per person.
        exclude (FILE): Items never to recommend: an id or title per line, or a table with item ids.
        only (FILE): The only items to recommend from, likewise.
        new_items (FILE): Recommend items of this table (item, title, genres) unknown to the model,
            from their columns.
        include_seen: Also recommend items they have rated.
        skip_unknown: Leave out unknown users and items, with a note, instead of stopping.
        love (NUMBER): Weight of the predicted rating in the order: 0 lists what a person would
            choose, a large number what they would rate highest. The model's own by default.
        personal (NUMBER): From -1 to 1: above 0 makes lists more personal, below 0 less.
        out (FILE): Write a .parquet, .csv or .tsv file.
        escape_formulas: In CSV and TSV, put a ' before titles and ids that a spreadsheet would take
            for formulas (they begin with = + - @), and print how many.
        user_column (COL): Column of the user id in --ratings.
    """
    use_threads(threads)
    modes = [bool(users), bool(rate), ratings is not None, all_users]
    if sum(modes) != 1:
        raise UsageError("say for whom: one of --user, --rate, --ratings and --all-users")
    if new_items is not None and (exclude is not None or only is not None):
        raise UsageError("--new-items is a list of its own: leave out --exclude and --only")
    from ...models import load_model
    from ...recommend import TitleIndex

    loaded = load_model(model)
    titles = TitleIndex(loaded.item_ids, loaded.item_table)
    options: dict[str, Any] = {"k": k, "include_seen": include_seen, "love": love}
    options |= {"personal": personal, "unknown": "skip" if skip_unknown else "error"}
    for name, file in (("exclude", exclude), ("only", only)):
        if file is not None:
            options[name] = _items(file, titles, skip_unknown)
    histories: HistoriesLike | None = None
    requested_users: list[Any] | None = None
    meant: list[tuple[str, float]] = []
    if users:
        requested_users = list(dict.fromkeys(users))
        codes = loaded.user_ids.encode(requested_users)
        unknown = [u for u, code in zip(requested_users, codes, strict=True) if code < 0]
        _note_left_out("user", unknown if skip_unknown else [])
    elif rate:
        from ..ids import read_ratings

        history, meant = read_ratings(rate, titles, loaded.scale_of_histories)
        histories = [history]
    elif ratings is not None:
        reading |= {} if user_column is None else {"user": user_column}
        histories = _read(loaded, ratings, reading, skip_unknown)
    if new_items is not None:
        tables = _new(loaded, new_items, histories, requested_users, options)
    else:
        tables = loaded.recommend_all(histories, users=requested_users, **options)
    people = len(requested_users) if requested_users else loaded.n_users if all_users else None
    if escape_formulas:
        to_text = all_users and not json if out is None else out.suffix.lower() in (".csv", ".tsv")
        if not to_text:
            raise UsageError("--escape-formulas is for lists written as CSV or TSV")
        tables = _escaped(tables)
    if out is not None:
        _write(tables, people, out, model, json)
    elif json and all_users:
        _stream_json(tables, model, loaded)
    elif json:
        extra = {"rated": [{"title": t, "rating": r} for t, r in meant]} if meant else {}
        rows = [row for table in tables for row in table.rows()]
        print_json({"model": loaded.kind, "folder": model, **extra, "recommendations": rows})
    elif all_users:
        _stream_csv(tables)
    else:
        _show(tables, meant)


def _read(model: Recommender, source: str, reading: dict[str, Any], skip: bool) -> Ratings:
    """Return the ratings of people to recommend to."""
    try:
        read = source_options.read(source, allow_single=True, **reading)
    except MatineeError as error:  # --user is a person here, not a column
        named = str(error).replace("--user ", "--user-column ")
        raise type(error)(named) from None
    if not (model.knows_ratings or read.implicit):
        note(
            "matinee: the model was trained on interactions, so every rating counts as a "
            "choice, however low; --relevant leaves out those below a rating"
        )
    codes = model.item_ids.encode(read.item_ids.ids)
    _note_left_out("item", read.item_ids.ids[codes < 0].tolist() if skip else [])
    return read


def _new(
    model: Recommender,
    file: Path,
    histories: HistoriesLike | None,
    users: list[Any] | None,
    options: dict[str, Any],
) -> Iterator[Table]:
    """Lists of new items, which have no ratings."""
    from ...models.new_items import NewItems

    if histories is None and users is None:
        users = model.user_ids.ids.tolist()
    options = {name: value for name, value in options.items() if name != "include_seen"}
    yield NewItems.read(model, file).recommend(histories, users=users, **options)


def _items(file: Path, titles: Any, skip: bool) -> list[Any]:
    from ..ids import read_items

    items, unknown = read_items(file, titles, skip=skip)
    _note_left_out("item", unknown, f" in {file}")
    return items


def _note_left_out(noun: str, unknown: list[Any], location: str = "") -> None:
    if unknown:
        named = ", ".join(str(name) for name in unknown[:5]) + ", ..." * (len(unknown) > 5)
        plural = "s" * (len(unknown) > 1)
        note(f"matinee: left out {len(unknown):,} unknown {noun}{plural}{location}: {named}")


def _escaped(tables: Iterable[Table]) -> Iterator[Table]:
    """Yield the same tables without formulas."""
    total = 0
    for table in tables:
        harmless, count = table.without_formulas()
        total += count
        yield harmless
    note(f"matinee: {total:,} cells that begin like a formula were given a leading '")


def _write(tables: Iterable[Table], total: int | None, out: Path, model: Path, json: bool) -> None:
    """Write tables to a file, with a progress bar of people."""
    from ...data import write_tables

    rows, people = 0, 0
    with progress("people") as bar:
        task = bar.add_task("recommending", total=total)

        def counted() -> Iterator[Table]:
            nonlocal rows, people
            for table in tables:
                yield table
                rows += len(table)
                in_table = int((table["rank"] == 1).sum())
                people += in_table
                bar.advance(task, in_table)

        write_tables(counted(), out)
    answer(
        json,
        {"folder": model, "out": out, "rows": rows, "people": people},
        f"{rows:,} recommendations for {people:,} people written to {out}",
    )


def _stream_csv(tables: Iterable[Table]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for at, table in enumerate(tables):
        if at == 0:
            writer.writerow(table.columns)
        writer.writerows(table.tuples())


def _stream_json(tables: Iterable[Table], folder: Path, model: Recommender) -> None:
    """Print one JSON object, streaming its rows."""
    head = json_format.dumps({"model": model.kind, "folder": str(folder)}, ensure_ascii=False)
    sys.stdout.write(f'{head[:-1]}, "recommendations": [')
    between = "\n"
    for table in tables:
        for row in table.rows():
            sys.stdout.write(between + json_format.dumps(plain(row), ensure_ascii=False))
            between = ",\n"
    echo("\n]}")


def _show(tables: Iterable[Table], meant: list[tuple[str, float]]) -> None:
    if meant:
        echo("rated: " + "; ".join(f"{title} {value:g}" for title, value in meant) + "\n")
    first = True
    for table in tables:
        for part in _by_person(table):
            if not meant:
                echo(f"{'' if first else chr(10)}user {part['user_id'][0]}")
            first = False
            columns = ("rank", "item_id", "score", "predicted", "title")
            names = [name for name in columns if name in part.columns]
            rows = [
                [three_digits(v) if isinstance(v, float) else str(v) for v in map(row.get, names)]
                for row in part.rows()
            ]
            print_table(names, rows)
    if first:
        echo(
            "nothing to recommend: these people are unknown, or have rated everything that may "
            "be recommended"
        )


def _by_person(table: Table) -> Iterator[Table]:
    starts = np.flatnonzero(table["rank"] == 1).tolist()
    for start, stop in pairwise([*starts, len(table)]):
        yield table.take(slice(start, stop))
