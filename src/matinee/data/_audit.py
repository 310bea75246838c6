"""Audit of a test set: overlap with the training set, and other problems of evaluation."""

from __future__ import annotations

import filecmp
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..base.arrays import Int32
from ..base.memory import find_entries
from ..errors import DataError
from .coerce import RatingsLike, as_ratings
from .fingerprints import fingerprint
from .histories import Histories
from .leaks.renamed import HeldOutPeople, Renamed, find_renamed, many_renamed
from .leaks.same_second import SameSecond, same_second
from .loading import load
from .ratings import Ratings
from .repeats import repeated, repeated_in
from .sources.home import locate


@dataclass(frozen=True)
class Audit:
    """What ``audit`` finds.

    Attributes:
        train: Name of the training set.
        test: Name of the test set.
        n_train: Training ratings.
        n_test: Test ratings.
        overlap: Test ratings whose (user, item) pair is in the training set.
        overlap_same_value: Those of them that also have the same rating there.
        overlap_examples: The first three such (user_id, item_id) pairs of the test set.
        test_users: Test users.
        renamed_users: Test users whose items and ratings nearly all match those of one training
            user with another id: the same person renamed. With few ratings none is detected.
        renamed_ratings: Their matching test ratings.
        renamed_examples: The first three, (user_id, user_id in training).
        repeated_train: Training ratings beyond the first of their pair.
        repeated_test: Test ratings beyond the first of their pair.
        unseen_users: Test users with no training rating.
        unseen_user_ratings: Test ratings they gave.
        unseen_items: Test items with no training rating.
        unseen_item_ratings: Test ratings they got.
        unseen_ratings: Test ratings with an unseen user or item.
        older_than_own: Test ratings older than their user's latest training rating: the model was
            trained on later ratings of that user. None if times are missing.
        older_than_any: Test ratings older than the latest training rating of all.
        same_second: How well the number of a user's ratings in the same second predicts a
            training rating. None if times are missing.
        same_file: Whether both were read from files with the same content, under any names.
        same_table: Whether both have the same (user, item, rating) rows, in any order.
        notes: What reading each resolved.
    """

    train: str
    test: str
    n_train: int
    n_test: int
    overlap: int
    overlap_same_value: int
    overlap_examples: tuple[tuple[Any, Any], ...]
    test_users: int
    renamed_users: int
    renamed_ratings: int
    renamed_examples: tuple[tuple[Any, Any], ...]
    repeated_train: int
    repeated_test: int
    unseen_users: int
    unseen_user_ratings: int
    unseen_items: int
    unseen_item_ratings: int
    unseen_ratings: int
    older_than_own: int | None
    older_than_any: int | None
    same_second: SameSecond | None
    same_file: bool
    same_table: bool
    notes: tuple[str, ...]

    @property
    def contaminated(self) -> bool:
        """Whether the test set contains training data, so that scores are invalid.

        Users under other ids count if they are more than one in a hundred: published data has
        users with two accounts.
        """
        many = many_renamed(self.renamed_users, self.test_users)
        return self.overlap > 0 or many or self.same_file or self.same_table

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the verdict."""
        return {"contaminated": self.contaminated, **asdict(self)}


def audit(
    train: RatingsLike,
    test: RatingsLike,
    *,
    files: tuple[Path | None, Path | None] = (None, None),
) -> Audit:
    """Compare a test set with the training set, by external ids.

    They need not share vocabularies.

    Args:
        train: The training ratings, or what ``load`` takes.
        test: The test ratings, likewise. One user or one item is enough.
        files: The files of both, if any, to recognise one file under two names.

    Raises:
        DataError: One of them has no ratings.
    """
    train, test = as_ratings(train, "train"), as_ratings(test, "test")
    for part in (train, test):
        if not len(part):
            raise DataError(f"{part.name}: there are no ratings to audit")
    users = _codes(train.user_ids.encode(test.user_ids.ids), train.users, train.n_users)
    items = _codes(train.item_ids.encode(test.item_ids.ids), train.items, train.n_items)
    # Training rating of each test row, -1 if there is none.
    row_user, row_item = users[test.users], items[test.items]
    by_user = train.by_user
    entry = find_entries(by_user.indptr, by_user.indices, row_user, row_item)
    shared = entry >= 0
    same_value = shared & (by_user.values[entry] == test.values)
    first = np.flatnonzero(shared)[:3]
    renamed = _renamed(train, test, users, row_item)
    new_user, new_item = row_user < 0, row_item < 0
    older_than_own, any_ = _older(train, test, row_user)
    return Audit(
        train=train.name,
        test=test.name,
        n_train=len(train),
        n_test=len(test),
        overlap=int(shared.sum()),
        overlap_same_value=int(same_value.sum()),
        overlap_examples=tuple(
            zip(
                test.user_ids.decode(test.users[first]).tolist(),
                test.item_ids.decode(test.items[first]).tolist(),
                strict=True,
            )
        ),
        test_users=len(np.unique(test.users)),
        renamed_users=renamed.people,
        renamed_ratings=int(renamed.seen.sum()),
        renamed_examples=renamed.examples(test.user_ids.ids, train.user_ids.ids),
        repeated_train=_repeated(train),
        repeated_test=_repeated(test),
        unseen_users=len(np.unique(test.users[new_user])),
        unseen_user_ratings=int(new_user.sum()),
        unseen_items=len(np.unique(test.items[new_item])),
        unseen_item_ratings=int(new_item.sum()),
        unseen_ratings=int((new_user | new_item).sum()),
        older_than_own=older_than_own,
        older_than_any=any_,
        same_second=same_second(train),
        same_file=_same_file(*files),
        same_table=len(train) == len(test) and fingerprint(train) == fingerprint(test),
        notes=tuple(
            f"{name}: {note}"
            for name, part in (("train", train), ("test", test))
            for note in part.notes
        ),
    )


def audit_files(train: Path | str, test: Path | str, **options: Any) -> Audit:
    """Read two tables and audit the second against the first.

    Beside what ``audit`` finds, it counts the repeated ratings that reading resolved, and
    detects one file under two names.

    Args:
        train: A file, a folder or a name, as for ``load``.
        test: Another.
        **options: Of ``load``, for both.

    Raises:
        DataError: One cannot be read.
        UsageError: One has no such column, or an option is wrong.
    """
    options["allow_single"] = True
    train_ratings, test_ratings = load(train, **options), load(test, **options)
    result = audit(train_ratings, test_ratings, files=(_file(train), _file(test)))
    return replace(
        result,
        repeated_train=result.repeated_train + repeated_in(train_ratings.notes),
        repeated_test=result.repeated_test + repeated_in(test_ratings.notes),
    )


def _file(source: Path | str) -> Path | None:
    return Path(source) if Path(source).exists() else locate(str(source))


def _codes(codes: Int32, present: Int32, n: int) -> Int32:
    """Return codes in a vocabulary, -1 for those without a rating."""
    rated = np.bincount(present, minlength=n) > 0
    return np.where((codes >= 0) & rated[codes], codes, np.int32(-1)).astype(np.int32)


def _renamed(train: Ratings, test: Ratings, users: Int32, items: Int32) -> Renamed:
    """Find test users who are training users under other ids.

    ``users`` are the training codes of the test users, ``items`` those of the items of the test
    rows, -1 if unknown.
    """
    known = items >= 0
    held_out = HeldOutPeople.of(
        test.users[known].astype(np.int64),
        items[known],
        test.values[known],
        np.ones(int(known.sum()), dtype=bool),
        users,
    )
    return find_renamed(Histories.of(train.by_user), train.n_items, held_out)


def _repeated(ratings: Ratings) -> int:
    rows = ratings.by_user
    return len(repeated(rows.entry_rows, rows.indices))


def _older(train: Ratings, test: Ratings, users: Int32) -> tuple[int | None, int | None]:
    """Test ratings older than the latest training rating: of their user, and of all."""
    if train.times is None or test.times is None:
        return None, None
    rows = train.by_user
    # With an entry after the last row, so that a row without ratings at the end starts at one.
    latest = np.maximum.reduceat(np.append(rows.aligned(train.times), 0), rows.indptr[:-1])
    known = users >= 0
    older_than_own = int(np.count_nonzero(test.times[known] < latest[users[known]]))
    return older_than_own, int(np.count_nonzero(test.times < train.times.max()))


def _same_file(first: Path | None, second: Path | None) -> bool:
    if first is None or second is None or not (first.is_file() and second.is_file()):
        return False
    return filecmp.cmp(first, second, shallow=False)
