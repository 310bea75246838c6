from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from matinee.cli.ids import read_ratings
from matinee.data import Scale, Vocabulary, load
from matinee.errors import DataError, UsageError
from matinee.recommend import TitleIndex, code_people, implied_rating

ITEMS = Vocabulary.of(np.array(["a", "b", "c"], dtype=object))[0]
STARS, CLICKS = Scale(1.0, 5.0), Scale(1.0, 1.0)


def test_an_item_without_a_rating_counts_as_liked() -> None:
    assert implied_rating(STARS) == implied_rating(STARS, True) == 4.0
    assert implied_rating(STARS, False) == 1.0
    people = code_people({"ann": ["a", ("b", 2.0)], "bob": {"c": 5.0}}, ITEMS, STARS)
    assert people.histories.values.tolist() == [4.0, 2.0, 5.0]
    assert code_people([[["a", 5], ["b", 1]]], ITEMS, STARS).histories.values.tolist() == [5.0, 1.0]


@pytest.mark.parametrize("liked", [True, False, np.True_])
def test_a_boolean_is_no_rating_of_stars(liked: bool) -> None:
    """Who likes a film would have rated it 1 of 5."""
    with pytest.raises(DataError, match=f"rating {liked} of item b: give a number from 1 to 5"):
        code_people({"ann": {"a": 5.0, "b": liked}}, ITEMS, STARS)
    thumbs = code_people({"ann": {"a": True, "b": False}}, ITEMS, Scale(0.0, 1.0))
    assert thumbs.histories.values.tolist() == [1.0, 0.0]
    assert code_people({"ann": {"b": liked}}, ITEMS, CLICKS).histories.values.tolist() == [1.0]


def test_an_interaction_is_one_whatever_its_value() -> None:
    people = code_people([{"a": 5.0, "b": -3.0}], ITEMS, CLICKS)
    assert people.histories.values.tolist() == [1.0, 1.0]


def test_a_table_of_interactions_counts_as_liked() -> None:
    """Neither its ones nor its counts are ratings."""
    clicks = load({"user": ["ann", "bob"], "item": ["a", "b"], "plays": [2, 70]})
    assert code_people(clicks, ITEMS, STARS).histories.values.tolist() == [4.0, 4.0]


def test_what_is_no_history_is_refused() -> None:
    for wrong in ([[("a", 1.0, 2.0)]], [7], {"ann": "a"}):
        with pytest.raises(UsageError, match="or a list of item ids"):
            code_people(wrong, ITEMS, STARS)
    with pytest.raises(UsageError, match=r"could be rows, \(item, rating\) pairs of one"):
        code_people([("a", 5), ("b", 1)], ITEMS, STARS)
    with pytest.raises(UsageError, match=r"its \.to_dict\(\) where they are ratings"):
        code_people({"ann": pd.Series({"a": 5})}, ITEMS, STARS)
    assert code_people({2**70: {"a": 1}}, ITEMS, STARS).ids.tolist() == [str(2**70)]


def test_two_items_or_pairs_in_a_tuple_are_a_history() -> None:
    pairs = code_people({"ann": (("a", 5.0), ("b", 1.0))}, ITEMS, STARS)
    assert pairs.histories.values.tolist() == [5.0, 1.0]
    for items in ({"ann": ("a", "b")}, [("a", "b")], [pd.Series(["a", "b"])]):
        assert code_people(items, ITEMS, STARS).histories.items.tolist() == [0, 1]


def test_the_command_line_takes_titles_without_a_rating() -> None:
    titles = TitleIndex(ITEMS, None)
    assert read_ratings(["a", "b=2"], titles, STARS)[0] == {"a": 4.0, "b": 2.0}
    assert read_ratings(["a", "b=5"], titles, CLICKS)[0] == {"a": 1.0, "b": 1.0}


def test_people_without_ids_go_by_their_places() -> None:
    people = code_people([{"a": 5.0}, {"b": 3.0}], ITEMS, STARS)
    assert people.rows(np.array([1, 0])).tolist() == [1, 0]
    with pytest.raises(UsageError, match="user 2: histories in a sequence are those of users 0 to"):
        people.rows(np.array([1, 2]))
    named = code_people({1.0: {"a": 5.0}, "x ": {"b": 3.0}}, ITEMS, STARS)
    assert named.ids.tolist() == ["1", "x"]
    assert named.rows(np.array([2, 1], dtype=object)).tolist() == [-1, 0]
    with pytest.raises(UsageError, match="unknown = 'drop': must be 'error' or 'skip'"):
        named.pick([1], "drop")  # type: ignore[arg-type]
