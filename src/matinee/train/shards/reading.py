"""``load_shard``: each process reads a part of the rows and keeps the ratings of its own users."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from ...base.arrays import Int64, row_bounds
from ...base.memory import large_empty, large_take
from ...data import Ratings, Scale, Vocabulary, group as grouped, load, load_items, union_table
from ...data.read.find import find
from ...data.read.options import Repeats
from ...data.read.source import reason, workspace
from ...data.read.unpack import head_of, readable
from ...data.repeats import repeated, resolve
from ...data.values.ids import literal
from ...errors import DataError, UsageError
from ..distributed import ProcessGroup, even_cuts
from .ratings import ShardedRatings, columns_of, streamed, with_columns
from .shard import Shard

_WHOLE = {"weight", "relevant", "k_core", "sql", "database", "people", "person_id"}
_WHOLE |= {"item_id", "title", "genres"}
"""Options of ``load`` that need all ratings in one place, or have no use for rating networks."""


def load_shard(
    source: str | Path,
    group: ProcessGroup,
    *,
    items: Any = None,
    repeats: Repeats = "last",
    **options: Any,
) -> ShardedRatings:
    """Read ratings so that each process has those of some users; to be called in every process.

    Each process reads some row groups of Parquet files, or some of several text files. The
    processes then exchange rows, so that each has all ratings of consecutive users (in the order of
    ids) with about as many ratings. Besides its ratings, each has the ids of all users and items.

    Args:
        source: Parquet files, or at least as many text files as processes: a path, glob or folder
            that every process sees.
        group: The processes. A single process reads all, as ``load`` does.
        items: A table of titles and genres, for the first process.
        repeats: As for ``load``: "last" or "error".
        **options: Further options of ``load`` for columns, scale, missing ratings and file format.

    Raises:
        UsageError: An option that needs all ratings in one place, or interactions.
        DataError: The files cannot be read or divided.
    """
    if repeats not in ("last", "error"):
        raise UsageError(f"--repeats {repeats}: processes that share the ratings keep the last")
    for name in sorted(options.keys() & _WHOLE):
        raise UsageError(
            f"--{name.replace('_', '-')} needs all ratings in one process; write a table to which "
            "it has been applied"
        )
    if group.alone:
        whole = load(source, items=items, repeats=repeats, **options)
        return ShardedRatings(whole, Shard(group), len(whole))
    part = _part(source, group)
    try:
        own = load(**{**options, **part, "repeats": repeats, "allow_single": True})
    except DataError as error:
        raise DataError(f"part {group.rank + 1} of {group.size} of {source}: {error}") from None
    own.require_ratings("training by several processes with their own ratings", "train in one")
    own = replace(
        own,
        item_table=None,
        user_columns=None,
        notes=tuple(f"the first of {group.size} parts: {note}" for note in own.notes),
    )
    own, bounds = _exchanged(_recoded(own, group), group)
    own = _without_repeats(own, repeats, str(source))
    if items is not None and group.first:
        ids, table = load_items(items)
        rated = np.flatnonzero(own.item_ids.encode(ids.ids) >= 0)
        own = replace(
            own, item_table=union_table([(table.take(rated), ids.take(rated))], own.item_ids)
        )
    shard = Shard(group, bounds)
    return ShardedRatings(own, shard, shard.span(len(own))[1])


def _part(source: str | Path, group: ProcessGroup) -> dict[str, Any]:
    """Return what ``load`` is to read in this process: consecutive row groups, or some files."""
    with workspace(str(source)) as work:
        found = find(source, work)
        paths, name = [part.path for part in found.parts], readable(found.name)
        special = found.netflix or found.lake or found.partitions
        if special or any(work.folder in path.parents for path in paths):
            raise UsageError(
                f"{source}: only plain Parquet or text files can be divided among processes; "
                "write the ratings as Parquet, with several row groups"
            )
        parquet = all(head_of(part).startswith(b"PAR1") for part in found.parts)
        sizes = [(path, 0, path.stat().st_size) for path in paths]
        blocks = _row_groups(paths) if parquet else sizes
    shares = _fair_shares(blocks, group.size)
    chosen = shares[group.rank]
    if not all(shares):  # the same error in every process
        noun = "row group" if parquet else "file"
        raise DataError(
            f"{source}: {len(blocks)} {noun}{'s' * (len(blocks) != 1)} for {group.size} processes; "
            "write the ratings as Parquet with more row groups, or start fewer processes"
        )
    if not parquet:
        return {"source": [path for path, _, _ in chosen], "name": name}
    queries = [
        f"SELECT * EXCLUDE (file_row_number) FROM read_parquet({literal(str(path))}, "
        f"file_row_number=true) WHERE file_row_number BETWEEN {first} AND {first + rows - 1}"
        for path, first, rows in chosen
    ]
    return {"sql": " UNION ALL BY NAME ".join(queries), "name": name}


def _row_groups(paths: Sequence[Path]) -> list[tuple[Path, int, int]]:
    """Return the file, first row and number of rows of each row group, in order."""
    blocks = []
    for path in paths:
        try:
            sizes = duckdb.execute(
                "SELECT row_group_num_rows FROM (SELECT DISTINCT row_group_id, row_group_num_rows "
                f"FROM parquet_metadata({literal(str(path))})) ORDER BY row_group_id"
            ).fetchall()
        except duckdb.Error as error:
            raise DataError(f"{path}: not a whole parquet file ({reason(error)})") from None
        first = 0
        for (rows,) in sizes:
            blocks.append((path, first, int(rows)))
            first += int(rows)
    return blocks


def _fair_shares(
    blocks: Sequence[tuple[Path, int, int]], processes: int
) -> list[list[tuple[Path, int, int]]]:
    """Return consecutive blocks for each process, about as large for each."""
    sizes = row_bounds(np.array([size for _, _, size in blocks], dtype=np.int64))
    return [list(blocks[first:end]) for first, end in pairwise(even_cuts(sizes, processes))]


def _recoded(own: Ratings, group: ProcessGroup) -> Ratings:
    """Give ratings the codes of the ids, and the scale, of all processes."""
    users, items = (_all_ids(ids, group) for ids in (own.user_ids, own.item_ids))
    scale = own.scale
    if not own.scale_stated:
        ends = group.gather(np.array([scale.low, scale.high]))
        scale = Scale(float(ends.min()), float(ends.max()))
    timed = group.gather(np.array([own.times is not None], dtype=np.int64)).all()
    return replace(
        own,
        users=users.encode(own.user_ids.ids)[own.users],
        items=items.encode(own.item_ids.ids)[own.items],
        times=own.times if timed else None,
        user_ids=users,
        item_ids=items,
        scale=scale,
    )


def _all_ids(own: Vocabulary, group: ProcessGroup) -> Vocabulary:
    text = np.frombuffer((json.dumps(own.ids.tolist()) + "\n").encode(), dtype=np.uint8)
    parts = [json.loads(line) for line in group.gather(text).tobytes().decode().splitlines()]
    return Vocabulary.union(
        [
            Vocabulary(np.array(ids, np.int64 if isinstance(ids[0], int) else object))
            for ids in parts
        ]
    )


def _exchanged(own: Ratings, group: ProcessGroup) -> tuple[Ratings, tuple[int, int]]:
    """Return all processes' ratings of this one's users, and the first and the end of these."""
    counts = np.bincount(own.users, minlength=own.n_users)
    group.sum(counts)
    first, end = _bounds(counts, group)
    columns = columns_of(own)
    kept = [large_empty(int(counts[first:end].sum()), each.dtype) for each in columns]
    at = 0
    for parts in streamed(group, columns):
        mine = (parts[0] >= first) & (parts[0] < end)
        n = int(np.count_nonzero(mine))
        for column, part in zip(kept, parts, strict=True):
            column[at : at + n] = part[mine]
        at += n
    order = grouped(kept[0], kept[1], kept[2], own.n_users, own.n_items).order
    if order is not None:  # by user and item, and as in the files among equals
        kept = [large_take(column, order) for column in kept]
    return with_columns(own, kept), (first, end)


def _bounds(counts: Int64, group: ProcessGroup) -> tuple[int, int]:
    """Return the first and the end of this process's users, with about as many ratings each."""
    cuts = even_cuts(row_bounds(counts), group.size)
    return int(cuts[group.rank]), int(cuts[group.rank + 1])


def _without_repeats(own: Ratings, repeats: str, label: str) -> Ratings:
    """Keep the last of the ratings of a pair that several processes read."""
    positions = repeated(own.users, own.items)
    if not len(positions):
        return own
    if repeats == "error":
        at = positions[0]
        user, item = own.user_ids.ids[own.users[at]], own.item_ids.ids[own.items[at]]
        raise DataError(
            f"{label}: user {user} rates item {item} twice ({len(positions):,} such); remove one, "
            "or keep the last with --repeats last"
        )
    dropped, _ = resolve(positions, own.values, own.times, repeats)
    kept = np.ones(len(own), dtype=bool)
    kept[dropped] = False
    return own.take(kept)
