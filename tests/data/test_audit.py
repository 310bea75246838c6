"""The audit, against test sets with a known fault and against brute force."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matinee.data import Audit, Ratings, audit, audit_files, fingerprint, split
from matinee.data.leaks.same_second import SameSecond
from matinee.errors import DataError


def table(rows: list[tuple[object, object, float, int]], name: str = "table") -> Ratings:
    users, items, values, times = zip(*rows, strict=True)
    return Ratings.from_arrays(list(users), list(items), values, times, name=name)


TRAIN = [(1, 10, 4, 100), (1, 20, 3, 200), (2, 10, 5, 150), (3, 30, 1, 400)]


def test_clean() -> None:
    checked = audit(
        table(TRAIN, "a"), table([(1, 30, 2, 250), (2, 20, 4, 500), (3, 10, 3, 450)], "b")
    )
    assert checked == Audit(
        train="a", test="b", n_train=4, n_test=3,
        overlap=0, overlap_same_value=0, overlap_examples=(),
        test_users=3, renamed_users=0, renamed_ratings=0, renamed_examples=(),
        repeated_train=0, repeated_test=0,
        unseen_users=0, unseen_user_ratings=0, unseen_items=0, unseen_item_ratings=0,
        unseen_ratings=0, older_than_own=0, older_than_any=1,
        same_second=SameSecond(0.0, 0.0, (4, 0, 0, 0), (3.25, None, None, None)),
        same_file=False, same_table=False, notes=(),
    )  # fmt: skip
    assert not checked.contaminated


def test_every_fault() -> None:
    test = table(
        [
            (9, 10, 2, 500),  # an unseen user, twice
            (9, 99, 2, 500),  # and an unseen item
            (2, 98, 4, 149),  # an unseen item, and older than the user's own
            (3, 30, 2, 401),  # in training, with another rating
            (2, 10, 5, 150),  # in training as it is
            (1, 20, 3, 199),
            (1, 10, 4, 201),
        ]
    )
    checked = audit(table(TRAIN), test)
    assert checked.contaminated
    assert checked.overlap == 4
    assert checked.overlap_same_value == 3
    assert checked.overlap_examples == ((3, 30), (2, 10), (1, 20))
    assert (checked.unseen_users, checked.unseen_user_ratings) == (1, 2)
    assert (checked.unseen_items, checked.unseen_item_ratings) == (2, 2)
    assert checked.unseen_ratings == 3
    assert checked.older_than_own == 2
    assert checked.older_than_any == 4
    assert not checked.same_table
    plain = checked.as_dict()
    assert plain["contaminated"] is True
    assert plain["overlap"] == 4


def test_ids_of_another_kind_are_the_same_ids() -> None:
    words = [(str(user), f"{item}", value, at) for user, item, value, at in TRAIN]
    more = [*words, ("u-7", "x", 3.0, 900)]
    assert audit(table(TRAIN), table(more)).overlap == 4
    assert audit(table(more), table(TRAIN)).overlap == 4
    assert audit(table(TRAIN), table(words)).same_table


def test_same_table_in_any_order() -> None:
    checked = audit(table(TRAIN), table(TRAIN[::-1]))
    assert checked.same_table
    assert checked.contaminated
    assert fingerprint(table(TRAIN)) == fingerprint(table(TRAIN[::-1]))
    changed = [*TRAIN[:-1], (3, 30, 2, 400)]
    assert not audit(table(TRAIN), table(changed)).same_table


def test_codes_without_ratings_count_as_unseen() -> None:
    # Both parts of a split share one vocabulary: having a code is not having been seen.
    whole = table([*TRAIN, (4, 40, 2, 500)])
    checked = audit(whole.take(np.arange(4)), whole.take(np.array([4])))
    assert (checked.unseen_users, checked.unseen_items) == (1, 1)
    # Nor does a last code without ratings hide the last rating of the user before it.
    whole = table([(1, 10, 4, 5), (1, 20, 3, 100), (2, 10, 5, 7)])
    assert audit(whole.take([0, 1]), table([(1, 30, 1, 50)])).older_than_own == 1


def test_repeated_pairs() -> None:
    # from_arrays trusts its caller, so repeats can be made; one user's last item is the next
    # one's first, which is no repeat.
    train = table([(1, 30, 1, 1), (2, 30, 1, 1), (2, 30, 2, 2), (2, 30, 3, 3), (5, 10, 1, 1)])
    assert audit(train, table([(1, 10, 1, 1)])).repeated_train == 2
    assert audit(table([(1, 10, 1, 1)]), train).repeated_test == 2


def test_without_times() -> None:
    timeless = replace(table(TRAIN), times=None)
    checked = audit(timeless, table([(1, 30, 2, 1)]))
    assert checked.older_than_own is None
    assert checked.older_than_any is None
    assert audit(table([(1, 30, 2, 1)]), timeless).older_than_own is None


def test_same_file_under_two_names(tmp_path: Path) -> None:
    clean = table([(1, 30, 2, 250)])
    one, copy, other = (tmp_path / name for name in ("train.csv", "test.csv", "other.csv"))
    one.write_text("1,30,2\n")
    copy.write_text("1,30,2\n")
    other.write_text("1,30,3\n")
    link = tmp_path / "link.csv"
    link.symlink_to(one)
    packed = tmp_path / "other.csv.gz"
    packed.write_bytes(gzip.compress(b"x"))
    for second, same in ((one, True), (copy, True), (link, True), (other, False), (packed, False)):
        checked = audit(table(TRAIN), clean, files=(one, second))
        assert (checked.same_file, checked.contaminated) == (same, same)
    assert not audit(table(TRAIN), clean, files=(one, None)).same_file
    assert not audit(table(TRAIN), clean, files=(tmp_path, tmp_path)).same_file


def test_empty() -> None:
    none = table(TRAIN).take(np.arange(0))
    with pytest.raises(DataError, match="no ratings to audit"):
        audit(none, table(TRAIN))
    with pytest.raises(DataError, match="no ratings to audit"):
        audit(table(TRAIN), none)


def test_notes_of_both() -> None:
    train = replace(table(TRAIN), notes=("2 repeated ratings",))
    assert audit(train, table([(1, 30, 2, 250)])).notes == ("train: 2 repeated ratings",)


def test_files(tmp_path: Path) -> None:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("user,item,score\n1,10,4\n1,20,3\n2,10,5\n2,10,4\n2,10,1\n")
    test.write_text("user,item,score\n1,30,4\n1,30,4\n3,10,5\n")
    checked = audit_files(train, str(test))
    assert (checked.repeated_train, checked.repeated_test) == (2, 1)
    assert (checked.n_train, checked.n_test) == (3, 2)
    assert [note.split(" of the")[0] for note in checked.notes] == [
        "train: 2 repeated ratings", "test: 1 repeated rating",
    ]  # fmt: skip
    assert not checked.same_file
    assert audit_files(train, train).same_file
    train.write_text("user,item,score\n1,10,4\n")
    assert audit_files(train, test).n_train == 1
    with pytest.raises(DataError, match=r"again"):
        audit_files(train, test, repeats="error")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_against_brute_force(data: st.DataObject) -> None:
    row = st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(1, 5), st.integers(0, 20))
    unique = st.lists(row, min_size=1, max_size=30, unique_by=lambda r: r[:2])
    train, test = data.draw(unique), data.draw(unique)
    checked = audit(table(train), table(test))
    pairs = {r[:2]: r[2] for r in train}
    users, items = {r[0] for r in train}, {r[1] for r in train}
    both = [r for r in test if r[:2] in pairs]
    assert checked.overlap == len(both)
    assert checked.overlap_same_value == sum(pairs[r[:2]] == r[2] for r in both)
    assert checked.overlap_examples == tuple(r[:2] for r in both[:3])
    assert checked.unseen_users == len({r[0] for r in test} - users)
    assert checked.unseen_user_ratings == sum(r[0] not in users for r in test)
    assert checked.unseen_items == len({r[1] for r in test} - items)
    assert checked.unseen_item_ratings == sum(r[1] not in items for r in test)
    assert checked.unseen_ratings == sum(r[0] not in users or r[1] not in items for r in test)
    latest = {user: max(r[3] for r in train if r[0] == user) for user in users}
    assert checked.older_than_own == sum(r[3] < latest.get(r[0], -1) for r in test)
    assert checked.older_than_any == sum(r[3] < max(latest.values()) for r in test)
    assert checked.same_table == ({r[:3] for r in train} == {r[:3] for r in test})


def test_a_split_is_clean() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.choice(200 * 300, size=5000, replace=False)
    ratings = Ratings.from_arrays(
        pairs // 300, pairs % 300, rng.integers(1, 6, 5000), rng.integers(0, 999, 5000)
    )
    for by in ("random", "user", "last", "time"):
        checked = audit(*split(ratings, by=by))  # type: ignore[arg-type]
        assert not checked.contaminated
        assert checked.n_train + checked.n_test == 5000
        assert (checked.older_than_own == 0) == (by in ("last", "time"))
        assert (checked.older_than_any == 0) == (by == "time")


def test_seed_split_of_ml_1m(real_data: Callable[[str], Path]) -> None:
    from matinee.data import load

    folder = real_data("ml-1m-seed-split")
    train, test = load(folder / "train.dat"), load(folder / "test.dat")
    checked = audit(train, test, files=(folder / "train.dat", folder / "test.dat"))
    assert not checked.contaminated
    assert (checked.n_train, checked.n_test) == (800_167, 200_042)
    assert (checked.unseen_users, checked.unseen_items, checked.unseen_item_ratings) == (0, 30, 40)
    assert checked.older_than_own == 196_306
    whole = audit(load(real_data("ml-1m") / "ratings.dat"), test)
    assert whole.contaminated
    assert whole.overlap == whole.overlap_same_value == 200_042
