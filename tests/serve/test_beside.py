"""Two models at once, each for its share of the people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from matinee.errors import UsageError
from matinee.models import ItemMean, Recommender, identity
from matinee.serve import ServeSettings, create_app
from matinee.serve._holder import drawn
from matinee.synth import synthesize

Serve = Callable[..., TestClient]


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ratings = synthesize(300, 250, 5000, seed=2).ratings
    return ItemMean().fit(ratings).save(tmp_path_factory.mktemp("beside") / "second")


def test_people_are_drawn_by_a_hash() -> None:
    people = [str(at) for at in range(4000)]
    some = {user for user in people if drawn(user, 0.1, 0)}
    assert len(some) == pytest.approx(400, abs=60)
    # Whoever is in a share is in every larger one; another seed draws others.
    assert some <= {user for user in people if drawn(user, 0.3, 0)}
    other = {user for user in people if drawn(user, 0.1, 1)}
    assert len(some & other) == pytest.approx(40, abs=25)


def test_lists_are_of_the_model_that_a_person_belongs_to(
    serve_with: Serve, second: Path, folder: Path, model: Recommender
) -> None:
    client = serve_with(beside=second, share=0.4)
    names = identity(folder), identity(second)
    users = [str(user) for user in model.user_ids.ids[:12]]
    seen = set()
    for user in users:
        expected = names[drawn(user, 0.4, 0)]
        answer = client.get(f"/v1/users/{user}/recommendations?k=3").json()
        assert answer["model"] == expected
        assert answer["list"].startswith(f"{expected}.")
        body = {"ratings": [{"item": "1", "rating": 5}], "user": user}
        assert client.post("/v1/recommend", json=body).json()["model"] == expected
        seen.add(expected)
    assert seen == set(names)
    card = client.get("/v1/model").json()
    assert (card["model"], card["beside"]) == (names[0], {"model": names[1], "share": 0.4})
    # Without an id, and alone, the first model answers.
    body = {"ratings": [{"item": "1", "rating": 5}]}
    assert client.post("/v1/recommend", json=body).json()["model"] == names[0]


def test_scales_must_agree(folder: Path, tmp_path: Path) -> None:
    ratings = synthesize(30, 20, 200, seed=2).ratings
    users, items = ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)
    table = {"user": users, "item": items, "rating": np.round(ratings.values * 2)}
    other = ItemMean().fit(table).save(tmp_path / "other")
    with pytest.raises(UsageError, match="one scale"):
        create_app(ServeSettings(model=folder, beside=other))
