"""Feedback over HTTP: kept, used in the next list, shown, erased."""

from __future__ import annotations

import concurrent.futures
import json
import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from matinee.data import Histories, Scale, Vocabulary
from matinee.errors import FeedbackError, UsageError
from matinee.feedback import make_event, open_store
from matinee.feedback._sqlite import SqliteStore
from matinee.models import Recommender
from matinee.serve import ServeSettings, create_app
from matinee.serve.feedback.history import Feedback, with_feedback
from matinee.serve.web import work_queue

Serve = Callable[..., TestClient]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'feedback.db'}"


@pytest.fixture
def keeping(serve_with: Serve, url: str) -> TestClient:
    return serve_with(feedback=url)


def send(client: TestClient, *events: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/feedback", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def listed(client: TestClient, user: str, **more: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/users/{user}/recommendations", params={"k": 20, **more})
    assert answer.status_code == 200, answer.text
    body: list[dict[str, Any]] = answer.json()["recommendations"]
    return body


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["item"] for entry in entries]


def test_off_unless_asked_for(client: TestClient) -> None:
    event = {"user": "1", "kind": "click", "item": "1"}
    assert client.post("/v1/feedback", json={"events": [event]}).status_code == 404
    assert client.get("/v1/users/1").status_code == 404
    assert client.delete("/v1/users/1").status_code == 404
    assert "/v1/feedback" not in client.get("/openapi.json").json()["paths"]


def count(url: str) -> int:
    with closing(open_store(url)) as store:
        return store.count()


def test_kept_once_by_key(keeping: TestClient, url: str) -> None:
    event = {"user": 5, "kind": "rating", "item": "7", "rating": 4, "key": "k"}
    assert send(keeping, event) == {"stored": 1, "duplicates": 0}
    assert send(keeping, event, {**event, "key": "other"}) == {"stored": 1, "duplicates": 1}
    with closing(open_store(url)) as store:
        events = list(store.events())
    assert [(e.key, e.user, e.item, e.value) for e in events] == [
        ("k", "5", "7", 4.0),
        ("other", "5", "7", 4.0),
    ]
    text = keeping.get("/metrics").text
    assert 'matinee_feedback_total{result="stored"} 2' in text
    assert 'matinee_feedback_total{result="duplicate"} 1' in text


def test_the_next_list_uses_it(keeping: TestClient, model: Recommender) -> None:
    user = str(model.user_ids.ids[3])
    before = listed(keeping, user)
    rated, refused = ids(before)[:2]
    send(keeping, {"user": user, "kind": "rating", "item": rated, "rating": 1})
    send(keeping, {"user": user, "kind": "not_interested", "item": refused})
    after = listed(keeping, user)
    assert not {rated, refused} & set(ids(after))
    assert model.histories is not None
    row = model.histories.take([3])
    history = dict(zip(model.item_ids.decode(row.items).tolist(), row.values, strict=True))
    history[model.item_ids.decode(model.item_ids.encode([rated]))[0]] = 1.0
    expected = model.recommend([history], k=21, exclude=[])
    kept = [str(item) for item in expected["item_id"] if str(item) != refused]
    # In a server few ratings count against an item where lists are by rating; not in the library.
    assert ids(listed(keeping, user, shrink=False)) == kept[:20]

    send(keeping, {"user": user, "kind": "like", "item": refused})
    assert refused not in ids(listed(keeping, user))  # now in their history
    assert listed(keeping, user) != after


