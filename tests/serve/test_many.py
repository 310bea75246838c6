"""Many people in one request, and several allowed genres."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from starlette.testclient import TestClient

from matinee.models import Recommender
from matinee.serve._engine import Engine
from matinee.serve._holder import Holder

RATED = [{"item": "1", "rating": 5}]


def ids(answer: dict[str, Any]) -> list[str]:
    return [entry["item"] for entry in answer["recommendations"]]


def test_each_person_gets_what_they_would_alone(client: TestClient, model: Recommender) -> None:
    user = str(model.user_ids.ids[4])
    people = [{"ratings": RATED, "k": 5}, {"user": user, "k": 7}, {"ratings": RATED, "user": "new"}]
    answer = client.post("/v1/recommend/batch", json={"people": people}).json()["people"]
    alone = client.post("/v1/recommend", json=people[0]).json()
    assert ids(answer[0]) == ids(alone)
    known = client.get(f"/v1/users/{user}/recommendations?k=7").json()
    assert (ids(answer[1]), answer[1]["user"]) == (ids(known), user)
    assert len(ids(answer[2])) == 10
    assert answer[0]["recommendations"][0]["why"] is None
    assert len({each["list"] for each in answer}) == 3


@pytest.mark.parametrize(
    ("people", "status", "pointer"),
    [
        ([{"ratings": RATED}, {"k": 5}], 422, "/people/1"),
        ([{"ratings": RATED}, {"ratings": [{"item": "1", "rating": 99}]}], 422, "/people/1"),
        ([{"ratings": RATED, "genres": ["No such"]}], 422, "/people/0/genres/0"),
        ([{"user": "1", "only": ["2"]}], 422, "/people/0"),
        ([], 422, "/people"),
        ([{"ratings": RATED}] * 101, 422, "/people"),
    ],
)
def test_all_or_none(
    client: TestClient, people: list[dict[str, Any]], status: int, pointer: str
) -> None:
    answer = client.post("/v1/recommend/batch", json={"people": people})
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)


def test_titles_to_look_up_are_bounded_over_all_people(client: TestClient) -> None:
    titles = [{"title": f"no such title {at}", "rating": 5} for at in range(60)]
    people = [{"ratings": [*RATED, *titles]}] * 2
    answer = client.post("/v1/recommend/batch", json={"people": people})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/people/1"
    assert "more than 100 titles" in answer.json()["detail"]


def test_an_unknown_person_is_named(client: TestClient) -> None:
    people = [{"ratings": RATED}, {"user": "nobody-here"}]
    answer = client.post("/v1/recommend/batch", json={"people": people})
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("people[1]: ")


def test_several_allowed_genres(client: TestClient, model: Recommender) -> None:
    names = [each["name"] for each in client.get("/v1/model").json()["genres"]][:3]
    body = {"ratings": RATED, "k": 50, "genres": names[:2], "exclude_genres": [names[2]]}
    answer = client.post("/v1/recommend", json=body).json()["recommendations"]
    assert answer
    assert all(set(each["genres"]) & set(names[:2]) for each in answer)
    assert not any(names[2] in each["genres"] for each in answer)
    user = str(model.user_ids.ids[4])
    query = {"k": 50, "genres": names[:1]}
    known = client.get(f"/v1/users/{user}/recommendations", params=query).json()
    assert all(names[0] in each["genres"] for each in known["recommendations"])


def test_a_reload_midway_does_not_change_the_model(
    serve_with: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    holders: list[Holder] = []
    start, recommend = Holder.__init__, Engine.recommend

    def started(holder: Holder, *given: Any) -> None:
        start(holder, *given)
        holders.append(holder)

    def reloaded_first(engine: Engine, request: Any) -> Any:
        later = copy(engine)
        later.name = "later"
        holders[0].engine = later
        return recommend(engine, request)

    monkeypatch.setattr(Holder, "__init__", started)
    monkeypatch.setattr(Engine, "recommend", reloaded_first)
    client = serve_with()
    before = client.get("/v1/model").json()["model"]
    body = {"people": [{"ratings": [{"item": "1", "rating": 5}]}] * 2}
    answer = client.post("/v1/recommend/batch", json=body).json()
    assert [each["model"] for each in answer["people"]] == [before] * 2
    assert client.get("/readyz").json()["model"] == "later"
