"""The leak guard: detects test ratings seen in training, under the same or other user ids.

Pairs are compared by hashes, which are saved even if a model is saved without its training data.
Users under other ids are recognised by their ratings, which requires the training data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..base.arrays import Int32, Int64, Mask, UInt64
from ..base.memory import find_entries
from ..data import Histories, Ids, Ratings, Scale, Vocabulary
from ..data.coerce import require_finite
from ..data.fingerprints import hash_ids, hash_pairs
from ..data.leaks.renamed import HeldOutPeople, find_renamed, many_renamed
from ..errors import DataError, LeakError

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Overlap:
    """Test ratings that a model was trained on.

    Attributes:
        count: Test ratings whose (user, item) pair is in the training data or the histories.
        examples: The first three (user_id, item_id) of them, in the order of the test set.
        renamed: Test ratings seen in training under another user id: nearly all items and ratings
            of the user, history included, match those of one training user. None if this cannot be
            determined, as the model was saved without histories.
        renamed_people: Number of users with such ratings.
        renamed_examples: The first three of these, (user_id, user_id in training).
        people: Number of test users.
    """

    count: int
    examples: tuple[tuple[Any, Any], ...]
    renamed: int | None = None
    renamed_people: int = 0
    renamed_examples: tuple[tuple[Any, Any], ...] = ()
    people: int = 0

    @property
    def invalidates(self) -> bool:
        """Whether the overlap invalidates the score.

        Any shared pair does. Users under other ids do if they are more than one in a hundred:
        published data has users with two accounts (350 and 890 of MovieLens-100K).
        """
        return self.count > 0 or many_renamed(self.renamed_people, self.people)


@dataclass(frozen=True, eq=False)
class PairSet:
    """A set of (user, item) pairs, stored as 64-bit hashes of their external ids.

    A hash depends only on the ids (not on codes, machine or process), and an id that is a
    whole number has the same hash as number and as text. Two different pairs share a hash with
    probability 2**-64: over 10**8 training and 10**7 test pairs, one false alarm in 10**4 sets.

    Attributes:
        hashes: uint64, ascending, shape (pairs,).
    """

    hashes: UInt64

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def of(cls, histories: Histories, user_ids: Ids, item_ids: Vocabulary) -> PairSet:
        """Make the set of pairs in histories."""
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
        """Return the mask of pairs in the set, shape (n,).

        Args:
            user_ids: Distinct external user ids.
            item_ids: Distinct external item ids.
            users: Position in ``user_ids`` of each pair's user, shape (n,); -1 for a pair that is
                not in the set.
            items: Position in ``item_ids`` of each pair's item, likewise.
        """
        contained = np.zeros(len(users), dtype=bool)
        if len(self) == 0:
            return contained
        user_hash, item_hash = hash_ids(user_ids), hash_ids(item_ids)
        for start in range(0, len(users), _CHUNK):
            part = slice(start, start + _CHUNK)
            known = start + np.flatnonzero((users[part] >= 0) & (items[part] >= 0))
            pairs = hash_pairs(user_hash[users[known]], item_hash[items[known]])
            # Ascending look-ups access the hashes in order, which uses the cache far better.
            order = np.argsort(pairs)
            sorted_pairs = pairs[order]
            position = np.minimum(np.searchsorted(self.hashes, sorted_pairs), len(self) - 1)
            contained[known[order]] = self.hashes[position] == sorted_pairs
        return contained


def overlap_of(test: Ratings, mask: Mask) -> Overlap:
    """Return the number of test ratings in a mask, shape (n,), and the ids of the first three."""
    first = np.flatnonzero(mask)[:3]
    users = test.user_ids.decode(test.users[first]).tolist()
    items = test.item_ids.decode(test.items[first]).tolist()
    return Overlap(int(mask.sum()), tuple(zip(users, items, strict=True)))


class Guarded(Protocol):
    """The part of a model that the leak guard uses.

    Attributes:
        user_ids: Users trained on.
        item_ids: Items trained on.
        histories: Ratings trained on; None if saved without.
    """

    user_ids: Vocabulary
    item_ids: Vocabulary
    histories: Histories | None

    @property
    def leak_guard(self) -> PairSet:
        """Pairs trained on."""


def guard(
    model: Guarded, test: Ratings, histories: Histories, rows: Int64, *, allow_overlap: bool
) -> Overlap:
    """Find test ratings that a model saw in training or in the histories.

    The arguments are those of ``evaluate``.

    Raises:
        DataError: No test ratings, or a non-finite one.
        LeakError: There are such ratings, and they are not allowed.
    """
    if len(test) == 0:
        raise DataError(f"{test.name}: no test ratings to score on")
    require_finite(test)
    items = model.item_ids.encode(test.item_ids.ids)
    overlap = overlap_of(test, _seen(model, test, histories, rows, items))
    overlap = _renamed(model, test, histories, rows, items, overlap)
    if overlap.invalidates and not allow_overlap:
        raise LeakError(_leak(test, overlap))
    return overlap


def overlap_notes(overlap: Overlap, n_test: int, new: int) -> Iterator[str]:
    """Yield notes on test ratings that the model has seen, and on ``new`` users it has not."""
    if overlap.count:
        yield (
            f"The model has seen {overlap.count:,} of the {n_test:,} test ratings: "
            "the score is invalid."
        )
    if overlap.renamed:
        many = many_renamed(overlap.renamed_people, overlap.people)
        people = "; ".join(f"{user} as {known}" for user, known in overlap.renamed_examples)
        yield (
            f"{overlap.renamed_people:,} of {overlap.people:,} test people were trained on under "
            f"other ids ({people}), with {overlap.renamed:,} of the {n_test:,} test ratings"
            f"{': the score is invalid' if many else ''}."
        )
    if overlap.renamed is None and new:
        yield (
            f"{new:,} test people have ids that are not in the training data; whether they were "
            "trained on under other ids cannot be checked: the model was saved without histories."
        )


def scale_notes(scale: Scale, test: Ratings) -> Iterator[str]:
    """Yield a note if test ratings lie outside the scale of a model of ratings."""
    if not test.implicit and scale.low < scale.high and not scale.holds(test.values).all():
        yield (
            f"The test ratings go from {test.values.min():g} to {test.values.max():g}, the model's "
            f"scale from {scale.low:g} to {scale.high:g}."
        )


def _seen(model: Guarded, test: Ratings, histories: Histories, rows: Int64, items: Int32) -> Mask:
    """Return the mask of test ratings in the training data or the histories, shape (n,)."""
    users = model.user_ids.encode(test.user_ids.ids)
    codes = items[test.items]
    seen = model.leak_guard.contains(
        model.user_ids.ids, model.item_ids.ids, users[test.users], codes
    )
    people, inverse = np.unique(rows[test.users], return_inverse=True)
    if people[0] < 0:
        people = people[1:]
        inverse = inverse - 1
    visible = histories.take(people)
    return seen | (find_entries(visible.indptr, visible.items, inverse, codes) >= 0)


def _renamed(
    model: Guarded,
    test: Ratings,
    histories: Histories,
    rows: Int64,
    items: Int32,
    overlap: Overlap,
) -> Overlap:
    """Add the test users who were trained on under other ids to the overlap."""
    train = model.histories
    if train is None:
        return overlap
    codes = model.user_ids.encode(test.user_ids.ids)
    # The history of a known user is their training row, already checked by pairs.
    new_users = np.flatnonzero(np.append(histories.users, 0)[rows] < 0)
    new_histories = histories.take(rows[new_users])
    known = items[test.items] >= 0
    renamed = find_renamed(
        train,
        len(model.item_ids),
        HeldOutPeople.of(
            np.concatenate([np.repeat(new_users, new_histories.counts), test.users[known]]),
            np.concatenate([new_histories.items, items[test.items[known]]]),
            np.concatenate([new_histories.values, test.values[known]]),
            np.arange(len(new_histories.items) + int(known.sum())) >= len(new_histories.items),
            codes,
        ),
    )
    return replace(
        overlap,
        renamed=int(renamed.seen.sum()),
        renamed_people=renamed.people,
        renamed_examples=renamed.examples(test.user_ids.ids, model.user_ids.ids),
        people=len(np.unique(test.users)),
    )


def _leak(test: Ratings, overlap: Overlap) -> str:
    reasons = []
    if overlap.count:
        pairs = "; ".join(f"user {user}, item {item}" for user, item in overlap.examples)
        reasons.append(
            f"the model has seen {overlap.count:,} of {len(test):,} test pairs, among them {pairs}"
        )
    if overlap.renamed:
        people = "; ".join(f"{user} as {known}" for user, known in overlap.renamed_examples)
        reasons.append(
            f"the model was trained on {overlap.renamed_people:,} test people under other ids "
            f"({people}), with {overlap.renamed:,} of {len(test):,} test ratings"
        )
    return (
        f"{test.name}: {'; '.join(reasons)}. Score it on ratings kept apart from training, or "
        "allow the overlap (--allow-overlap, allow_overlap=True) and distrust the score"
    )
