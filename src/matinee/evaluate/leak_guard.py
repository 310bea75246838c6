"""The leak guard: a fingerprint of the pairs a model was trained on, kept without the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..base.arrays import Int32, Int64, Mask, UInt64
from ..data import Histories, Ids, Ratings, Vocabulary
from ..data.fingerprints import hash_ids, hash_pairs
from ..errors import DataError, LeakError

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Overlap:
    """Pairs of a test set that a model was trained on.

    Attributes:
        count: How many test ratings.
        examples: The first three (user_id, item_id) of them, in the order of the test set.
    """

    count: int
    examples: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, eq=False)
class PairSet:
    """A set of (user, item) pairs, known only by 64-bit hashes of their external ids.

    A hash depends on the ids alone (never on codes, machine or process), and an id that is a
    whole number hashes alike as number and as text. Two different pairs share a hash with
    probability 2**-64: over 10**8 training and 10**7 test pairs, one false alarm in 10**4 sets.

    Attributes:
        hashes: uint64, ascending, shape (pairs,).
    """

    hashes: UInt64

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def of(cls, histories: Histories, user_ids: Ids, item_ids: Vocabulary) -> PairSet:
        """The pairs of histories.

        Args:
            histories: What people rated.
            user_ids: External id of each person, shape (people,).
            item_ids: The vocabulary the histories are coded by.
        """
        users, items = hash_ids(user_ids), hash_ids(item_ids.ids)
        hashes = np.empty(len(histories.items), dtype=np.uint64)
        for start in range(0, len(hashes), _CHUNK):
            entries = np.arange(start, min(start + _CHUNK, len(hashes)))
            rows = np.searchsorted(histories.indptr, entries, side="right") - 1
            hashes[entries] = hash_pairs(users[rows], items[histories.items[entries]])
        hashes.sort()
        return cls(hashes)

    def contains(
        self,
        user_ids: Ids,
        item_ids: Ids,
        users: npt.NDArray[np.integer[Any]],
        items: npt.NDArray[np.integer[Any]],
    ) -> Mask:
        """Which pairs are in the set, shape (n,).

        Args:
            user_ids: Distinct external user ids.
            item_ids: Distinct external item ids.
            users: Position in ``user_ids`` of each pair's user, shape (n,); -1 is in no set.
            items: Position in ``item_ids`` of each pair's item, shape (n,); -1 is in no set.
        """
        found = np.zeros(len(users), dtype=bool)
        if len(self) == 0:
            return found
        user_hash, item_hash = hash_ids(user_ids), hash_ids(item_ids)
        for start in range(0, len(users), _CHUNK):
            part = slice(start, start + _CHUNK)
            known = start + np.flatnonzero((users[part] >= 0) & (items[part] >= 0))
            pairs = hash_pairs(user_hash[users[known]], item_hash[items[known]])
            # Ascending look-ups walk the hashes in order, which is far kinder to the cache.
            order = np.argsort(pairs)
            wanted = pairs[order]
            place = np.minimum(np.searchsorted(self.hashes, wanted), len(self) - 1)
            found[known[order]] = self.hashes[place] == wanted
        return found

    def overlap(self, test: Ratings) -> Overlap:
        """The pairs of a test set that are in this one."""
        found = self.contains(test.user_ids.ids, test.item_ids.ids, test.users, test.items)
        return overlap_of(test, found)


def overlap_of(test: Ratings, found: Mask) -> Overlap:
    """Sum up which ratings of a test set were found, shape (n,), with the first three by id."""
    first = np.flatnonzero(found)[:3]
    users = test.user_ids.decode(test.users[first]).tolist()
    items = test.item_ids.decode(test.items[first]).tolist()
    return Overlap(int(found.sum()), tuple(zip(users, items, strict=True)))


class Guarded(Protocol):
    """What a model must offer for its leak guard to be asked."""

    @property
    def user_ids(self) -> Vocabulary:
        """Users trained on."""

    @property
    def item_ids(self) -> Vocabulary:
        """Items trained on."""

    @property
    def leak_guard(self) -> PairSet:
        """Pairs trained on."""


def guard(
    model: Guarded, test: Ratings, histories: Histories, rows: Int64, *, allow_overlap: bool
) -> Overlap:
    """The test ratings that a model saw in training or is shown.

    Args:
        model: The model.
        test: The held-out ratings.
        histories: What is known of the people, in the model's item codes.
        rows: The row in ``histories`` of each user code of ``test``, shape (test.n_users,); -1
            for a user nothing is known of.
        allow_overlap: Whether there may be any.

    Raises:
        DataError: No test ratings, or one that is not finite.
        LeakError: There are some, and there may be none.
    """
    _check(test)
    items = model.item_ids.encode(test.item_ids.ids)
    overlap = overlap_of(test, _seen(model, test, histories, rows, items))
    if overlap.count and not allow_overlap:
        raise LeakError(_leak(test, overlap))
    return overlap


def _check(test: Ratings) -> None:
    if len(test) == 0:
        raise DataError(f"{test.name}: no test ratings to score on")
    bad = np.flatnonzero(~np.isfinite(test.values))
    if len(bad):
        user = test.user_ids.ids[test.users[bad[0]]]
        item = test.item_ids.ids[test.items[bad[0]]]
        raise DataError(
            f"{test.name}: the rating of item {item} by user {user} is {test.values[bad[0]]}"
        )


def _seen(model: Guarded, test: Ratings, histories: Histories, rows: Int64, items: Int32) -> Mask:
    """Which test ratings the model was trained on, or stand in the histories it is shown."""
    users = model.user_ids.encode(test.user_ids.ids)
    codes = items[test.items]
    seen = model.leak_guard.contains(
        model.user_ids.ids, model.item_ids.ids, users[test.users], codes
    )
    people, inverse = np.unique(rows[test.users], return_inverse=True)
    if people[0] < 0:
        people = people[1:]
        inverse = inverse - 1
    shown = histories.take(people)
    width = len(model.item_ids)
    keys = np.repeat(np.arange(len(people)), shown.counts) * width + shown.items
    if len(keys):
        asked = np.flatnonzero((inverse >= 0) & (codes >= 0))
        wanted = inverse[asked] * width + codes[asked]
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        seen[asked] |= keys[place] == wanted
    return seen


def _leak(test: Ratings, overlap: Overlap) -> str:
    pairs = "; ".join(f"user {user}, item {item}" for user, item in overlap.examples)
    return (
        f"{test.name}: the model has seen {overlap.count:,} of {len(test):,} test pairs, among "
        f"them {pairs}. Score it on ratings kept apart from training, or allow the overlap "
        "(--allow-overlap, allow_overlap=True) and distrust the score"
    )
