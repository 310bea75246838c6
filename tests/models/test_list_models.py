from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from battery import Battery, Case

from matinee.data import Ratings
from matinee.models import model
from matinee.models.kinds.lists import ListModel
from matinee.testing import fitted, sample

CASES = [
    Case("lists", partial(ListModel, "lists"), learns=False, bound=0.954),
    Case("ease", partial(ListModel, "ease", penalty=5.0), learns=False, bound=0.954),
    Case(
        "by users",
        partial(ListModel, "ease", penalty=5.0, solve="users"),
        learns=False,
        bound=0.954,
    ),
    Case("ials", partial(ListModel, "ials", factors=8, sweeps=4), learns=False, bound=0.954),
    Case("item-knn", partial(ListModel, "item-knn"), learns=False, bound=0.954),
]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestListModel(Battery):
    """Lists by a linear autoencoder; predictions are the bias model's."""

    def test_predictions_are_the_bias_models(self, case: Case) -> None:
        made = fitted(case)
        items = sample().item_ids.ids
        history = {"new": {"item-01": 5.0, "item-07": 0.5}}
        found = made.predict("new", items, histories=history)
        people = made._people(history, "error")
        rows = np.zeros(len(items), dtype=np.int64)
        bias = made.bias.predict(people.histories, rows, made.item_ids.encode(items))
        assert np.allclose(found, np.clip(bias, 0.5, 5.0), atol=1e-6)


def communities() -> Ratings:
    """Two groups of people, who choose among two halves of the items; ratings tell nothing."""
    rng = np.random.default_rng(3)
    users, items = np.nonzero(rng.random((80, 30)) < 0.25)
    own = (users % 2 == items % 2) | (rng.random(len(users)) < 0.05)
    users, items = users[own], items[own]
    return Ratings.from_arrays(users, items, rng.integers(1, 6, len(users)).astype(float))


@pytest.mark.parametrize("preset", ["lists", "ease", "ials", "item-knn", "biased-mf"])
def test_lists_follow_what_people_choose(preset: str) -> None:
    settings = {"penalty": 5.0} if preset == "ease" else {}
    made = model(preset, **settings).fit(communities())
    table = made.recommend(list_histories(), k=5, love=0.0)
    for user in (0, 1):
        chosen = table["item_id"][table["user_id"] == user]
        assert (chosen % 2 == user).all()


def list_histories() -> list[dict[int, float]]:
    return [{0: 3.0, 2: 3.0, 4: 3.0}, {1: 3.0, 3: 3.0, 5: 3.0}]


def test_love_is_large_where_choices_tell_nothing_and_small_where_they_tell_much() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((200, 40)) < 0.3)
    ratings = 3.0 + 2.0 * (1 - 2 * ((users + items) % 2))
    random = model("biased-mf").fit(Ratings.from_arrays(users, items, ratings))
    assert random.love > 4.0
    assert model("biased-mf").fit(communities()).love < 2.0
