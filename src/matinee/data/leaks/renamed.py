"""Find test users who are training users under other ids.

Few ratings identify a person (Narayanan and Shmatikov, "Robust de-anonymization of large sparse
datasets", 2008). So a test user whose items and ratings nearly all match one training user's is
considered the same person, independent of ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...base.arrays import Float32, Float64, Int32, Int64, Mask, evenly_spaced, row_bounds
from ...base.compiled import kernel, part
from ..histories import Histories
from ..vocabulary import Ids

CONTAINED = 0.9
"""Minimum share of a user's pairs, test ratings included, in the training row."""
CONTAINED_TEST = 0.8
"""Minimum share of their test ratings in it. If only the history is in the row, the
model was rightly trained on it."""
BITS = 20.0
"""Bits of evidence needed beyond those of a choice among all rows for all people. A pair that a
share p of the rows has counts log2(1/p), were it by chance; p grows with the length of the row."""
SHARE_OF_ROW = 0.5
"""Minimum share of the user's pairs in the training row if all ratings are equal:
for interactions, the rows of the most active users contain many others' pairs."""
MOST_PEOPLE = 20_000
"""Largest number of users examined; of more, an evenly spaced sample."""
MANY = 0.01
"""Share of test users under other ids above which a score is invalid."""
_PROBES = 12
"""Number of a user's rarest pairs by which training rows are looked up."""


class HeldOutPeople(NamedTuple):
    """The test ratings and histories of users, by user.

    Attributes:
        indptr: int64, shape (people + 1,).
        items: int32 item codes of the model, shape (pairs,), ascending within a user.
        values: float32 ratings, shape (pairs,).
        test: Mask of the test ratings, shape (pairs,); the other pairs are the user's history.
        training_row: int32 training row of the user with the same id, -1 for none, shape
            (people,). That row is skipped, as its overlap is found by ids.
    """

    indptr: Int64
    items: Int32
    values: Float32
    test: Mask
    training_row: Int32

    @classmethod
    def of(
        cls, people: Int64, items: Int32, values: Float32, test: Mask, training_row: Int32
    ) -> HeldOutPeople:
        """Gather pairs in any order.

        Args:
            people: User of each pair, from 0, shape (pairs,).
            items: Item codes, none below 0, shape (pairs,).
            values: Ratings, shape (pairs,).
            test: Which are test ratings, shape (pairs,).
            training_row: See the class.
        """
        order = np.lexsort((items, people))
        indptr = row_bounds(np.bincount(people, minlength=len(training_row)))
        return cls(indptr, items[order], values[order], test[order], training_row)


class _Rows(NamedTuple):
    """The training ratings by user, as in ``Histories``."""

    indptr: Int64
    items: Int32
    values: Float32


class _Probes(NamedTuple):
    """Index of the training rows with a user's rarest pairs.

    Attributes:
        bits: float64, evidence of each of a user's pairs: log2(1/p) if a share p of the training
            rows has it.
        rarest: int64 (people, _PROBES) distinct pairs, -1 for none.
        starts: int64, start of each distinct pair's training rows.
        holders: int32 training rows.
    """

    bits: Float64
    rarest: Int64
    starts: Int64
    holders: Int32


@dataclass(frozen=True, eq=False)
class Renamed:
    """What ``find_renamed`` finds.

    Attributes:
        rows: int64 training row with nearly all pairs of each user, -1 for none, shape
            (people,).
        seen: int64 number of each user's test ratings in that row, shape (people,).
    """

    rows: Int64
    seen: Int64

    @property
    def people(self) -> int:
        """Number of users for whom there is such a row."""
        return int((self.rows >= 0).sum())

    def examples(self, ids: Ids, training_ids: Ids) -> tuple[tuple[Any, Any], ...]:
        """Return (user_id, user_id in training) of the first three such users."""
        first = np.flatnonzero(self.rows >= 0)[:3]
        pairs = zip(ids[first].tolist(), training_ids[self.rows[first]].tolist(), strict=True)
        return tuple(pairs)


def find_renamed(train: Histories, n_items: int, asked: HeldOutPeople) -> Renamed:
    """Find the training row with nearly all pairs of each user.

    Training rows are looked up by each user's rarest pairs, in two passes over the training
    ratings; memory grows with the users' pairs and the rows that have their rarest ones.
    """
    people, rows = len(asked.training_row), len(train)
    renamed = Renamed(np.full(people, -1, dtype=np.int64), np.zeros(people, dtype=np.int64))
    if len(asked.items) == 0 or len(train.items) == 0:
        return renamed
    start, values, pair_of = _distinct(asked, n_items)
    training = _Rows(train.indptr, train.items, train.values)
    counts, holders = np.zeros(len(values), dtype=np.int64), np.empty(0, dtype=np.int32)
    _visit(training, start, values, np.ones(len(values), dtype=bool), counts, holders)
    probes = _rarest(asked, pair_of, counts)
    chosen = np.zeros(len(values), dtype=bool)
    chosen[probes[probes >= 0]] = True
    starts = row_bounds(np.where(chosen, counts, 0))
    holders = np.empty(starts[-1], dtype=np.int32)
    if len(holders):
        _visit(training, start, values, chosen, starts[:-1].copy(), holders)
    among = evenly_spaced(people, MOST_PEOPLE)
    needed = BITS + np.log2(rows) + np.log2(people)
    mean = max(len(train.items) / rows, 1.0)
    of_row = SHARE_OF_ROW if train.values.min() == train.values.max() else 0.0
    bits = -np.log2(np.maximum(counts, 1) / rows)[pair_of]
    by, hits = _Probes(bits, probes, starts, holders), np.zeros(rows, dtype=np.int32)
    _match(among, asked, by, training, needed, of_row, mean, hits, renamed.rows, renamed.seen)
    return renamed


