"""Pages in a real browser: opening them, rating, and reading what they show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving import CLIENT, Process

PHONE, DESK = 390, 1280
PATIENCE = 60_000
"""Milliseconds: much else may run on the machine."""


@contextmanager
def served(model: Path, log: Path, *args: object) -> Iterator[str]:
    process = Process(model, *args, log=log)
    try:
        process.wait_until_ready()
        yield process.url
    finally:
        process.end()


@contextmanager
def opened(
    browser: Any, address: str, width: int = DESK, *, expected: str | None = None, **options: Any
) -> Iterator[Any]:
    """A page, which must say nothing but what is expected and ask no other host than its own."""
    options.setdefault("reduced_motion", "reduce")
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    console: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    try:
        yield page
        assert [each for each in console if expected is None or expected not in each] == []
        host = "/".join(address.split("/")[:3])
        assert [each for each in asked if not each.startswith((f"{host}/", "data:"))] == []
    finally:
        context.close()


def rated_link(url: str, n: int = 4) -> str:
    """The page of somebody who rated the best known items."""
    items = CLIENT.get(f"{url}/v1/items?limit={n}").json()["items"]
    ratings = ",".join(f"{each['item']}:{1 + at % 5}" for at, each in enumerate(items))
    return f"{url}/#r={ratings}"


def names(page: Any, where: str = "#list") -> list[str]:
    texts: list[str] = page.locator(f"{where} .title").all_inner_texts()
    return texts


def listed(page: Any) -> list[str]:
    page.locator("#list .film").first.wait_for()
    page.wait_for_function("() => !document.getElementById('for-you').hasAttribute('aria-busy')")
    return names(page)


def changed(page: Any, before: list[str]) -> list[str]:
    page.wait_for_function(
        "before => [...document.querySelectorAll('#list .title')].map(e => e.textContent)"
        ".join('|') !== before",
        arg="|".join(before),
    )
    return listed(page)


def rate(page: Any, where: str, stars: int) -> None:
    """Click on a star."""
    box = page.locator(f"{where} .rater .stars").first
    wide = box.bounding_box()["width"]
    box.click(position={"x": wide * (stars - 0.5) / 5, "y": 8})
