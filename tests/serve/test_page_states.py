"""What the pages do when something is in the way, and under two fingers, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import DESK, PATIENCE, PHONE, listed, names, opened, rate, rated_link
from serving import CLIENT, Process

KEY = "sesame"


@pytest.fixture(scope="module")
def locked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The address of a server that asks for a key."""
    target = tmp_path_factory.mktemp("locked")
    (target / "key").write_text(KEY)
    process = Process(folder, "--api-key-file", target / "key", log=target / "log")
    try:
        process.wait_until_ready()
        yield process.url
    finally:
        process.end()


def some_link(url: str, key: str | None = None) -> str:
    headers = {} if key is None else {"x-api-key": key}
    item = CLIENT.get(f"{url}/v1/items?limit=1", headers=headers).json()["items"][0]["item"]
    return f"{url}/#r={item}:4"


REFUSED = "401"
"""What Chromium's console says of each answer that asks for the key."""


def test_a_key_is_asked_for(browser: Any, locked: str) -> None:
    with opened(browser, some_link(locked, KEY), expected=REFUSED) as page:
        form = page.locator("form.key")
        form.wait_for()
        assert "asks for an API key" in form.inner_text()
        assert page.locator("#app").is_hidden()
        key = page.get_by_label("API key")
        assert key.evaluate("it => it === document.activeElement")
        page.keyboard.press("Enter")  # nothing given: nothing asked
        assert "asks for an API key" in form.inner_text()
        key.fill("open")
        page.keyboard.press("Enter")
        page.locator("form.key", has_text="does not take that").wait_for()
        assert key.input_value() == ""
        key.fill(KEY)
        page.get_by_role("button", name="Go on").click()
        assert listed(page)
        assert page.locator("form.key").count() == 0
        page.locator("nav a", has_text="Map").click()  # the tab remembers
        page.locator("#in-view li").first.wait_for()
        page.locator("nav a", has_text="Model").click()
        page.locator("#caveats li").first.wait_for()


@pytest.mark.parametrize("path", ["/", "/model", "/map"])
def test_a_key_is_asked_for_on_a_phone(browser: Any, locked: str, path: str) -> None:
    address = f"{locked}{path}"
    options = {"has_touch": True, "is_mobile": True, "expected": REFUSED}
    with opened(browser, address, PHONE, **options) as page:
        page.get_by_label("API key").fill("wrong")
        page.get_by_role("button", name="Go on").tap()
        page.locator("form.key", has_text="does not take that").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
        page.get_by_label("API key").fill(KEY)
        page.get_by_role("button", name="Go on").tap()
        page.locator("#app").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_form(browser: Any, locked: str, scheme: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    with opened(browser, f"{locked}/", color_scheme=scheme, expected=REFUSED) as page:
        page.locator("form.key").wait_for()
        done = axe.Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in done] == []


def test_when_the_server_is_gone(browser: Any, folder: Path, tmp_path: Path) -> None:
    process = Process(folder, log=tmp_path / "log")
    try:
        process.wait_until_ready()
        with opened(browser, rated_link(process.url), expected="ERR_") as page:
            before = listed(page)
            process.end()
            rate(page, "#list .film:nth-child(1)", 3)
            notice = page.locator("#notices .notice", has_text="does not answer")
            notice.wait_for()
            assert before[0] in names(page, "#rated")
            assert ":3" in page.url
            assert names(page) == before  # what was there stays
            notice.evaluate("it => { it.id = 'old' }")
            page.locator("#notices button", has_text="Try again").click()
            page.locator("#notices .notice:not(#old)", has_text="does not answer").wait_for()

            again = Process(folder, log=tmp_path / "again", port=process.port)
            try:
                again.wait_until_ready()
                page.locator("#notices button", has_text="Try again").click()
                page.locator("#notices .notice").wait_for(state="detached")
                assert before[0] not in listed(page)
            finally:
                again.end()
    finally:
        process.end()


@pytest.mark.parametrize("path", ["/map", "/model"])
def test_when_only_the_page_came(browser: Any, url: str, path: str) -> None:
    context = browser.new_context(viewport={"width": DESK, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.route("**/v1/**", lambda route: route.abort())
    page.goto(f"{url}{path}")
    page.locator("#trouble .notice", has_text="does not answer").wait_for()
    page.unroute("**/v1/**")
    page.locator("#trouble button", has_text="Try again").click()
    page.locator("#app").wait_for()
    assert page.locator("#trouble .notice").count() == 0
    context.close()


def pinch(page: Any, centre: tuple[float, float], apart: tuple[float, float]) -> None:
    """Two fingers around a place, moving from one distance to another."""
    session = page.context.new_cdp_session(page)
    x, y = centre

    def fingers(distance: float) -> list[dict[str, float]]:
        half = distance / 2
        return [{"x": x - half, "y": y, "id": 0}, {"x": x + half, "y": y, "id": 1}]

    def touch(kind: str, points: list[dict[str, float]]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    first, last = apart
    touch("touchStart", fingers(first))
    for step in range(1, 9):
        touch("touchMove", fingers(first + (last - first) * step / 8))
    touch("touchEnd", [])


def test_two_fingers_zoom_the_map_and_not_the_page(browser: Any, url: str) -> None:
    address = rated_link(url).replace("/#", "/map#")
    with opened(browser, address, PHONE, has_touch=True, is_mobile=True) as page:
        page.locator("#in-view li").first.wait_for()
        count = "Number(document.getElementById('in-view-count').textContent.replace(',', ''))"
        whole = page.evaluate(count)
        box = page.locator("#plane").bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        pinch(page, middle, (60, 300))
        page.wait_for_function(f"() => {count} < {whole / 2}")
        near = page.evaluate(count)
        pinch(page, middle, (300, 100))
        page.wait_for_function(f"() => {count} > {near}")
        assert page.evaluate("visualViewport.scale") == 1
        assert page.evaluate("scrollY") == 0
        assert page.locator("#picked").is_hidden()  # a pinch is no tap
