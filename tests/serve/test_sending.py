"""How pages and answers are sent: codings, caching, HEAD, and what is not there."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

import pytest
from starlette.testclient import TestClient

from matinee.serve.web.assets import accepted_codings, assets
from matinee.serve.web.bundle import bundle
from matinee.serve.web.inline import inlined


def test_codings(client: TestClient) -> None:
    pytest.importorskip("brotli")
    plain = client.get("/static/style.css", headers={"accept-encoding": "identity"})
    tags = {plain.headers["etag"]}
    for wanted, coding in (("br, gzip", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")):
        answer = client.get("/static/style.css", headers={"accept-encoding": wanted})
        assert answer.headers["content-encoding"] == coding
        assert answer.content == plain.content or gzip.decompress(answer.content)
        assert int(answer.headers["content-length"]) < len(plain.content) / 2
        assert answer.headers["vary"] == "accept-encoding"
        tags.add(answer.headers["etag"])
    assert len(tags) == 3
    assert accepted_codings("GZIP;q=0.5, br ; q=0.0") == {"gzip"}


def test_large_answers_are_compressed_for_those_who_accept_it(client: TestClient) -> None:
    people = {"people": [{"ratings": [{"item": "1", "rating": 5}], "k": 100}] * 3}
    by_name = {}
    for coding in ("gzip", "identity"):
        headers = {"accept-encoding": coding}
        answer = client.post("/v1/recommend/batch", json=people, headers=headers)
        assert answer.headers["vary"].lower() == "accept-encoding"
        by_name[coding] = answer
    packed, plain = by_name["gzip"], by_name["identity"]
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 4
    lists = [
        [entry["recommendations"] for entry in each.json()["people"]] for each in by_name.values()
    ]
    assert lists[0] == lists[1]
    small = client.get("/healthz", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers
    head = client.head("/v1/model", headers={"accept-encoding": "gzip"})
    assert (head.status_code, head.content) == (200, b"")


def test_files_of_a_build_are_kept_for_ever(client: TestClient) -> None:
    page = client.get("/").text
    links = re.findall(r'"(/static/[^"]+)"', page)
    build = assets().build
    assert len(links) >= 3
    assert all(link.startswith(f"/static/{build}/") for link in links)
    answer = client.get(links[0])
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    older = client.get(links[0].replace(build, "0" * 12))
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
    assert client.get("/").headers["cache-control"] == "no-cache"
    assert client.get(f"/static/{build}/nothing.css").status_code == 404


@pytest.mark.parametrize("path", ["/", "/docs", "/v1/model", "/v1/items", "/healthz", "/nothing"])
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["content-type"] == got.headers["content-type"]


def test_what_is_not_there_is_a_page_for_browsers(client: TestClient) -> None:
    accept = {"accept": "text/html,*/*;q=0.8"}
    page = client.get("/nowhere", headers=accept)
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "There is nothing here" in page.text
    for path in ("/v1/nowhere", "/static/nowhere"):
        assert client.get(path, headers=accept).headers["content-type"].endswith("problem+json")


def test_favicon(client: TestClient) -> None:
    answer = client.get("/favicon.ico")
    assert answer.headers["content-type"] == "image/x-icon"
    assert answer.content[:4] == b"\0\0\1\0"


def test_a_page_loads_one_script() -> None:
    files = assets().files
    page = files["map.html"].content.decode()
    assert re.findall(r"js/[\w.]+", page) == ["js/map.page.js"]
    script = files["js/home.page.js"].content.decode()
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
    modules = re.findall(r"^const (\$\w+) = \(\(\) => \{$", script, re.MULTILINE)
    assert len(modules) == len(set(modules)) > 10


def test_the_first_page_holds_its_script_and_style(client: TestClient) -> None:
    answer = client.get("/")
    assert "<script src" not in answer.text
    assert '<link rel="stylesheet"' not in answer.text
    assert re.search(r'url\("/static/[0-9a-f]{12}/star.svg"\)', answer.text)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    within = r'<(?:script type="module"|style)>(.*?)</(?:script|style)>'
    for text in re.findall(within, answer.text, re.DOTALL):
        digest = hashlib.sha256(text.encode()).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert policy.count("sha256-") == 2
    assert "sha256-" not in client.get("/v1/model").headers["content-security-policy"]
    page = '<link rel="stylesheet" href="/style.css"><script type="module" src="/a.js"></script>'
    assert inlined(page, "a{}", "b()") == '<style>a{}</style><script type="module">b()</script>'
    with pytest.raises(ValueError, match="ends its element"):
        inlined(page, "", "'</script>'")
    below = assets("/films").files["index.html"].content.decode()
    assert re.search(r'url\("/films/static/[0-9a-f]{12}/star.svg"\)', below)


def test_modules_are_joined_in_order() -> None:
    modules = {
        "a": 'import { one as two } from "./b.js";\nconsole.log(two);\n',
        "b": "/** What\n * it is. */\nexport const one = 1;\nexport function other() {}\n",
    }
    joined = bundle(modules, "a")
    assert joined.index("const $b") < joined.index("const $a")
    assert "const { one: two } = $b;" in joined
    assert "return { one, other };" in joined
    assert "What" not in joined
    modules["b"] += 'import { x } from "./a.js";\n'
    with pytest.raises(ValueError, match="import cycle"):
        bundle(modules, "a")
