"""Splits by windows of time hold what they say, and nothing of the other window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matinee.data import ItemTable, Ratings, audit, load, window_split
from matinee.errors import DataError, UsageError

DAY = 86_400


def made(rows: list[tuple[int, int, int]], values: list[float] | None = None) -> Ratings:
    """Ratings of (user, item, day since 1970)."""
    users, items, days = (np.array(column) for column in zip(*rows, strict=True))
    return Ratings.from_arrays(
        users, items, values or np.arange(1.0, len(rows) + 1), days * DAY, name="made"
    )


def rows_of(ratings: Ratings) -> set[tuple[int, int, int]]:
    assert ratings.times is not None
    users, items = ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)
    days = ratings.times // DAY
    return set(zip(users.tolist(), items.tolist(), days.tolist(), strict=True))


def test_users_and_items_unseen_in_training_are_dropped_and_counted() -> None:
    trained = [(1, 10, 0), (1, 20, 9), (2, 10, 5)]
    kept = [(2, 20, 10), (1, 10, 19), (3, 30, 20)]
    dropped = [(9, 10, 10), (9, 99, 11), (1, 99, 12)]
    outside = [(1, 30, 25), (4, 20, -1)]
    ratings = made([*trained, *kept[:2], *dropped, *outside])
    train, valid, test = window_split(
        ratings, ("1970-01-01", 10 * DAY), ("1970-01-11", "1970-01-21")
    )
    assert rows_of(train) == set(trained)
    assert rows_of(valid) | rows_of(test) == set(kept[:2])
    assert len(valid) == len(test) == 1
    for part in (train, valid, test):
        assert part.user_ids.ids.tolist() == [1, 2]
        assert part.item_ids.ids.tolist() == [10, 20]
    assert train.notes == valid.notes == ()
    assert test.notes == (
        "3 ratings of the test window left out: 2 of users and 1 of items without a rating in the "
        "training window",
    )


def test_values_titles_and_notes_go_along() -> None:
    whole = made([(1, 10, 0), (2, 20, 0), (1, 20, 1), (2, 10, 1), (3, 30, 2)])
    titled = Ratings(
        **{
            **{name: getattr(whole, name) for name in whole.__dataclass_fields__},
            "item_table": ItemTable(np.array(["ten", "twenty", "thirty"], dtype=object)),
            "notes": ("read so",),
        }
    )
    train, valid, test = window_split(titled, (None, DAY), (DAY, None))
    assert train.notes == ("read so",)
    assert train.item_table is not None
    assert train.item_table.titles.tolist() == ["ten", "twenty"]
    assert sorted([*valid.values, *test.values]) == [3, 4]
    assert len(titled) == 5, "what was given is left as it was"


ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 30)),
    min_size=8,
    max_size=40,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, cut=st.integers(5, 25), share=st.floats(0.1, 0.9), seed=st.integers(0, 9))
def test_every_row_is_where_it_belongs(
    rows: list[tuple[int, int, int]], cut: int, share: float, seed: int
) -> None:
    ratings = made(rows)
    ratings = replace(ratings, weights=ratings.values)
    before = {row for row in rows if row[2] < cut}
    users, items = {row[0] for row in before}, {row[1] for row in before}
    later = {row for row in rows if row[2] >= cut and row[0] in users and row[1] in items}
    wanted = round(share * len(later))
    windows = ((None, cut * DAY), (cut * DAY, 31 * DAY))
    if not before or not 0 < wanted < len(later):
        with pytest.raises(DataError, match=r"these windows leave the .* part empty"):
            window_split(ratings, *windows, seed, valid=share)
        return
    train, valid, test = window_split(ratings, *windows, seed, valid=share)
    again = window_split(ratings, *windows, seed, valid=share)
    assert rows_of(train) == before
    assert rows_of(valid) | rows_of(test) == later
    assert not rows_of(valid) & rows_of(test)
    assert len(valid) == wanted
    assert rows_of(again[1]) == rows_of(valid)
    value = dict(zip(rows, np.arange(1.0, len(rows) + 1), strict=True))
    for part in (train, valid, test):
        decoded = zip(
            part.user_ids.decode(part.users), part.item_ids.decode(part.items), part.times // DAY,
            strict=True,
        )  # fmt: skip
        assert part.values.tolist() == [value[tuple(map(int, row))] for row in decoded]
        assert part.weights is not None
        assert part.weights.tolist() == part.values.tolist()


def test_the_seed_divides_the_test_window() -> None:
    ratings = made([(user, item, (user + item) % 2) for user in range(20) for item in range(9)])
    one = window_split(ratings, (0, DAY), (DAY, None), seed=1)
    two = window_split(ratings, (0, DAY), (DAY, None), seed=2)
    assert rows_of(one[0]) == rows_of(two[0])
    assert rows_of(one[1]) != rows_of(two[1])
    assert rows_of(one[1]) | rows_of(one[2]) == rows_of(two[1]) | rows_of(two[2])


def test_windows_that_are_none() -> None:
    ratings = made([(1, 10, 0), (2, 20, 1)])
    with pytest.raises(UsageError, match="the two windows overlap"):
        window_split(ratings, (0, 10), (9, 20))
    with pytest.raises(UsageError, match="a window from 2001-01-01 to 2001-01-01 holds nothing"):
        window_split(ratings, ("2001-01-01", "2001-01-01"), (9, 20))
    with pytest.raises(UsageError, match="'soon' is not a time"):
        window_split(ratings, (0, "soon"), (9, 20))
    with pytest.raises(UsageError, match="valid = 1: give a share"):
        window_split(ratings, (0, 10), (10, 20), valid=1)
    untimed = Ratings.from_arrays([1, 2], [10, 20], [1, 2])
    with pytest.raises(DataError, match="has no times"):
        window_split(untimed, (0, 10), (10, 20))
    with pytest.raises(DataError, match="leave the train part empty"):
        window_split(ratings, ("1960-01-01", "1961-01-01"), (0, None))


def test_ml_1m_by_windows(real_data: Callable[[str], Path]) -> None:
    ratings = load(real_data("ml-1m"))
    train, valid, test = window_split(
        ratings, (None, "2000-11-01"), ("2000-11-01", "2000-12-01"), seed=0
    )
    assert ratings.times is not None
    november = (ratings.times >= 973_036_800) & (ratings.times < 975_628_800)
    left_out = int(test.notes[0].split()[0].replace(",", ""))
    assert len(valid) + len(test) + left_out == november.sum()
    assert len(train) == (ratings.times < 973_036_800).sum()
    checked = audit(train, test)
    assert not checked.contaminated
    assert (checked.unseen_users, checked.unseen_items, checked.older_than_any) == (0, 0, 0)


def test_a_window_holds_its_beginning_and_not_its_end() -> None:
    rows = [(1, 10, 0), (2, 20, 0), (1, 20, 9), (2, 10, 10), (1, 30, 19), (2, 30, 20), (3, 10, 5)]
    rows += [(3, 20, 6), (3, 30, 7)]
    train, valid, test = window_split(made(rows), (0, 10 * DAY), (10 * DAY, 20 * DAY))
    assert {day for _, _, day in rows_of(train)} == {0, 5, 6, 7, 9}
    held = rows_of(valid) | rows_of(test)
    assert {day for _, _, day in held} == {10, 19}
