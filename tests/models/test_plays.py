"""Interactions with plays or counts, and training by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.data import Scale, load

pytestmark = pytest.mark.usefixtures("one_thread")


def scores(model: Any) -> np.ndarray:
    return np.asarray(model.interest.scores(model.histories))


def test_plays_weigh_where_their_column_is_stated() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((40, 20)) < 0.4)
    plays = rng.integers(1, 50, len(users))
    table = {"user": users, "item": items, "plays": plays}
    found, stated = load(table), load(table, weight="plays")
    assert found.weights is None
    assert any("(--weight plays to train by it)" in note for note in found.notes)
    assert stated.implicit
    assert np.array_equal(stated.weights, stated.values)
    model = matinee.model("ials", factors=4).fit(stated)
    plain = matinee.model("ials", factors=4).fit(load({"user": users, "item": items}))
    assert np.abs(scores(model) - scores(plain)).max() > 1e-2
    once = matinee.model("ials", factors=4).fit(found)
    assert np.array_equal(scores(once), scores(plain))


def test_counts_are_no_ratings() -> None:
    """The tilt by rating of the closed form does not read them."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((40, 20)) < 0.4)
    plays = rng.integers(1, 50, len(users))
    table = {"user": users, "item": items, "plays": plays}
    for counted in (load(table, weight="plays"), load(table)):
        same = replace(counted, values=np.ones_like(counted.values))
        tilted, plain = (matinee.model("ease", tilt=0.5).fit(each) for each in (counted, same))
        assert np.array_equal(scores(tilted), scores(plain))


def test_histories_have_any_count() -> None:
    """Each item of a history is a choice, whatever its count."""
    table = {"user": [1, 1, 2, 2, 3], "item": [1, 2, 1, 3, 2], "plays": [5, 2, 9, 1, 3]}
    model = matinee.model("ease").fit(load(table))
    assert model.scale_of_histories == Scale(1, 1)
    lists = [list(model.recommend({"x": each}, k=3).rows()) for each in ({1: 500}, [1])]
    assert lists[0] == lists[1]
