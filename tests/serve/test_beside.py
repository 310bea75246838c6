"""Two models at once, each for its share of the people."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from matinee.errors import UsageError
from matinee.models import ItemMean, Recommender, identity
from matinee.serve import ServeSettings, create_app
from matinee.serve._holder import Served, drawn
from matinee.serve._metrics import Metrics
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


def doubled(path: Path) -> Path:
    """A model of a scale of 2 to 10."""
    ratings = synthesize(30, 20, 200, seed=2).ratings
    users, items = ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)
    table = {"user": users, "item": items, "rating": np.round(ratings.values * 2)}
    return ItemMean().fit(table).save(path)


def test_scales_must_agree(folder: Path, tmp_path: Path) -> None:
    other = doubled(tmp_path / "other")
    with pytest.raises(UsageError, match="one scale"):
        create_app(ServeSettings(model=folder, beside=other))


@pytest.mark.parametrize("replaced", [0, 1])
def test_a_new_model_of_another_scale_is_not_served_beside_the_old(
    folder: Path, second: Path, tmp_path: Path, replaced: int, caplog: pytest.LogCaptureFixture
) -> None:
    folders = [
        Path(shutil.copytree(each, tmp_path / str(at))) for at, each in enumerate((folder, second))
    ]
    served = Served(ServeSettings(model=folders[0], beside=folders[1]), Metrics(("/",)))
    assert served.beside is not None
    before = served.engine.name, served.beside.name
    doubled(folders[replaced])
    asyncio.run(served.reload())
    assert (served.engine.name, served.beside.name) == before
    assert "serve models of one scale" in caplog.text


def test_feedback_on_a_former_scale_is_warned_of(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Five stars of five would silently be five of ten."""
    here = Path(shutil.copytree(folder, tmp_path / "model"))
    store = SecretStr(f"sqlite:{tmp_path / 'feedback.db'}")
    served = Served(ServeSettings(model=here, feedback=store), Metrics(("/",)))
    asyncio.run(served.reload())
    assert "scale" not in caplog.text
    doubled(here)
    asyncio.run(served.reload())
    assert served.engine.scale.high == 10
    assert "rates from 2 to 10, and the one before from 1 to 5" in caplog.text
