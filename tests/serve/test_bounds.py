"""No request takes the event loop for long: others are answered meanwhile, ``/healthz`` first."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.data import Ratings
from matinee.models import BiasedMF
from matinee.serve import ServeSettings, create_app
from matinee.synth import synthesize

LONGEST = 0.1
"""Seconds of work between two turns of the loop."""


def make_app(folder: Path) -> Any:
    """A server of 6,000 items with titles of several words, and with vectors."""
    ratings: Ratings = synthesize(400, 6000, 40_000, seed=3).ratings
    BiasedMF(factors=4).fit(ratings).save(folder)
    app = create_app(ServeSettings(model=folder))
    gc.collect()
    gc.freeze()  # as the server does
    return app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    yield make_app(tmp_path_factory.mktemp("bounds") / "model")
    gc.unfreeze()


def ask(app: Any, method: str, path: str, query: str, body: bytes) -> tuple[int, float]:
    """The status, and the longest time that nobody else would have been answered in.

    It is the processor time of the process between two turns of the event loop, so that it counts
    what the loop does itself, and threads that keep the interpreter's lock, but not the machine's
    other programs.
    """
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    headers.append((b"accept-encoding", b"gzip"))
    if body:
        headers.append((b"content-length", str(len(body)).encode()))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    async def both() -> float:
        answer = asyncio.ensure_future(app(scope, receive, send))
        longest = 0.0
        while not answer.done():
            began = time.process_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.process_time() - began)
        await answer
        return longest

    held = asyncio.run(both())
    return int(statuses[0]), held


rng = random.Random(0)


def text(n: int) -> str:
    """Words as titles have them, in no title's order."""
    titles = synthesize(100, 300, 2000, seed=3).ratings.item_table
    assert titles is not None
    words = [word for title in titles.titles for word in title.split()]
    return " ".join(rng.choice(words) for _ in range(80))[:n]


def titles(n: int) -> list[str]:
    return [text(300) for _ in range(n)]


IDS = list(range(1, 3000))
RATED = [{"item": item, "rating": 4.0} for item in IDS[:64]]
REQUESTS: dict[str, tuple[str, dict[str, Any] | str]] = {
    "titles to exclude": ("recommend", {"ratings": RATED, "exclude": titles(100)}),
    "titles to choose from": ("recommend", {"ratings": RATED, "only": titles(100)}),
    "too many titles": ("recommend", {"ratings": RATED, "exclude": titles(101) * 30}),
    "titles to predict": ("predict", {"ratings": RATED, "items": titles(100)}),
    "titles rated": ("profile", {"ratings": [{"title": t, "rating": 4} for t in titles(100)]}),
    "reasons": ("recommend", {"ratings": RATED, "k": 500, "why": 20, "diversity": 0.5}),
    "predictions": ("predict", {"ratings": RATED, "items": IDS[:500], "why": 20}),
    "ids": ("recommend", {"ratings": RATED, "exclude": IDS, "only": IDS}),
    "ratings": ("profile", {"ratings": [{"item": i, "rating": 4.0} for i in IDS[:1000]]}),
    "surprises": ("surprise", {"ratings": RATED, "k": 50, "exclude": IDS}),
    "many people": ("recommend/batch", {"people": [{"ratings": RATED, "k": 500}] * 100}),
    "many reasons": ("recommend/batch", {"people": [{"ratings": RATED, "k": 500, "why": 20}] * 4}),
    "faults": ("recommend", '{"ratings":[' + ",".join(["{}"] * 300_000) + "]}"),
    "lists of faults": (
        "recommend",
        '{"ratings":[{"item":1,"rating":4}],"exclude":[' + ",".join(["[]"] * 300_000) + "]}",
    ),
    "brackets": ("recommend", "[" * 1_000_000),
    "digits": ("recommend", '{"ratings":' + "9" * 1_000_000 + "}"),
}


QUERIES = {
    "/v1/items": f"q={text(300).replace(' ', '+')}",
    "/v1/items/1/similar": "k=100",
    "/v1/map": "limit=20000",
    "/v1/users/1/recommendations": "k=500&why=20",
}


def body_of(name: str) -> tuple[str, bytes]:
    """Path and body of one of the requests."""
    path, content = REQUESTS[name]
    text = content if isinstance(content, str) else json.dumps(content)
    return f"/v1/{path}", text.encode()


@pytest.mark.parametrize("name", REQUESTS)
def test_no_body_holds_up_others(app: Any, name: str) -> None:
    path, body = body_of(name)
    status, held = ask(app, "POST", path, "", body)
    assert status < 500
    assert held < LONGEST


@pytest.mark.parametrize("path", QUERIES)
def test_no_query_holds_up_others(app: Any, path: str) -> None:
    status, held = ask(app, "GET", path, QUERIES[path], b"")
    assert status == 200
    assert held < LONGEST


def test_large_answers_are_encoded_and_compressed_beside_the_loop(app: Any) -> None:
    """On the loop, or all at once in a thread, this one takes 60 ms."""
    people = [{"ratings": RATED[:3], "k": 500}] * 100
    body = json.dumps({"people": people}).encode()
    status, held = ask(app, "POST", "/v1/recommend/batch", "", body)
    assert status == 200
    assert held < LONGEST / 2


def test_many_people_and_reasons_are_refused_before_any_is_answered(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matinee.serve._engine import Engine

    answered: list[Any] = []
    monkeypatch.setattr(Engine, "recommend", lambda _, person: answered.append(person))
    body = json.dumps({"people": [{"ratings": RATED[:1], "k": 500, "why": 1}] * 51}).encode()
    assert ask(app, "POST", "/v1/recommend/batch", "", body)[0] == 422
    assert answered == []


def test_too_many_titles_are_refused_before_any_is_looked_up(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matinee.recommend import TitleIndex

    looked_up: list[str] = []
    monkeypatch.setattr(TitleIndex, "find", lambda _, text: looked_up.append(text))
    body = {"ratings": RATED, "exclude": titles(60), "only": titles(60)}
    assert ask(app, "POST", "/v1/recommend", "", json.dumps(body).encode())[0] == 422
    assert looked_up == []


@pytest.mark.parametrize("year", [10**309, -(10**20)])
def test_a_year_of_any_size_is_answered(app: Any, year: int) -> None:
    body = json.dumps({"ratings": RATED, "years": [year, None]}).encode()
    assert ask(app, "POST", "/v1/recommend", "", body)[0] == 422
    assert ask(app, "GET", "/v1/users/1/recommendations", f"year_from={year}", b"")[0] == 422


def test_long_titles_are_looked_up_in_milliseconds() -> None:
    from matinee.recommend import TitleIndex

    ratings = synthesize(100, 6000, 10_000, seed=3).ratings
    index = TitleIndex(ratings.item_ids, ratings.item_table)
    index.search("a title", 1)
    took = []
    for wanted in [*titles(20), "the of " * 42, "a" * 300, "a b c d e f " * 25]:
        began = time.thread_time()
        index.search(wanted, 3)
        took.append(time.thread_time() - began)
    assert np.median(took) < 0.02
    assert max(took) < 0.1
