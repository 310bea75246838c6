"""Names that the server answers to, and the path below which a proxy shows it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

Serve = Callable[..., TestClient]


@pytest.mark.parametrize("path", ["/v1/model", "/metrics", "/", "/openapi.json"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.x", ""])
def test_names_of_others_are_refused(client: TestClient, path: str, host: str) -> None:
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == 421
    assert "--allowed-host" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8000", "[::1]:8000"])
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/v1/model", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(("version", "status"), [("1.0", 200), ("1.1", 421)])
def test_only_requests_of_http_1_0_need_no_host(
    client: TestClient, version: str, status: int
) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "http_version": version, "method": "GET", "path": "/healthz"}
    scope |= {"raw_path": b"/healthz", "query_string": b"", "headers": [], "root_path": ""}
    asyncio.run(client.app(scope, receive, send))  # type: ignore[call-arg, arg-type]
    assert sent[0]["status"] == status


def test_names_may_be_added(serve_with: Serve) -> None:
    client = serve_with(allowed_hosts=["Films.example"])
    for host, status in (("films.example:8000", 200), ("localhost", 200), ("x.example", 421)):
        assert client.get("/healthz", headers={"host": host}).status_code == status
    client = serve_with(allowed_hosts=["*"])
    assert client.get("/healthz", headers={"host": "x.example"}).status_code == 200
    client = serve_with(host="0.0.0.0")
    assert client.get("/healthz", headers={"host": "x.example"}).status_code == 200


def test_nothing_is_redirected_to_the_host_of_a_request(serve_with: Serve) -> None:
    client = serve_with(allowed_hosts=["*"])
    for path in ("/v1/model/", "/map/"):
        answer = client.get(path, headers={"host": "evil.example"}, follow_redirects=False)
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_a_page_below_a_path(serve_with: Serve) -> None:
    client = serve_with(root_path="/films")
    for page in ("/", "/model", "/map"):
        text = client.get(page).text
        links = re.findall(r'(?:src|href)="(/[^"]*)"', text)
        assert links
        for address in links:
            assert address.startswith("/films/")
            assert client.get(address).status_code == 200  # by a proxy that leaves the path
            assert client.get(address.removeprefix("/films")).status_code == 200  # or strips it
    script = client.get("/static/js/search.js").text
    assert "/films/v1/items" in script
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/films"}]
    assert client.get("/films").text == client.get("/").text
    assert client.get("/filmstar").status_code == 404


def test_the_key_is_asked_for_below_a_path_too(serve_with: Serve) -> None:
    client = serve_with(root_path="/films", api_key="key")
    assert client.get("/films/v1/model").status_code == 401
    assert client.get("/v1/model").status_code == 401
