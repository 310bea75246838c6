"""What a server is not to be talked into: every refusal is a precise 4xx."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from matinee.errors import UsageError
from matinee.models import Bias
from matinee.serve import ServeSettings, create_app
from matinee.synth import synthesize

OK = [{"item": "1", "rating": 5}]
PATHS = ["/v1/recommend", "/v1/predict", "/v1/profile", "/v1/surprise"]


@pytest.fixture
def first(client: TestClient) -> str:
    item: str = client.get("/v1/items?limit=1").json()["items"][0]["item"]
    return item


def refused(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"]
    assert "Traceback" not in answer.text
    assert isinstance(body, dict)
    return body


Body = Any
BAD: list[tuple[str, Body, str]] = [
    ("empty", {"ratings": []}, "ratings: List should have at least 1 item"),
    ("missing", {}, "ratings: Field required"),
    ("off the scale", {"ratings": [{"item": "FIRST", "rating": 9}]}, "outside the scale"),
    (
        "zero",
        {"ratings": [{"item": "FIRST", "rating": 0}]},
        "outside the scale of this model, 1 to",
    ),
    ("text", {"ratings": [{"item": "FIRST", "rating": "5"}]}, "ratings[0].rating"),
    ("true", {"ratings": [{"item": "FIRST", "rating": True}]}, "ratings[0].rating"),
    (
        "rated and liked",
        {"ratings": [{"item": "FIRST", "rating": 5, "liked": True}]},
        "either a rating or whether they liked it",
    ),
    ("twice", {"ratings": [{"item": "FIRST", "rating": 5}] * 2}, "is rated twice, in ratings[0]"),
    ("many", {"ratings": [{"item": str(i), "rating": 5} for i in range(10_000)]}, "10,000 of them"),
    ("unknown", {"ratings": [{"item": "no", "rating": 5}]}, "none of the ratings can be used"),
    ("both", {"ratings": [{"item": "1", "title": "x", "rating": 5}]}, "either the item's id or"),
    ("neither", {"ratings": [{"rating": 5}]}, "either the item's id or its title"),
    ("half an id", {"ratings": [{"item": 1.5, "rating": 5}]}, "ratings[0].item: Input"),
    ("a list", [1, 2], "valid dictionary"),
    ("k 0", {"ratings": [{"item": "FIRST", "rating": 5}], "k": 0}, "k: "),
    (
        "k huge",
        {"ratings": [{"item": "FIRST", "rating": 5}], "k": 501},
        "less than or equal to 500",
    ),
    ("k half", {"ratings": [{"item": "FIRST", "rating": 5}], "k": 2.5}, "k: "),
    ("k text", {"ratings": [{"item": "FIRST", "rating": 5}], "k": "3"}, "k: "),
    ("love true", {"ratings": [{"item": "FIRST", "rating": 5}], "love": True}, "love: "),
    ("personal text", {"ratings": [{"item": "FIRST", "rating": 5}], "personal": "1"}, "personal: "),
    ("diverse", {"ratings": [{"item": "FIRST", "rating": 5}], "diversity": 1.1}, "diversity: "),
    (
        "a typo",
        {"ratings": [{"item": "FIRST", "rating": 5}], "divresity": 1},
        "divresity: there is no such field; did you mean 'diversity'?",
    ),
    (
        "a typo within",
        {"ratings": [{"item": "FIRST", "ratin": 5}]},
        "ratings[0].ratin: there is no such field; did you mean 'rating'?",
    ),
    (
        "a typo of what is required",
        {"ratngs": [{"item": "FIRST", "rating": 5}]},
        "ratngs: there is no such field; did you mean 'ratings'? (and 1 more)",
    ),
    ("genre", {"ratings": [{"item": "FIRST", "rating": 5}], "exclude_genres": ["X"]}, "genre 'X'"),
    (
        "case of a genre",
        {"ratings": [{"item": "FIRST", "rating": 5}], "genres": ["drama"]},
        "unknown genre 'drama'; did you mean 'Drama'?",
    ),
    ("years", {"ratings": [{"item": "FIRST", "rating": 5}], "years": [2000, 1990]}, "is after"),
    (
        "long title",
        {"ratings": [{"title": "x" * 5000, "rating": 5}]},
        "at most 300 characters",
    ),
]


@pytest.mark.parametrize(("body", "message"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
def test_bad_bodies(client: TestClient, first: str, body: Body, message: str) -> None:
    text = json.dumps(body).replace("FIRST", first)
    answer = client.post(
        "/v1/recommend", content=text, headers={"content-type": "application/json"}
    )
    problem = refused(answer, 422)
    assert message in problem["detail"]
    assert problem["errors"]
    assert all(error["pointer"] == "" or error["pointer"][0] == "/" for error in problem["errors"])
    assert not any("[" in error["pointer"] for error in problem["errors"])  # no type's name


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"ratings": [{"item": "1", "rating": 1e999}]}',
        b'{"ratings": [{"item": "1", "rating": NaN}]}',
        b'{"ratings": [{"item": "1", "rating": 1e300}]}',
        b'{"ratings": [{"item": "1", "rating": 1' + b"0" * 400 + b"}]}",
        b'{"ratings": [{"item": ' + b"9" * 6000 + b', "rating": 1}]}',
        b'{"ratings": [{"title": "\\ud800", "rating": 1}]}',
        b'{"ratings": [{"item": "\\u0000", "rating": 1}]}',
        b'"text"',
        b"null",
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("path", PATHS)
def test_malformed_bodies(client: TestClient, path: str, body: bytes) -> None:
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    refused(answer, answer.status_code)


def test_huge_bodies(client: TestClient) -> None:
    big = b'{"ratings": "' + b"x" * (1 << 20) + b'"}'
    kind = {"content-type": "application/json"}
    refused(client.post("/v1/recommend", content=big, headers=kind), 413)
    parts = (big[i : i + 4096] for i in range(0, len(big), 4096))  # in chunks, with no length
    assert (
        "1,048,576 bytes"
        in refused(client.post("/v1/recommend", content=parts, headers=kind), 413)["detail"]
    )


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_content_types(client: TestClient, kind: str) -> None:
    body = json.dumps({"ratings": OK}).encode()
    answer = client.post("/v1/recommend", content=body, headers={"content-type": kind})
    assert "application/json" in refused(answer, 415)["detail"]


def test_a_compressed_body(client: TestClient) -> None:
    body = gzip.compress(json.dumps({"ratings": OK}).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = client.post("/v1/recommend", content=body, headers=headers)
    assert "encoding is 'gzip'" in refused(answer, 415)["detail"]


def test_other_paths_and_methods(client: TestClient) -> None:
    refused(client.get("/nowhere"), 404)
    refused(client.get("/v1"), 404)
    refused(client.get("/redoc"), 404)
    answer = client.get("/v1/recommend")
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"
    refused(client.delete("/v1/items"), 405)
    for path in ("/v1/items", "/openapi.json", "/"):
        assert client.post(path).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../_app.py",
        "/static/..%2f_app.py",
        "/static/%2e%2e/%2e%2e/__init__.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
    ],
)
def test_no_path_is_opened(client: TestClient, path: str) -> None:
    refused(client.get(path), 404)


def test_unknown_users_and_items(client: TestClient) -> None:
    assert "'nobody'" in refused(client.get("/v1/users/nobody/recommendations"), 404)["detail"]
    assert "'nothing'" in refused(client.get("/v1/items/nothing"), 404)["detail"]
    refused(client.get("/v1/items/nothing/similar"), 404)
    refused(client.get("/v1/items/%F0%9F%8E%AC"), 404)
    refused(client.get("/v1/items/" + "9" * 250), 404)
    refused(client.get("/v1/items/" + "9" * 2500), 422)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limt=3", "q=" + "x" * 400, "limit="]
)
def test_bad_queries(client: TestClient, query: str) -> None:
    refused(client.get(f"/v1/items?{query}"), 422)


def test_the_number_of_titles_is_bounded(client: TestClient, first: str) -> None:
    many = [f"zz {i}" for i in range(150)]
    body = {"ratings": [{"item": first, "rating": 3}], "exclude": many}
    assert "send ids" in refused(client.post("/v1/recommend", json=body), 422)["detail"]
    body["exclude"] = [str(10_000_000 + i) for i in range(10_001)]
    assert "10000" in refused(client.post("/v1/recommend", json=body), 422)["detail"]


def test_max_ratings_is_a_setting(serve_with: Callable[..., TestClient]) -> None:
    client = serve_with(max_ratings=2)
    items = [e["item"] for e in client.get("/v1/items?limit=3").json()["items"]]
    ratings = [{"item": item, "rating": 3} for item in items]
    assert (
        "at most 2" in refused(client.post("/v1/profile", json={"ratings": ratings}), 422)["detail"]
    )
    assert client.post("/v1/profile", json={"ratings": ratings[:2]}).status_code == 200


def test_the_key(serve_with: Callable[..., TestClient]) -> None:
    client = serve_with(api_key="s3cret")
    for path in ("/v1/model", "/metrics", "/v1/nowhere"):
        answer = client.get(path)
        assert "needed" in refused(answer, 401)["detail"]
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "wrong" in refused(client.get(path, headers={"x-api-key": "s3cre"}), 401)["detail"]
        refused(client.get(path, headers={"authorization": "Basic s3cret"}), 401)
    for headers in ({"x-api-key": "s3cret"}, {"authorization": "bearer s3cret"}):
        assert client.get("/v1/model", headers=headers).status_code == 200
        assert client.get("/metrics", headers=headers).status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert "security" in client.get("/openapi.json").json()


def test_no_other_origin_unless_allowed(
    client: TestClient, serve_with: Callable[..., TestClient]
) -> None:
    origin = {"origin": "https://films.example"}
    ask = {**origin, "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in client.get("/v1/model", headers=origin).headers
    refused(client.options("/v1/recommend", headers=ask), 405)
    for wrong in ("films.example", "https://films.example/page", ""):
        with pytest.raises(UsageError, match="an origin is a scheme and a host, as in https"):
            serve_with(cors=[wrong])
    reported = serve_with(cors=["https://Films.example/"], api_key="k")
    answer = reported.options("/v1/recommend", headers=ask)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://films.example"
    other = reported.get("/v1/model", headers={"origin": "https://x.example", "x-api-key": "k"})
    assert "access-control-allow-origin" not in other.headers
    early = refused(reported.get("/v1/model", headers=origin), 401)  # a page can read the reason
    assert "needed" in early["detail"]
    early_headers = reported.get("/v1/model", headers=origin).headers
    assert early_headers["access-control-allow-origin"] == "https://films.example"


def test_security_headers_are_everywhere(client: TestClient) -> None:
    for path in ("/", "/healthz", "/nowhere", "/v1/model", "/static/x"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
    assert client.get("/v1/model").headers["cache-control"] == "no-store"


def test_no_users_unless_wanted(serve_with: Callable[..., TestClient]) -> None:
    client = serve_with(users=False)
    assert "started without" in refused(client.get("/v1/users/1/recommendations"), 404)["detail"]
    card = client.get("/v1/model").json()
    assert card["has"]["users"] is False
    assert card["has"]["counts"] is True


def test_a_model_without_histories_titles_or_vectors(tmp_path: Path) -> None:
    ratings = synthesize(60, 40, 1500, seed=0).ratings
    bare = type(ratings)(**{**ratings.__dict__, "item_table": None})
    Bias().fit(bare).save(tmp_path / "model", histories=False)
    with TestClient(
        create_app(ServeSettings(model=tmp_path / "model")), base_url="http://localhost"
    ) as client:
        card = client.get("/v1/model").json()
        assert card["has"] == {
            "titles": False,
            "genres": False,
            "years": False,
            "users": False,
            "vectors": False,
            "std": True,
            "counts": True,
            "ratings": True,
        }
        refused(client.get("/v1/map"), 404)
        item = client.get("/v1/items?limit=1").json()["items"][0]
        assert item["title"] == item["item"]
        assert item["year"] is None
        assert client.get(f"/v1/items/{item['item']}").json()["position"] is None
        refused(client.get(f"/v1/items/{item['item']}/similar"), 404)
        refused(client.get("/v1/users/1/recommendations"), 404)
        body = {"ratings": [{"item": item["item"], "rating": 5}], "k": 5}
        assert len(client.post("/v1/recommend", json=body).json()["recommendations"]) == 5
        assert (
            "send 0"
            in refused(client.post("/v1/recommend", json={**body, "diversity": 0.5}), 422)["detail"]
        )
        answer = client.post("/v1/profile", json={"ratings": body["ratings"]}).json()
        assert answer["genres"] == answer["decades"] == []
        assert client.post("/v1/surprise", json={"ratings": []}).status_code == 200


def test_an_internal_error_is_reported_without_details(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from matinee.serve._engine import Engine

    def broken(*_: Any) -> None:
        raise RuntimeError("secret innards")

    monkeypatch.setattr(Engine, "profile", broken)
    with TestClient(create_app(ServeSettings(model=folder)), base_url="http://localhost") as client:
        item = client.get("/v1/items?limit=1").json()["items"][0]["item"]
        body = {"ratings": [{"item": item, "rating": 3}]}
        answer = client.post("/v1/profile", json=body)
    problem = refused(answer, 500)
    assert "innards" not in answer.text
    assert "logged" in problem["detail"]
    assert "secret innards" in caplog.text


def test_an_unknown_parameter_brings_the_nearest(client: TestClient) -> None:
    answer = refused(client.get("/v1/items?limt=3"), 422)
    assert answer["detail"] == "limt: there is no such field; did you mean 'limit'?"


@pytest.mark.parametrize("path", PATHS[:3])
def test_ratings_are_required(client: TestClient, path: str) -> None:
    """Before pydantic 2.12 a default of one request became that of others with the same type."""
    body = refused(client.post(path, json={"items": [1]} if path == PATHS[1] else {}), 422)
    assert "ratings: Field required" in body["detail"]


def test_a_known_user_without_ratings_is_sent_to_the_list_of_that_user(client: TestClient) -> None:
    body = refused(client.post("/v1/recommend", json={"user": "1"}), 422)
    expected = "Field required; a known user's list is GET /v1/users/{user}/recommendations"
    assert body["detail"] == f"ratings: {expected}"
