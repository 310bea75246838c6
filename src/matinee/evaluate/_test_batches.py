"""Batches of test ratings with the histories that their predictions use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..base.arrays import Float32, Int32, Int64, Mask, row_bounds
from ..data import Histories, Ratings
from ..errors import DataError

_BATCH = 1 << 20
"""Largest number of test ratings in a batch."""
_ENTRIES = 1 << 21
"""Approximate limit on history entries in a batch; a single user may have more."""


def batches(test: Ratings) -> Iterator[tuple[Int64, Int32, Float32, Int64 | None]]:
    """Yield the test ratings by user in batches of (user codes, item codes, ratings, times)."""
    csr = test.by_user
    times = None if test.times is None else csr.aligned(test.times)
    for start in range(0, len(csr.values), _BATCH):
        part = slice(start, min(start + _BATCH, len(csr.values)))
        users = csr.rows_of(np.arange(part.start, part.stop))
        yield users, csr.indices[part], csr.values[part], None if times is None else times[part]


@dataclass(frozen=True, eq=False)
class EvalBatch:
    """A batch of test ratings, with the histories at the time of each prediction.

    Attributes:
        users: User codes of the test ratings, shape (n,).
        histories: Histories at the time of prediction, in the model's item codes.
        rows: The row in ``histories`` of each rating, shape (n,); -1 without a history.
        items: The model's item codes, shape (n,); -1 for an unknown item.
        values: The ratings, float32, shape (n,).
        times: Their times, shape (n,), if known.
        last: Time of the user's previous rating before each rating, or None for that of the initial
            history.
    """

    users: Int64
    histories: Histories
    rows: Int64
    items: Int32
    values: Float32
    times: Int64 | None
    last: Int64 | None = None

    @property
    def known(self) -> Mask:
        """Whether the user has a history at the time of prediction, shape (n,)."""
        return np.append(self.histories.counts > 0, False)[self.rows]


def frozen(test: Ratings, histories: Histories, rows: Int64, items: Int32) -> Iterator[EvalBatch]:
    """Yield the test ratings by user, all of a user with the same history.

    Args:
        test: The test ratings.
        histories: Histories of the users.
        rows: The row in ``histories`` of each user code of ``test``; -1 without a history.
        items: The model's code of each item code of ``test``.
    """
    for users, codes, values, times in batches(test):
        yield EvalBatch(users, histories, rows[users], items[codes], values, times)


def prequential(
    test: Ratings, histories: Histories, rows: Int64, items: Int32, last: Int64 | None = None
) -> Iterator[EvalBatch]:
    """Yield the test ratings by user and time, with all earlier ratings of the user as history.

    The model is not retrained, so a prediction depends only on the history of one user, and users
    can be evaluated one after another. A user's ratings of the same second have no known order:
    they are predicted together, and enter the history at the next second. A second rating of an
    item in the history is ignored. Dawid, "Present position and potential developments: the
    prequential approach" (JRSS A, 1984).

    The arguments are those of ``frozen``; ``last`` is the time of the last rating in the
    history of each user code of ``test``, to compute the batches' ``last``.

    Raises:
        DataError: The test ratings have no times.
    """
    if test.times is None:
        raise DataError(
            f"{test.name}: has no times, by which histories are updated; name the column of times, "
            "or evaluate without --update"
        )
    order = np.lexsort((test.times, test.users))
    counts = np.bincount(test.users, minlength=test.n_users)
    people = np.flatnonzero(counts)
    shown = np.append(histories.counts, 0)[rows[people]]
    first = row_bounds(counts[people])
    for start, stop in _runs(shown + counts[people], _ENTRIES):
        yield from _grown(
            test,
            order[first[start] : first[stop]],
            histories,
            rows[people[start:stop]],
            items,
            last,
        )


def _runs(sizes: Int64, limit: int) -> Iterator[tuple[int, int]]:
    """Yield consecutive ranges whose sizes add up to about ``limit``."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + limit, side="right")), start + 1)
        yield start, stop
        start = stop


def _grown(
    test: Ratings,
    order: Int64,
    histories: Histories,
    rows: Int64,
    items: Int32,
    last: Int64 | None,
) -> Iterator[EvalBatch]:
    """Compute ``prequential`` for some users."""
    assert test.times is not None
    users, times, codes = test.users[order], test.times[order], items[test.items[order]]
    is_first = np.diff(users, prepend=-1) != 0
    person = np.cumsum(is_first) - 1
    later = is_first | (np.diff(times, prepend=times[0]) != 0)
    moment = np.cumsum(later) - 1  # one for each second in which a user rated
    owner = person[later]
    if last is not None:  # the user's previous moment, or the given time
        last = np.where(is_first[later], last[users[later]], np.roll(times[later], 1))[moment]
    base = histories.take_or_empty(rows)
    known = codes >= 0
    # All ratings of each user, ascending by item, with the moment from which they are visible.
    user = np.concatenate([base.entry_rows, person[known]])
    item = np.concatenate([base.items, codes[known]])
    value = np.concatenate([base.values, test.values[order][known]])
    since = np.concatenate([np.full(len(base.items), -1), moment[known]])
    sorting = np.lexsort((item, user))  # stable: for a repeated item, the history's comes first
    user, item, value, since = user[sorting], item[sorting], value[sorting], since[sorting]
    repeated = (np.diff(user, prepend=-1) == 0) & (np.diff(item, prepend=-1) == 0)
    user, item, value, since = user[~repeated], item[~repeated], value[~repeated], since[~repeated]
    indptr = row_bounds(np.bincount(user, minlength=len(rows)))
    sizes = np.diff(indptr)[owner]
    ends = np.append(np.flatnonzero(later), len(order))
    for start, stop in _runs(sizes, _ENTRIES):
        n = sizes[start:stop]
        at = row_bounds(n)
        state = np.repeat(np.arange(start, stop), n)
        entries = np.arange(at[-1]) - at[state - start] + indptr[owner[state]]
        visible = since[entries] < state
        entries, state = entries[visible], state[visible]
        batch_histories = Histories(
            row_bounds(np.bincount(state - start, minlength=stop - start)),
            item[entries].astype(np.int32),
            value[entries],
            base.users[owner[start:stop]],
        )
        part = slice(ends[start], ends[stop])
        yield EvalBatch(
            users[part].astype(np.int64),
            batch_histories,
            moment[part] - start,
            codes[part],
            test.values[order[part]],
            times[part],
            None if last is None else last[part],
        )
