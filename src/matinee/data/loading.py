"""``load``: any table in, one ``Ratings`` out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, UsageError
from ._items import item_table
from ._missing import missing_values, unlikely, unrated
from .encode import Encoded, encode, rows_of_pair
from .netflix.reader import STARS, locations_of, read_netflix
from .ratings import Ratings, Scale, as_scale
from .read.columns import (
    GENRES,
    ITEM,
    RATING,
    RATING_ROLES,
    TIME,
    TITLE,
    USER,
    WEIGHT,
    columns_of,
    listed,
)
from .read.files import open_files
from .read.find import Found, find, find_all
from .read.frames import open_frame
from .read.options import ReadOptions, Repeats
from .read.recount import stage_best
from .read.source import Report, Scan, Workspace, with_points, workspace
from .read.stage import stage
from .read.stores.lake import open_lake
from .read.stores.sql import open_query
from .read.unpack import label_of, readable
from .repeats import check_policy, repeated, resolve
from .side.read import people_columns
from .sources.catalogue import DATASETS
from .values.ids import suspicious_ids
from .vocabulary import Vocabulary


def load(
    source: Any = None,
    *,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    scale: Scale | tuple[float, float] | None = None,
    repeats: Repeats = "last",
    missing: float | Sequence[float] = (),
    relevant: float | None = None,
    k_core: int | None = None,
    sql: str | None = None,
    database: str | Path | None = None,
    items: Any = None,
    item_id: str | None = None,
    title: str | None = None,
    genres: str | None = None,
    people: Any = None,
    person_id: str | None = None,
    name: str | None = None,
    allow_single: bool = False,
    report: Report | None = None,
    **reading: Any,
) -> Ratings:
    """Read ratings from a file, a folder, a data frame, a database or a query.

    Columns are recognised by their usual names (``userId``, ``movieId``, ``rating``,
    ``timestamp`` and the like, in upper or lower case); of a file without a header they are user,
    item, rating and, if there is a fourth, time. A table without a rating column contains
    interactions: clicks, plays, purchases (``Ratings.implicit``).

    Args:
        source: One of: a data set's name (``"ml-1m"``), or a file in it
            (``"ml-1m-seed-split/test.dat"``); a file, a glob, a folder, or a list of files: csv,
            tsv, ``::``-separated dat, the tab-separated files of MovieLens-100K, parquet, JSON
            lines, any of them gzip-, bzip2- or xz-compressed; a zip as GroupLens publishes them;
            the folder of the Netflix Prize (``mv_*.txt`` or ``combined_data_*.txt``); a frame of
            pandas or polars, an Arrow table, a DuckDB relation, a sparse matrix of scipy, a
            structured array, a mapping of arrays, histories ``{user: {item: rating}}``, rows
            (tuples of user, item, rating, time; mappings; named tuples; a cursor); or ``Ratings``.
        user: The user column, if it has another name; in a file without a header its number, from
            ``"1"``.
        item: The item column.
        rating: The rating column.
        time: The time column: seconds, milli-, micro- or nanoseconds since 1970, dates or ISO
            text; without a zone it is UTC.
        weight: The column of weights, above 0: the weight of each rating or interaction in
            training (``Ratings.weights``), 1 each without one. It must be given: a column of
            counts with a usual name becomes the ``values`` of interactions, which do not
            weight training.
        scale: Lowest and highest possible rating; others are an error. By default the range in the
            data.
        repeats: How to resolve repeated ratings of an item by a user: ``"last"`` keeps the last
            by time (by row order without times or for ties), ``"mean"`` takes their mean
            at the last time, ``"sum"`` adds up the weights of interactions, ``"error"`` refuses
            them. ``notes`` has the number of rows, as for the next three.
        missing: Ratings that mean "not rated", such as 0 or -1: their rows are left out.
        relevant: Read ratings of at least this value as interactions, and leave out the others.
        k_core: Repeatedly leave out users and items with fewer entries than this.
        sql: A SELECT to read instead of a source, in the dialect of the database it runs in.
        database: The database of ``sql``: a DuckDB or SQLite file, a ``postgresql://`` or
            ``mysql://`` URL (``matinee[databases]``); without one, DuckDB itself, which can read
            files.
        items: A table of titles and genres (a path, or a table in memory); by default a file
            beside the ratings, or columns of the ratings' own table.
        item_id: That table's column of the item ids; by default, among possible columns, the
            one with the most of the rated items.
        title: The table's title column, if it has an unusual name.
        genres: The table's genre column, several in one text.
        people: A table of user columns; by default a file beside the ratings.
        person_id: That table's column of the user ids.
        name: Name of the ratings; by default that of the data set or the file.
        allow_single: Accept ratings of a single user or item, such as a history, on which no model
            can be trained.
        report: Called with the progress, ``report(step, done, total)``; for the Netflix Prize
            only.
        **reading: Fields of ``ReadOptions``: the format of text files, and which rows are read.

    Returns:
        Ratings ordered by user, then item. Ids are compared by the rules of
        ``data.values.ids``; they are int64 if every id of the side is a whole number, else text.

    Raises:
        DataError: The source cannot be read or has an invalid value: the message names the
            file, the line or row and the value, and a remedy.
        UsageError: A column that does not exist, an unknown name or policy.
    """
    check_policy(repeats)
    mapped = _stated({USER: user, ITEM: item, RATING: rating, TIME: time, WEIGHT: weight})
    stated = as_scale(scale)
    not_rated = missing_values(missing)
    options = ReadOptions.make(reading, "load")
    made = DATASETS[source].derived if isinstance(source, str) and source in DATASETS else None
    if made is not None:
        whole = load(made.dataset, items=items, people=people, report=report)
        source = _selected(replace(whole, name=source), made.relevant, made.k_core)
        items = people = None
    if isinstance(source, Ratings):
        tables = items is not None or people is not None
        if mapped or stated or sql or database or tables or not_rated or reading:
            raise UsageError(
                f"{source.name}: ratings in memory, and data sets derived from others, are read "
                "already; of the options only name, relevant and k_core apply to them"
            )
        return _selected(source if name is None else replace(source, name=name), relevant, k_core)
    if sql is None and database is not None:
        raise UsageError("--database needs --sql 'select user, item, rating, time from ...'")
    if (sql is None) == (source is None):
        raise UsageError("give either a source or --sql, not both" if sql else "no source given")
    label = _label(source)
    with workspace(label) as work:
        located = _find(source, work)
        if located is not None and located.netflix:
            read = _read_netflix(located, mapped, stated, report)
        else:
            scan = _open(source, located, sql, database, work, mapped, name or "ratings", options)
            read = _read_table(scan, work, mapped, stated, not_rated, options)
        encoded = read.encoded
        left_out = _leave_out(read, not_rated)
        if not allow_single:
            _check_sides(encoded, read.label)
        notes = (*left_out, *_resolve_repeats(read, repeats))
        titles = _stated({ITEM: item_id, TITLE: title, GENRES: genres})
        beside = (located.items, located.people) if located else (None, None)
        table, message = item_table(
            items, beside[0], work, encoded.item_ids, titles, read.table, options
        )
        side, problems = people_columns(
            people, beside[1], work, encoded.user_ids, person_id, options
        )
    values = encoded.values
    ratings = Ratings(
        users=encoded.users,
        items=encoded.items,
        values=values,
        times=encoded.times,
        user_ids=encoded.user_ids,
        item_ids=encoded.item_ids,
        scale=read.scale or Scale(float(values.min()), float(values.max())),
        item_table=table,
        name=name or (readable(located.name) if located else "ratings"),
        notes=(*(located.notes if located else ()), *read.notes, *notes, *message, *problems),
        implicit=read.implicit,
        scale_stated=read.scale is not None,
        weights=values if read.implicit and WEIGHT in mapped else encoded.weights,
        user_columns=side,
    )
    return _selected(ratings.compact() if left_out else ratings, relevant, k_core)


def _stated(columns: Mapping[str, str | int | None]) -> dict[str, str]:
    return {role: str(column) for role, column in columns.items() if column is not None}


def _selected(ratings: Ratings, relevant: float | None, k_core: int | None) -> Ratings:
    if relevant is not None:
        ratings = ratings.liked(relevant).compact()
    return ratings if k_core is None else ratings.k_core(k_core)


@dataclass(frozen=True)
class _Read:
    """A table that has been read.

    Attributes:
        encoded: The encoded rows, with repeats.
        scale: The range of the ratings, if known; else computed from the remaining rows.
        label: Name in messages.
        notes: Notes of reading.
        implicit: Whether the rows are interactions.
        table: The table and its columns by role; None if it contains nothing else.
        locations: Locates the ratings of a user (by code) and an item, in the order read.
    """

    encoded: Encoded
    scale: Scale | None
    label: str
    notes: tuple[str, ...]
    implicit: bool
    table: tuple[Scan, Mapping[str, str]] | None
    locations: Callable[[int, int], list[str]]


def _find(source: Any, work: Workspace) -> Found | None:
    """Find the files of a source; None for a table in memory or a query."""
    if isinstance(source, (str, Path)):
        return find(source, work)
    if isinstance(source, (list, tuple)) and all(isinstance(one, (str, Path)) for one in source):
        return find_all(source, work)
    return None


def _open(
    source: Any,
    located: Found | None,
    sql: str | None,
    database: str | Path | None,
    work: Workspace,
    mapped: Mapping[str, str],
    name: str,
    options: ReadOptions,
) -> Scan:
    if sql is not None:
        return open_query(sql, database, work)
    if located is None:
        return open_frame(source, work, name, unnamed=not mapped)
    if located.lake is not None:
        return open_lake(located.parts[0].path, located.lake, work)
    return open_files(located.parts, work, RATING_ROLES, mapped, options, located.partitions)


def _read_table(
    scan: Scan,
    work: Workspace,
    mapped: Mapping[str, str],
    stated: Scale | None,
    not_rated: Sequence[float],
    options: ReadOptions,
) -> _Read:
    columns, chosen = columns_of(work, scan, mapped)
    implicit = RATING not in columns
    if implicit and stated is not None:
        raise UsageError(f"{scan.label}: interactions have no scale; {_no_rating(scan, columns)}")
    if options.drop_outside_scale and stated is None:
        raise UsageError("--drop-outside-scale needs the --scale it means")
    scan, staged = stage_best(
        work,
        scan,
        lambda one: stage(
            work,
            one,
            columns,
            scale=stated,
            time_mapped=TIME in mapped,
            missing=not_rated,
            rows=options,
        ),
    )
    encoded = encode(work, staged, options.time_unit)
    suspect = () if implicit else unlikely(encoded.values, columns[RATING], not_rated)
    for ids in (encoded.user_ids, encoded.item_ids):
        suspect = (*suspect, *(() if ids.numeric else suspicious_ids(ids.ids)))
    notes = (*scan.notes, *chosen, *staged.notes, *encoded.notes, *suspect)
    if implicit:
        counts = columns.get(WEIGHT)
        found = "" if counts is None or WEIGHT in mapped else f" (--weight {counts} to train by it)"
        notes = (f"read as interactions: {_no_rating(scan, columns, found)}", *notes)
    return _Read(
        encoded,
        stated,
        scan.label,
        notes,
        implicit,
        (with_points(scan, columns.values(), options.decimal), columns),
        lambda user, item: [scan.locate(row) for row in rows_of_pair(work, user, item)],
    )


def _read_netflix(
    located: Found, mapped: Mapping[str, str], stated: Scale | None, report: Report | None
) -> _Read:
    label = label_of(located.parts)
    if mapped:
        raise UsageError(
            f"{label}: the files of the Netflix Prize have no columns to name; leave out "
            f"--{next(iter(mapped))}"
        )
    encoded, notes = read_netflix(located.parts, stated, report)

    def locations(user: int, item: int) -> list[str]:
        user_id, movie = encoded.user_ids.ids[user], encoded.item_ids.ids[item]
        return list(locations_of(located.parts, int(user_id), int(movie)))

    return _Read(encoded, stated or STARS, label, notes, False, None, locations)


def _no_rating(scan: Scan, columns: Mapping[str, str], found: str = "") -> str:
    """Say that a table has no column of ratings, and which columns were not used."""
    unused = [name for name in scan.columns if name not in columns.values()]
    weights = f", weights from {columns[WEIGHT]!r}{found}" if WEIGHT in columns else ""
    rest = f"; {listed(unused)} unused (--rating COL if one holds ratings)" if unused else ""
    return f"the table has no rating column{weights}{rest}"


def _leave_out(read: _Read, not_rated: Sequence[float]) -> tuple[str, ...]:
    """Leave out rows that mean "not rated", and note how many."""
    encoded = read.encoded
    dropped = unrated(encoded.values, not_rated) if not_rated else ()
    if len(dropped):
        if len(dropped) == len(encoded.values):
            raise DataError(f"{read.label}: every rating means 'not rated'; nothing is left")
        encoded.drop(np.asarray(dropped, dtype=np.int64))
    if read.implicit and encoded.values.min() <= 0:
        user = _id_of(encoded.user_ids, int(encoded.users[np.argmin(encoded.values)]))
        column = read.table[1].get(WEIGHT) if read.table else ""
        wrong = ",".join(f"{one:g}" for one in np.unique(encoded.values[encoded.values <= 0])[:8])
        raise DataError(
            f"{read.label}: the weight {encoded.values.min():g} of user {user} is not above 0; "
            f"--missing {wrong} leaves such rows out, --rating {column} reads them as ratings"
        )
    if not len(dropped):
        return ()
    values = " or ".join(f"{value:g}" for value in not_rated)
    return (f"{len(dropped):,} rows of {values} left out: not rated",)


def _label(source: Any) -> str:
    if isinstance(source, (str, Path)):
        return str(source)
    return "the query" if source is None else "ratings"


def _id_of(ids: Vocabulary, code: int) -> str:
    """Quote an id for a message."""
    return str(ids.ids[code]) if ids.numeric else repr(ids.ids[code])


def _check_sides(encoded: Encoded, label: str) -> None:
    n = len(encoded.values)
    for ids, noun in ((encoded.user_ids, "user"), (encoded.item_ids, "item")):
        if len(ids) == 1:
            raise DataError(
                f"{label}: {'all ' if n > 1 else ''}{n:,} rating{'s' * (n != 1)} of one {noun} "
                f"({_id_of(ids, 0)}): nothing can be learned from fewer than two {noun}s; if that "
                f"is the wrong column, state the one of the {noun}s with --{noun} COL"
            )


def _resolve_repeats(read: _Read, repeats: Repeats) -> tuple[str, ...]:
    """Keep one rating of each pair, and note what was done with the others."""
    encoded = read.encoded
    positions = repeated(encoded.users, encoded.items)
    if not len(positions):
        return ()
    if repeats == "sum" and not read.implicit:
        raise UsageError(
            f"{read.label}: repeated ratings cannot be added up; --repeats sum is for interactions"
        )
    if repeats == "error":
        at = positions[0]
        user, item = encoded.users[at], encoded.items[at]
        locations = read.locations(int(user), int(item))
        more = f" ({len(positions) - 1:,} more repeats)" if len(positions) > 1 else ""
        raise DataError(
            f"{locations[1]}: user {_id_of(encoded.user_ids, user)} rates item "
            f"{_id_of(encoded.item_ids, item)} again, first at {locations[0]}{more}; remove one, "
            "or settle repeats with --repeats last or --repeats mean"
        )
    noun = "interaction" if read.implicit else "rating"
    drop, note = resolve(positions, encoded.values, encoded.times, repeats, noun, encoded.weights)
    encoded.drop(drop)
    return (note,)