def many_renamed(renamed: int, people: int) -> bool:
    """Return whether so many users were trained on under other ids that a score is invalid."""
    return renamed > MANY * people


def _distinct(asked: HeldOutPeople, n_items: int) -> tuple[Int64, Float32, Int64]:
    """Return the distinct (item, rating) pairs, ascending.

    Returns:
        Where the pairs of each item start (n_items + 1), the rating of each pair, and the pair of
        each entry of ``asked``.
    """
    order = np.lexsort((asked.values, asked.items))
    items, values = asked.items[order], asked.values[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (items[1:] != items[:-1]) | (values[1:] != values[:-1])
    pair_of = np.empty(len(order), dtype=np.int64)
    pair_of[order] = np.cumsum(new) - 1
    start = row_bounds(np.bincount(items[new], minlength=n_items))
    return start, values[new], pair_of


def _rarest(asked: HeldOutPeople, pair_of: Int64, counts: Int64) -> Int64:
    """Return each user's rarest pairs in the training ratings, int64 (people, _PROBES).

    Padded with -1.
    """
    people = np.repeat(np.arange(len(asked.training_row)), np.diff(asked.indptr))
    held = np.flatnonzero(counts[pair_of] > 0)
    order = held[np.lexsort((counts[pair_of[held]], people[held]))]
    entry_people = people[order]
    first = np.searchsorted(entry_people, np.arange(len(asked.training_row)))
    rank = np.arange(len(order)) - first[entry_people]
    probes = np.full((len(asked.training_row), _PROBES), -1, dtype=np.int64)
    within_probes = rank < _PROBES
    probes[entry_people[within_probes], rank[within_probes]] = pair_of[order[within_probes]]
    return probes


@part()
def _position(start: Int64, values: Float32, item: int, rating: float) -> int:
    """Return the position of the pair of an item and a rating among all pairs; -1 for none."""
    low, high = start[item], start[item + 1]
    while low < high:
        middle = (low + high) // 2
        if values[middle] < rating:
            low = middle + 1
        else:
            high = middle
    return low if low < start[item + 1] and values[low] == rating else -1


@kernel()
def _visit(
    train: _Rows, start: Int64, values: Float32, chosen: Mask, free: Int64, holders: Int32
) -> None:
    """Write the training rows that have each chosen pair, one pair after the other.

    ``free`` is the next position of each pair in ``holders``; if that is empty, the rows are only
    counted.
    """
    for row in range(len(train.indptr) - 1):
        for entry in range(train.indptr[row], train.indptr[row + 1]):
            at = _position(start, values, train.items[entry], train.values[entry])
            if at >= 0 and chosen[at]:
                if len(holders) > 0:
                    holders[free[at]] = row
                free[at] += 1


@kernel()
def _match(
    among: Int64,
    asked: HeldOutPeople,
    by: _Probes,
    train: _Rows,
    needed: float,
    of_row: float,
    mean: float,
    hits: Int32,
    matches: Int64,
    seen: Int64,
) -> None:
    """Write the row with the most evidence for each user, and its number of test ratings.

    ``hits`` is scratch, one for each training row, all zero before and after.
    """
    for person in among:
        first, last = asked.indptr[person], asked.indptr[person + 1]
        tested = 0
        for at in range(first, last):
            tested += asked.test[at]
        if tested == 0:
            continue
        probes = by.rarest[person]
        n_probes = 0
        for probe in probes:
            if probe >= 0:
                n_probes += 1
                for at in range(by.starts[probe], by.starts[probe + 1]):
                    hits[by.holders[at]] += 1
        best = -1.0
        n = last - first
        surprise = np.log2(float(n))
        for probe in probes[:n_probes]:
            for at in range(by.starts[probe], by.starts[probe + 1]):
                row = by.holders[at]
                enough = 2 * hits[row] >= n_probes and row != asked.training_row[person]
                hits[row] = 0
                if not enough:
                    continue
                other, stop = train.indptr[row], train.indptr[row + 1]
                # A pair is that much likelier for this row's owner than for all users.
                length = stop - other
                likelier = np.log2(length / mean) if length > mean else 0.0
                same, same_test, bits = 0, 0, 0.0
                for entry in range(first, last):
                    item = asked.items[entry]
                    while other < stop and train.items[other] < item:
                        other += 1
                    if (
                        other < stop
                        and train.items[other] == item
                        and train.values[other] == asked.values[entry]
                    ):
                        same += 1
                        same_test += asked.test[entry]
                        if by.bits[entry] > likelier:
                            bits += by.bits[entry] - likelier
                    else:
                        # Each pair that is not there may be any of them.
                        bits -= surprise
                if (
                    same >= CONTAINED * n
                    and same_test >= CONTAINED_TEST * tested
                    and same >= of_row * length
                    and bits >= needed
                    and bits > best
                ):
                    best = bits
                    matches[person] = row
                    seen[person] = same_test