def test_lists_of_known_people_wait_for_no_thread(
    keeping: TestClient, model: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that take a few milliseconds; other long requests may wait, as many as there may."""
    user = str(model.user_ids.ids[3])
    send(keeping, {"user": user, "kind": "rating", "item": "7", "rating": 1})
    monkeypatch.setattr(work_queue, "_WAITING", 0)
    assert len(listed(keeping, user, why=0)) == 20
    refused = keeping.get(f"/v1/users/{user}/recommendations", params={"k": 500, "why": 10})
    assert refused.status_code == 429
    monkeypatch.setattr(SqliteStore, "is_local", False)
    assert keeping.get(f"/v1/users/{user}/recommendations").status_code == 429


def test_a_person_first_seen_through_feedback(keeping: TestClient, model: Recommender) -> None:
    items = [str(item) for item in model.item_ids.ids[:3]]
    assert keeping.get("/v1/users/newcomer/recommendations").status_code == 404
    send(keeping, {"user": "newcomer", "kind": "like", "item": items[0]})
    same = keeping.post(
        "/v1/recommend", json={"ratings": [{"item": items[0], "liked": True}], "k": 20}
    ).json()
    assert ids(listed(keeping, "newcomer")) == ids(same["recommendations"])
    # Of one item the latest opinion holds.
    send(keeping, {"user": "newcomer", "kind": "dislike", "item": items[0]})
    same = keeping.post(
        "/v1/recommend", json={"ratings": [{"item": items[0], "liked": False}], "k": 20}
    ).json()
    assert ids(listed(keeping, "newcomer")) == ids(same["recommendations"])


def test_someone_who_only_refused(keeping: TestClient, model: Recommender) -> None:
    item = str(model.item_ids.ids[0])
    send(keeping, {"user": "picky", "kind": "not_interested", "item": item})
    items = listed(keeping, "picky")
    assert len(items) == 20
    assert item not in ids(items)
    assert items[0]["why"] is None


def test_what_the_model_does_not_know_is_kept(keeping: TestClient) -> None:
    assert send(keeping, {"user": "u", "kind": "like", "item": "no such item"})["stored"] == 1
    assert len(listed(keeping, "u")) == 20


def test_every_list_has_a_name(keeping: TestClient, client: TestClient) -> None:
    body = {"ratings": [{"item": "1", "rating": 5}]}
    one, two = (client.post("/v1/recommend", json=body).json() for _ in range(2))
    assert one["list"] != two["list"]
    assert one["list"].startswith(one["model"] + ".")
    event = {"user": "u", "kind": "shown", "list": one["list"], "items": ["1", 2]}
    clicked = {"user": "u", "kind": "click", "list": one["list"], "item": "2", "rank": 2}
    assert send(keeping, event, clicked)["stored"] == 2
    kept = keeping.get("/v1/users/u").json()["events"]
    assert (kept[0]["list"], kept[0]["items"], kept[1]["rank"]) == (one["list"], ["1", "2"], 2)


def test_export_and_erasure(keeping: TestClient, model: Recommender, url: str) -> None:
    user = str(model.user_ids.ids[3])
    assert model.histories is not None
    trained = int(model.histories.counts[3])
    answer = keeping.get(f"/v1/users/{user}").json()
    assert (answer["events"], len(answer["trained"]), answer["erased"]) == ([], trained, False)
    items = [str(item) for item in model.item_ids.ids[:5]]
    send(keeping, *({"user": user, "kind": "click", "item": item, "key": item} for item in items))
    first = keeping.get(f"/v1/users/{user}", params={"limit": 3}).json()
    rest = keeping.get(f"/v1/users/{user}", params={"limit": 3, "after": first["next"]}).json()
    assert [e["item"] for e in first["events"] + rest["events"]] == items
    assert (rest["next"], rest["trained"]) == (None, [])
    gone = keeping.delete(f"/v1/users/{user}").json()
    assert gone == {"user": user, "events": 5, "trained": trained}
    assert count(url) == 0
    # Neither feedback nor training ratings are used from now on.
    assert keeping.get(f"/v1/users/{user}/recommendations").status_code == 404
    assert keeping.get(f"/v1/users/{user}").json()["erased"] is True
    send(keeping, {"user": user, "kind": "like", "item": items[0]})
    send(keeping, {"user": "stranger", "kind": "like", "item": items[0]})
    assert ids(listed(keeping, user)) == ids(listed(keeping, "stranger"))
    assert keeping.get("/v1/users/nobody").status_code == 404


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        ({"user": "u", "kind": "rating", "item": "1", "rating": 9}, "/events/1/rating"),
        ({"user": "u", "kind": "rating", "item": "1"}, "/events/1/rating"),
        ({"user": "u", "kind": "liked", "item": "1"}, "/events/1/kind"),
        ({"user": "u", "kind": "like", "item": "1", "more": 1}, "/events/1/more"),
        ({"user": "", "kind": "like", "item": "1"}, "/events/1/user"),
        ({"user": "u\0", "kind": "like", "item": "1"}, "/events/1/user"),
        ({"kind": "like", "item": "1"}, "/events/1/user"),
    ],
)
def test_all_or_none(keeping: TestClient, url: str, event: dict[str, Any], pointer: str) -> None:
    good = {"user": "u", "kind": "like", "item": "1"}
    answer = keeping.post("/v1/feedback", json={"events": [good, event]})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert count(url) == 0


def test_bounds(keeping: TestClient) -> None:
    event = {"user": "u", "kind": "like", "item": "1"}
    for events in ([], [event] * 1001):
        assert keeping.post("/v1/feedback", json={"events": events}).status_code == 422


def test_the_methods_of_a_path_with_several(keeping: TestClient) -> None:
    assert keeping.put("/v1/users/u").headers["allow"] == "DELETE, GET, HEAD"


def test_the_key_is_asked_for(serve_with: Serve, url: str) -> None:
    client = serve_with(feedback=url, api_key="secret")
    event = {"events": [{"user": "u", "kind": "like", "item": "1"}]}
    assert client.post("/v1/feedback", json=event).status_code == 401
    assert client.get("/v1/users/u").status_code == 401
    assert client.delete("/v1/users/u").status_code == 401
    allowed = {"X-API-Key": "secret"}
    assert client.post("/v1/feedback", json=event, headers=allowed).status_code == 200


def test_a_store_that_fails(
    keeping: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from matinee.feedback import FeedbackStore

    def fail(*_: object) -> None:
        raise FeedbackError("the disk is full")

    monkeypatch.setattr(FeedbackStore, "add", fail)
    monkeypatch.setattr(FeedbackStore, "of_user", fail)
    event = {"user": "a-secret-name", "kind": "like", "item": "1"}
    with caplog.at_level(logging.DEBUG):
        answer = keeping.post("/v1/feedback", json={"events": [event]})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert keeping.get("/v1/users/a-secret-name/recommendations").status_code == 503
    assert "the disk is full" in caplog.text
    logged = [r.getMessage() for r in caplog.records if r.name.startswith("matinee")]
    assert not any("a-secret-name" in text for text in logged)


def test_a_store_that_cannot_be_opened(folder: Path, tmp_path: Path) -> None:
    settings = ServeSettings.make({"model": folder, "feedback": f"sqlite:{tmp_path / 'no' / 'f'}"})
    with pytest.raises(FeedbackError, match="No such file"):
        create_app(settings)
    assert "no/f" not in repr(settings)
    with pytest.raises(UsageError, match="feedback_days = inf"):
        ServeSettings.make({"model": folder, "feedback_days": np.inf})


@pytest.mark.parametrize(
    ("option", "needed"),
    [("feedback_days", "feedback"), ("share", "beside"), ("share_seed", "beside")],
)
def test_options_without_what_they_are_about(folder: Path, option: str, needed: str) -> None:
    with pytest.raises(UsageError, match=f"name it with {needed}"):
        ServeSettings.make({"model": folder, option: 0.25 if option == "share" else 3})


def test_many_at_once(keeping: TestClient, url: str) -> None:
    def one(at: int) -> int:
        return send(keeping, {"user": at % 7, "kind": "click", "item": "1", "key": f"{at % 30}"})[
            "stored"
        ]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(60))) == 30
    assert count(url) == 30


def test_histories_of_interactions() -> None:
    items = Vocabulary.of(np.array(["a", "b", "c"]))[0]
    kinds = [("click", "a"), ("like", "b"), ("dislike", "b"), ("rating", "c")]
    events = [
        make_event(user="u", kind=kind, item=item, value=2 if kind == "rating" else None)
        for kind, item in kinds
    ]
    history, refused = with_feedback(None, Feedback(events), items, Scale(1.0, 1.0))
    assert history.items.tolist() == [0, 2]
    assert history.values.tolist() == [1, 1]
    assert refused.tolist() == [1]
    history, refused = with_feedback(None, Feedback(events), items, Scale(1.0, 5.0))
    assert dict(zip(history.items.tolist(), history.values.tolist(), strict=True)) == {1: 1, 2: 2}
    assert refused.tolist() == []


def test_of_one_item_the_latest_opinion_by_time_holds() -> None:
    items = Vocabulary.of(np.array(["a", "b"]))[0]
    kinds = [("rating", "a", 5, 200), ("rating", "a", 1, 100), ("rating", "a", 4, 200)]
    kinds += [("not_interested", "b", None, 300), ("like", "b", None, 299)]
    events = [
        make_event(user="u", kind=kind, item=item, value=value, time=time)
        for kind, item, value, time in kinds
    ]
    history, refused = with_feedback(None, Feedback(events), items, Scale(1.0, 5.0))
    assert dict(zip(history.items.tolist(), history.values.tolist(), strict=True)) == {0: 4}
    assert refused.tolist() == [1]


def test_a_history_keeps_the_weights_of_training_and_feedback_weighs_one() -> None:
    items = Vocabulary.of(np.array(["a", "b", "c"]))[0]
    given = np.array([0.25, 4.0], dtype=np.float32)
    trained = replace(Histories.build([([0, 1], [3, 4])], [7]), weights=given)
    events = [make_event(user="u", kind="rating", item=item, value=2) for item in ("b", "c")]
    history, _ = with_feedback(trained, Feedback(events), items, Scale(1.0, 5.0))
    assert history.items.tolist() == [0, 1, 2]
    assert history.weights is not None
    assert history.weights.tolist() == [0.25, 1.0, 1.0]
    plain, _ = with_feedback(
        replace(trained, weights=None), Feedback(events), items, Scale(1.0, 5.0)
    )
    assert plain.weights is None


def test_workers_share_what_was_given(
    process: Callable[..., Any], model: Recommender, url: str
) -> None:
    import httpx2 as httpx

    server = process("--feedback", url, "--workers", "2")
    item = str(model.item_ids.ids[0])
    for at in range(10):
        event = {"user": f"new-{at}", "kind": "not_interested", "item": item}
        # A connection of its own for each: either worker may have it.
        done = httpx.post(f"{server.url}/v1/feedback", json={"events": [event]})
        assert done.json() == {"stored": 1, "duplicates": 0}, done.text
        answer = httpx.get(f"{server.url}/v1/users/new-{at}/recommendations?why=0&k=500")
        assert answer.status_code == 200
        assert item not in ids(answer.json()["recommendations"])
    assert json.loads(httpx.get(f"{server.url}/readyz").text)["status"] == "ready"
