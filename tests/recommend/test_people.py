from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from matinee.data import Ratings, Scale, Vocabulary
from matinee.errors import DataError, UnknownIdError, UsageError
from matinee.recommend import code_people

ITEMS = Vocabulary(np.array(["a", "b", "c", "d"], dtype=object))
SCALE = Scale(1, 5)


def coded(histories: Any, unknown: Any = "error") -> dict[Any, dict[str, float]]:
    """Histories there and back."""
    people = code_people(histories, ITEMS, SCALE, unknown)
    by_name = {}
    for row, name in enumerate(people.ids.tolist()):
        part = slice(*people.histories.indptr[row : row + 2])
        items = people.histories.items[part]
        assert (np.diff(items) > 0).all()
        by_name[name] = dict(
            zip(ITEMS.decode(items), people.histories.values[part].tolist(), strict=True)
        )
    assert (people.histories.users == -1).all()
    return by_name


history = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 5).map(float))


@given(st.dictionaries(st.integers(-5, 5), history))
def test_a_mapping_comes_back(given_: dict[int, dict[str, float]]) -> None:
    assert coded(given_) == given_
    assert list(coded(given_)) == list(given_)


@given(st.lists(history))
def test_a_sequence_is_numbered(given_: list[dict[str, float]]) -> None:
    assert coded(given_) == dict(enumerate(given_))


def test_pairs_and_repeats_the_last_wins() -> None:
    assert coded([[("b", 1), ("a", 2), ("b", 5)]]) == {0: {"b": 5, "a": 2}}


def test_an_array_of_pairs_is_a_history() -> None:
    assert coded({1: np.array([["b", 1], ["a", 2]], dtype=object)}) == {1: {"b": 1, "a": 2}}


def test_whole_numbers_stay_numbers_and_booleans_are_texts() -> None:
    assert list(coded({1.0: {"a": 1}, np.int8(2): {"a": 1}})) == [1, 2]
    assert list(coded({True: {"a": 1}})) == ["True"]


def test_two_histories_of_one_id_are_refused() -> None:
    with pytest.raises(UsageError, match="two histories of user 1:"):
        coded({1: {"a": 1}, "1": {"b": 2}})


def test_a_whole_number_beyond_float64_is_a_text() -> None:
    assert list(coded({10**400: {"a": 1}})) == [str(10**400)]


def test_a_table_comes_back() -> None:
    table = Ratings.from_arrays(["u", "v", "u"], ["d", "a", "b"], [1, 2, 3])
    assert coded(table) == {"u": {"d": 1, "b": 3}, "v": {"a": 2}}
    assert coded(table.take(np.array([0, 2]))) == {"u": {"d": 1, "b": 3}}


def test_a_table_of_numbers_for_text_items() -> None:
    """Coded in another order by the model: the entries must be sorted anew."""
    items = Vocabulary(np.array(["10", "9"], dtype=object))
    people = code_people(Ratings.from_arrays([1, 1], [9, 10], [3, 4]), items, SCALE)
    assert people.histories.items.tolist() == [0, 1]
    assert people.histories.values.tolist() == [4, 3]


@pytest.mark.parametrize(
    "given_",
    [
        {"u": {"a": 1, "x": 2, "y": 3}, "v": {"x": 4}},
        Ratings.from_arrays(["u", "u", "u", "v"], ["a", "x", "y", "x"], [1, 2, 3, 4]),
    ],
)
def test_unknown_items_are_named_once_or_dropped(given_: Any) -> None:
    with pytest.raises(UnknownIdError, match=r"unknown items: x, y\. "):
        coded(given_)
    assert coded(given_, "skip") == {"u": {"a": 1}, "v": {}}


def test_many_unknown_items_are_counted() -> None:
    with pytest.raises(UnknownIdError, match=r"x0, x1, x2, x3, x4 and 7 more\."):
        coded([{f"x{i}": 1 for i in range(12)}])


@pytest.mark.parametrize("value", [0, 6, float("nan"), float("inf")])
def test_ratings_off_the_scale_are_refused(value: float) -> None:
    with pytest.raises(DataError, match=f"rating {value:g} of item b is outside the scale"):
        coded([{"a": 1, "b": value}])
    table = Ratings.from_arrays(["u", "u"], ["a", "b"], [1, value], scale=SCALE)
    with pytest.raises(DataError, match="of item b is outside"):
        coded(table)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"a": 5}, "a list of one history"),
        ("abc", "must be"),
        (["u1", "u2"], r"ids of known users as users=\[...\]"),
        (5, "must be"),
        ([{"a": "good"}], "not a number"),
        ({1: pd.DataFrame({"item": ["a"], "rating": [5]})}, "is a data frame: pass dict"),
        ({1: [{"item": "a", "rating": 5}]}, "must be"),
        ({1: {"a": [5, 4]}}, "not a number"),
        ([(1, "a", 5), (1, "b", 3)], "could be rows"),
        ({"user": [1, 1], "item": ["a", "b"]}, "looks like columns"),
    ],
)
def test_what_is_no_history_is_refused(given_: Any, words: str) -> None:
    with pytest.raises((UsageError, DataError), match=words):
        coded(given_)


def test_people_are_picked_by_id() -> None:
    people = code_people({7: {"a": 1}, 3: {"b": 2}, 9: {}}, ITEMS, SCALE)
    assert people.pick([9, 7, 7]).ids.tolist() == [9, 7, 7]
    assert people.pick(["3"]).histories.items.tolist() == [1]
    with pytest.raises(UnknownIdError, match=r"unknown user: 8\. The histories passed are without"):
        people.pick([3, 8])
    assert people.pick([8, 3], "skip").ids.tolist() == [3]
    assert people.rows(np.array([3, 8, 7])).tolist() == [1, -1, 0]


def test_histories_in_a_sequence_are_found_by_position() -> None:
    people = code_people([{"a": 1}, {"b": 2}], ITEMS, SCALE)
    assert people.rows(np.array([1, 0])).tolist() == [1, 0]
    with pytest.raises(UsageError, match="user 2: histories in a sequence"):
        people.rows(np.array([0, 2]))
