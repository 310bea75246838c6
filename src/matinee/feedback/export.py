"""Feedback as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..data import Table
from ..data.table import write_tables
from .event import Event
from .store import FeedbackStore

_PAGE = 50_000


def events_table(events: Sequence[Event]) -> Table:
    """Events as a table of key, user_id, kind, timestamp, item_id, rating, list, rank and items.

    ``timestamp`` is in seconds since 1970, ``rating`` float64 with NaN (null in a file) where
    missing, ``rank`` 0 if missing, and ``items`` a JSON array as text.
    """
    return Table(
        {
            "key": _texts([e.key for e in events]),
            "user_id": _texts([e.user for e in events]),
            "kind": _texts([e.kind for e in events]),
            "timestamp": np.array([e.time for e in events], dtype=np.int64),
            "item_id": _texts([e.item for e in events]),
            "rating": np.array(
                [np.nan if e.value is None else e.value for e in events], dtype=np.float64
            ),
            "list": _texts([e.list for e in events]),
            "rank": np.array([e.rank or 0 for e in events], dtype=np.int32),
            "items": _texts(
                [
                    None if e.items is None else json.dumps(e.items, ensure_ascii=False)
                    for e in events
                ]
            ),
        }
    )


def export_events(store: FeedbackStore, path: Path | str) -> int:
    """Write all events to a ``.parquet``, ``.csv`` or ``.tsv`` file; return their number.

    Raises:
        UsageError: The name ends in none of these.
        MatineeError: The place cannot be written to, or the store not read.
    """
    written = 0

    def tables() -> Iterator[Table]:
        nonlocal written
        after = 0
        while page := store.page(after, _PAGE):
            after = page[-1][0]
            written += len(page)
            yield events_table([event for _, event in page])
        if not written:
            yield events_table([])

    write_tables(tables(), path)
    return written


def _texts(values: list[str | None]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array(values, dtype=object)
