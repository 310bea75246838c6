"""Split protocols: every rating in one part, the right ones in the right part."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from matinee.data import (
    RULES,
    Ratings,
    fingerprint,
    kfold,
    split,
    split_parts,
    split_three,
    split_users,
)
from matinee.data.splits.rule import seconds
from matinee.errors import DataError, UsageError

FROZEN = {
    "random": "21f6d60b53546479136578a5447475df",
    "user": "4a90454599916da465b8d4b55ee7cf7c",
    "last": "6cf60856f29ace4a4fc9a8c69e991d5e",
    "time": "55f609932815488ba34444ecde273f07",
    "people": "d3278bcfb83e06a35cc511ef2334d757",
}


def table(
    n_users: int = 60, n_items: int = 40, n: int = 900, seed: int = 0, *, ties: bool = True
) -> Ratings:
    rng = np.random.default_rng(seed)
    pairs = rng.choice(n_users * n_items, size=n, replace=False)
    times = rng.integers(1_000, 1_200 if ties else 10**9, size=n)
    return Ratings.from_arrays(
        pairs // n_items * 7 + 3, pairs % n_items + 100, rng.integers(1, 6, n), times
    )


def rows(ratings: Ratings) -> set[tuple[Any, ...]]:
    columns = [ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)]
    columns.append(ratings.values)
    if ratings.times is not None:
        columns.append(ratings.times)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def check_parts(whole: Ratings, *parts: Ratings) -> None:
    assert sum(map(len, parts)) == len(whole)
    assert set().union(*map(rows, parts)) == rows(whole)
    for part in parts:
        assert part.user_ids is whole.user_ids
        assert part.item_ids is whole.item_ids
        assert part.name == whole.name


@pytest.mark.parametrize("by", [name for name in RULES if name != "people"])
@pytest.mark.parametrize("holdout", [0.2, 0.5, 3])
def test_parts_make_the_whole(by: Any, holdout: float) -> None:
    ratings = table()
    train, test = split(ratings, holdout, seed=4, by=by)
    check_parts(ratings, train, test)
    again = split(ratings, holdout, seed=4, by=by)
    assert rows(test) == rows(again[1])
    if by not in ("last", "time"):
        assert rows(test) != rows(split(ratings, holdout, seed=5, by=by)[1])


@pytest.mark.parametrize("by", [name for name in RULES if name != "people"])
def test_three_parts(by: Any) -> None:
    ratings = table()
    train, valid, test = split_three(ratings, 0.1, 0.2, seed=4, by=by)
    check_parts(ratings, train, valid, test)
    # The test part is the one of the two-part split: the same score means the same thing.
    assert rows(test) == rows(split(ratings, 0.1, seed=4, by=by)[1])


def test_random_sizes() -> None:
    ratings = table()
    assert [len(part) for part in split(ratings, 0.2)] == [720, 180]
    assert [len(part) for part in split(ratings, 17)] == [883, 17]
    assert [len(part) for part in split_three(ratings, 0.1, 0.2)] == [630, 180, 90]
    # Not the first or the last rows of the table, nor whole users.
    train, test = split(ratings, 0.5)
    assert len(set(test.users.tolist())) > 55
    assert len(set(train.users.tolist())) > 55


def test_random_is_fair_to_position() -> None:
    ratings = table(300, 300, 20_000)
    test = rows(split(ratings, 0.25, seed=1)[1])
    held = np.array([row in test for row in zip(
        ratings.user_ids.decode(ratings.users).tolist(),
        ratings.item_ids.decode(ratings.items).tolist(),
        ratings.values.tolist(), ratings.times.tolist(), strict=True)])  # fmt: skip
    by_tenth = held.reshape(10, -1).mean(axis=1)
    assert np.all(np.abs(by_tenth - 0.25) < 0.04)


def brute_last(ratings: Ratings, n: int) -> set[int]:
    held: set[int] = set()
    for user in range(ratings.n_users):
        entries = np.flatnonzero(ratings.users == user)
        entries = entries[np.argsort(ratings.times[entries], kind="stable")]
        held |= set(entries[max(len(entries) - n, 1) :].tolist())
    return held


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), size=st.integers(2, 200))
@settings(max_examples=40, deadline=None)
def test_last_against_brute_force(seed: int, n: int, size: int) -> None:
    ratings = table(30, 20, size, seed, ties=False)
    held = brute_last(ratings, n)
    if not held:
        with pytest.raises(DataError, match="leaves the test part empty"):
            split(ratings, n, by="last")
        return
    _, test = split(ratings, n, by="last")
    assert rows(test) == rows(ratings.take(np.array(sorted(held), dtype=np.int64)))


@pytest.mark.parametrize("by", ["last", "time"])
def test_ties_are_settled_by_chance_alone(by: Any) -> None:
    # One time for all but a few: whatever is held out must not depend on the place in the table.
    n_users, n_items = 40, 50
    pairs = np.arange(n_users * n_items)
    times = np.full(len(pairs), 1000)
    times[pairs % n_items == 0] = 10
    ratings = Ratings.from_arrays(pairs // n_items, pairs % n_items, np.ones(len(pairs)), times)
    _, test = split(ratings, 0.2, seed=1, by=by)
    assert test.times.min() == 1000
    assert abs(test.items.mean() - 25) < 2
    assert abs(test.users.mean() - 19.5) < 2
    parts = split_three(ratings, 0.2, 0.3, seed=1, by=by)
    check_parts(ratings, *parts)
    assert [len(part) for part in parts] == [1000, 600, 400]
    assert rows(parts[2]) == rows(test)


def test_last_with_validation_comes_before_the_test_part() -> None:
    ratings = table(ties=False)
    train, valid, test = split_three(ratings, 2, 3, by="last")
    for user in range(ratings.n_users):
        of_user = [part.times[part.users == user] for part in (train, valid, test)]
        assert len(of_user[0]) >= 1
        assert len(of_user[2]) == min(2, sum(map(len, of_user)) - 1)
        for before, after in (
            (of_user[0], of_user[1]),
            (of_user[1], of_user[2]),
            (of_user[0], of_user[2]),
        ):
            if len(before) and len(after):
                assert before.max() < after.min()


@pytest.mark.parametrize("by", ["user", "last"])
def test_each_user_keeps_a_training_rating(by: Any) -> None:
    ratings = Ratings.from_arrays(
        ["one", "two", "two", "ten", *["ten"] * 9],
        ["a", "a", "b", *[f"i{k}" for k in range(10)]],
        np.ones(13),
        np.arange(13),
    )
    counts = {}
    for holdout in (5, 0.9, 0.3):
        train, test = split(ratings, holdout, by=by)
        assert set(np.unique(train.users)) == {0, 1, 2}
        counts[holdout] = np.bincount(test.users, minlength=3).tolist()
    # Users are coded in the order of their ids: one, ten, two.
    assert counts == {5: [0, 5, 1], 0.9: [0, 9, 1], 0.3: [0, 3, 1]}


def test_each_item_keeps_a_training_rating() -> None:
    ratings = table()
    train, test = split(ratings, 0.25, seed=2, by="item")
    counts = np.bincount(ratings.items)
    assert np.array_equal(np.bincount(test.items), np.floor(counts * 0.25 + 0.5))
    train, _ = split(ratings, 500, by="item")
    assert np.bincount(train.items).tolist() == [1] * ratings.n_items


def test_user_share_is_rounded_for_each_user() -> None:
    ratings = table()
    _, test = split(ratings, 0.25, by="user")
    counts = np.bincount(ratings.users)
    assert np.array_equal(np.bincount(test.users), np.floor(counts * 0.25 + 0.5))


@given(seed=st.integers(0, 10_000), size=st.integers(10, 300), share=st.floats(0.1, 0.4))
@settings(max_examples=40, deadline=None)
def test_time_against_brute_force(seed: int, size: int, share: float) -> None:
    ratings = table(30, 20, size, seed, ties=False)
    order = np.argsort(ratings.times, kind="stable")
    n_test, n_valid = len(ratings) - round((1 - share) * size), len(ratings) - round(0.8 * size)
    parts = split_three(ratings, share, 0.2, by="time")
    assert [len(part) for part in parts] == [size - n_test - n_valid, n_valid, n_test]
    assert rows(parts[2]) == rows(ratings.take(order[size - n_test :]))
    assert rows(parts[0]) == rows(ratings.take(order[: size - n_test - n_valid]))


def test_time_at_a_moment() -> None:
    ratings = table()
    train, test = split(ratings, by="time", at=1_100)
    assert train.times.max() < 1_100 <= test.times.min()
    assert test.times.min() == 1_100
    train, valid, test = split_three(ratings, by="time", at=(1_050, "1970-01-01T00:18:20"))
    assert train.times.max() < 1_050 <= valid.times.min()
    assert valid.times.max() < 1_100 <= test.times.min()
    with pytest.raises(UsageError, match="must begin one after the other"):
        split_three(ratings, by="time", at=(1_100, 1_050))


def test_moments() -> None:
    assert seconds("2000-12-02") == seconds("20001202") == 975715200
    assert seconds("2000-12-02T14:52:18") == 975768738
    assert seconds("2000-12-02T14:52:18+00:00") == 975768738
    assert seconds("2000-12-02T15:52:18+01:00") == 975768738
    assert seconds("975768738") == seconds(975768738) == 975768738
    for day in (date(2000, 12, 2), pd.Timestamp("2000-12-02"), np.datetime64("2000-12-02", "ns")):
        assert seconds(day) == 975715200
    assert seconds(datetime(2000, 12, 2, 15, 52, 18, tzinfo=timezone(timedelta(hours=1)))) == (
        975768738
    )
    for wrong in ("yesterday", float("nan"), np.inf, np.datetime64("NaT"), pd.NaT, ["2000-12-02"]):
        with pytest.raises(UsageError, match="is not a time"):
            seconds(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["user", "last"])
def test_whole_users(by: Any) -> None:
    ratings = table()
    train, given_part, scored = split_users(ratings, 0.25, seed=3, given=0.7, by=by)
    check_parts(ratings, train, given_part, scored)
    held = set(given_part.users.tolist())
    assert held == set(scored.users.tolist())
    assert len(held) == 15
    assert held.isdisjoint(train.users.tolist())
    for user in held:
        before, after = (part.times[part.users == user] for part in (given_part, scored))
        total = len(before) + len(after)
        assert len(after) == max(1, int(total * 0.3 + 0.5))
        if by == "last":
            assert before.max() <= after.min()
    assert held != set(split_users(ratings, 0.25, seed=4).given.users.tolist())


def test_whole_users_needs_two_ratings_each() -> None:
    ratings = Ratings.from_arrays([1, 2, 3, 3, 4, 4], [1, 1, 1, 2, 1, 2], np.ones(6))
    for seed in range(5):
        parts = split_users(ratings, 2, seed=seed)
        assert set(ratings.user_ids.decode(parts.scored.users).tolist()) == {3, 4}
    with pytest.raises(DataError, match=r"cannot hold out 3 users: of 4, 2 have two ratings"):
        split_users(ratings, 3)
    everyone = ratings.take(ratings.users >= 2)
    with pytest.raises(DataError, match="someone must be left"):
        split_users(everyone, 2)
    with pytest.raises(UsageError, match=r"given = 1\.5"):
        split_users(ratings, 1, given=1.5)


def test_people_to_validate_by() -> None:
    ratings = table()
    parts = split_parts(ratings, "people", 0.2, 0.1, seed=3, given=0.6)
    check_parts(ratings, *parts.named().values())
    people = {name: set(part.users.tolist()) for name, part in parts.named().items()}
    assert [len(people[name]) for name in ("train", "valid", "test")] == [42, 6, 12]
    assert people["valid"] == people["valid_given"]
    assert people["test"] == people["given"]
    assert not people["train"] & (people["valid"] | people["test"])
    assert not people["valid"] & people["test"]
    # The test part is the one of the split without validation: scores can be compared.
    assert rows(parts.test) == rows(split_parts(ratings, "people", 0.2, seed=3, given=0.6).test)
    with pytest.raises(UsageError, match="split_parts has that part too"):
        split(ratings, by="people")


def test_parts_do_not_change() -> None:
    """The parts of version 0.1.0, by the seed: a split that a paper names stays what it is."""
    by_name = {
        by: fingerprint(split(table(), 0.2, seed=7, by=by)[1])
        for by in ("random", "user", "last", "time")
    }
    by_name["people"] = fingerprint(split_users(table(), 0.2, seed=7).scored)
    assert by_name == FROZEN


def test_kfold() -> None:
    ratings = table(n=902)
    folds = list(kfold(ratings, 5, seed=2))
    assert sorted(len(test) for _, test in folds) == [180, 180, 180, 181, 181]
    check_parts(ratings, *(test for _, test in folds))
    for train, test in folds:
        check_parts(ratings, train, test)
    again = list(kfold(ratings, 5, seed=2))
    assert all(rows(a[1]) == rows(b[1]) for a, b in zip(folds, again, strict=True))
    with pytest.raises(UsageError, match="2 folds or more"):
        kfold(ratings, 1)
    with pytest.raises(DataError, match="too few for 903 folds"):
        kfold(ratings, 903)


def test_refusals() -> None:
    ratings = table()
    with pytest.raises(UsageError, match="no split by 'randm'; did you mean 'random'"):
        split(ratings, by="randm")  # type: ignore[arg-type]
    for holdout in (0, -0.1, 1.5, float("nan"), float("inf")):
        for by in ("random", "user"):
            with pytest.raises(UsageError, match=r"holdout = .*share between 0 and 1"):
                split(ratings, holdout, by=by)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="leave none to train on"):
        split(ratings, 900)
    with pytest.raises(UsageError, match=r"holdout = '0\.2': give a number"):
        split(ratings, "0.2")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"and valid = 0\.5 of 900 ratings leave none"):
        split_three(ratings, 0.5, 0.5)
    with pytest.raises(UsageError, match="at works with by='time'"):
        split(ratings, at=5)
    with pytest.raises(DataError, match="leaves the train part empty"):
        split(ratings, by="time", at=0)
    timeless = Ratings.from_arrays([1, 1, 2], [1, 2, 1], [1, 2, 3])
    for by in ("last", "time"):
        with pytest.raises(DataError, match="has no times to split by: map their column"):
            split(timeless, by=by)  # type: ignore[arg-type]
    same = Ratings.from_arrays([1, 1, 2], [1, 2, 1], [1, 2, 3], [5, 5, 5])
    with pytest.raises(DataError, match="every rating has the same time"):
        split(same, 1, by="time")


@pytest.mark.parametrize("seed", [-1, "a", 1.5])
def test_a_seed_that_is_none(seed: Any) -> None:
    for divide in (split, split_three, split_users, kfold):
        with pytest.raises(UsageError, match="seed must be a whole number of at least 0, not"):
            divide(table(), seed=seed)


def test_a_part_counts_the_people_and_items_in_it() -> None:
    parts = split_parts(table(), by="people", holdout=0.2, seed=0)
    for part in (parts.train, parts.test):
        users, items = (len(np.unique(side)) for side in (part.users, part.items))
        assert part.sides == (users, items)
        assert f"ratings by {users:,} users of {items:,} items" in repr(part)
    assert parts.train.sides[0] + parts.test.sides[0] == parts.train.n_users


def test_an_empty_part_is_refused_with_what_to_do() -> None:
    once = Ratings.from_arrays([1, 2, 3], [1, 2, 3], [1, 2, 3])
    with pytest.raises(DataError, match="test part empty; choose another size"):
        split(once, 0.3, by="user")


def test_the_advice_on_an_empty_part_helps() -> None:
    pairs = Ratings.from_arrays([1, 1, 2, 2], [1, 2, 1, 2], [1, 2, 3, 4])
    for by in ("user", "item"):
        with pytest.raises(DataError, match="1 is one rating in all; by 'user'"):
            split(pairs, 0.2, by=by)  # type: ignore[arg-type]
        assert len(split(pairs, 1, by=by)[1]) == 2  # type: ignore[arg-type]
