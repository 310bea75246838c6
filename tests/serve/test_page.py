"""The pages in a real browser, against the real server: by pointer, by keys, on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import PHONE, changed, listed, names, opened, rate, rated_link, served
from serving import CLIENT

from matinee.data import Ratings, Scale
from matinee.models import Bias


def test_search_rate_and_see_the_list_change(browser: Any, url: str) -> None:
    title = CLIENT.get(f"{url}/v1/items?limit=1").json()["items"][0]["title"]
    plain = re.sub(r" \(\d+\)$", "", title)
    with opened(browser, f"{url}/") as page:
        page.locator("#question-list .question").nth(7).wait_for()
        assert page.locator("#for-you").is_hidden()

        page.locator("#search").press_sequentially(plain.lower()[:-1])
        option = page.get_by_role("option").filter(has_text=plain).first
        option.click()
        assert page.locator("#found").is_hidden()
        rate(page, "#picked", 5)
        first = listed(page)
        assert len(first) == 12
        assert names(page, "#rated") == [plain]
        assert "r=" in page.url
        assert page.locator("#picked").is_hidden()

        film = page.locator("#list .film").first
        spoken = film.locator(".predicted .hidden").inner_text()
        assert re.fullmatch(r"predicted \d\.\d of 5, give or take \d\.\d", spoken)
        assert film.locator(".why").inner_text()

        gone = first[2]
        rate(page, "#list .film:nth-child(3)", 1)
        second = changed(page, first)
        assert gone not in second
        assert names(page, "#rated") == [gone, plain]
        page.locator("#taste-genres li").first.wait_for()


def test_what_a_click_on_a_title_shows(browser: Any, url: str) -> None:
    with opened(browser, rated_link(url)) as page:
        listed(page)
        title = page.locator("#list .title").first
        title.click()
        assert title.get_attribute("aria-expanded") == "true"
        more = page.locator("#list .film").first.locator(".more")
        assert more.locator("li").nth(5).wait_for() is None
        numbers = [
            float(text.replace("−", "-")) for text in more.locator("td.num").all_inner_texts()
        ]
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=0.04)
        title.click()
        assert more.is_hidden()


def test_controls(browser: Any, url: str) -> None:
    with opened(browser, rated_link(url)) as page:
        plain = listed(page)
        page.locator("#bold").fill("0.9")
        bold = changed(page, plain)
        assert set(bold) != set(plain)
        assert "d=0.9" in page.url
        page.locator("#bold").fill("0")
        assert changed(page, bold) == plain

        page.locator("#genre-control summary").click()
        page.locator("#genres label", has_text="Drama").click()
        hidden = changed(page, plain)
        page.wait_for_function(
            "() => document.getElementById('hidden-count').textContent === '1 hidden'"
        )
        genres = page.locator("#list .genres").all_inner_texts()
        assert not any("Drama" in text for text in genres)

        page.locator("#from").fill("1990")
        page.locator("#from").press("Enter")
        changed(page, hidden)
        assert all(int(y) >= 1990 for y in page.locator("#list .year").all_inner_texts())
        page.locator("#to").fill("1980")
        page.locator("#to").press("Enter")
        assert page.locator("#years-wrong").is_visible()
        page.locator("#to").fill("1990")
        page.locator("#from").fill("1990")
        page.locator("#from").press("Tab")
        page.locator("#to").press("Enter")
        page.wait_for_function("() => location.hash.includes('y=1990-1990')")


def test_a_link_carries_everything(browser: Any, url: str) -> None:
    with opened(browser, f"{rated_link(url, 3)}&d=0.5&g=War") as page:
        first = listed(page)
        rate(page, "#list .film:nth-child(2)", 4)
        second = changed(page, first)
        page.locator("#share").click()
        page.wait_for_function("() => document.getElementById('shared').textContent")
        link = page.url
        stars = page.locator("#rated input:checked").evaluate_all("all => all.map(e => e.value)")
        page.locator("nav a", has_text="Map").click()
        page.wait_for_url("**/map#*")
        page.locator("#in-view li").first.wait_for()
        assert page.url.split("#")[1] == link.split("#")[1]
    with opened(browser, link) as page:
        assert listed(page) == second
        read = page.locator("#rated input:checked").evaluate_all("all => all.map(e => e.value)")
        assert read == stars
        assert page.locator("#bold").input_value() == "0.5"
        page.goto(f"{url}/model")
        page.goto(f"{url}/")
        page.locator("#question-list li").first.wait_for()


def test_by_keys_alone(browser: Any, url: str) -> None:
    item = CLIENT.get(f"{url}/v1/items?limit=1").json()["items"][0]
    plain = re.sub(r" \(\d+\)$", "", item["title"])
    with opened(browser, f"{url}/") as page:
        page.locator("#question-list li").first.wait_for()
        focused = "document.activeElement"
        page.keyboard.press("Tab")
        assert page.evaluate(f"{focused}.className") == "skip"
        page.locator("nav a").last.focus()
        page.keyboard.press("Tab")
        assert page.evaluate(f"{focused}.id") == "search"
        page.keyboard.type(plain)
        page.wait_for_function("() => document.querySelector('#found:not([aria-busy]) li')")
        page.keyboard.press("ArrowDown")
        box = page.locator("#search")
        assert box.get_attribute("aria-expanded") == "true"
        chosen = box.get_attribute("aria-activedescendant")
        assert page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
        page.keyboard.press("Enter")
        assert page.evaluate(f"{focused}.type") == "radio"
        page.keyboard.press("4")
        first = listed(page)
        assert page.evaluate(f"{focused}.id") == "search"
        assert box.input_value() == ""
        assert page.locator("#rated input:checked").get_attribute("value") == "4"

        # Arrows choose; nothing runs away before Enter.
        page.locator("#list .film .rater input").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert names(page) == first
        page.keyboard.press("Enter")
        second = changed(page, first)
        assert first[0] not in second
        assert page.evaluate(f"{focused}.closest('#list') !== null")
        page.locator("#rated .remove").first.focus()
        page.keyboard.press("Enter")
        changed(page, second)
        assert len(names(page, "#rated")) == 1
        page.wait_for_function(
            "() => document.getElementById('said').textContent.includes('First:')"
        )


def test_surprise_clear_and_undo(browser: Any, url: str) -> None:
    with opened(browser, rated_link(url)) as page:
        listed(page)
        page.locator("#surprise").click()
        page.locator("#question-list li").nth(2).wait_for()
        asked = page.locator("#question-list h3").all_inner_texts()
        page.locator("#question-list .link").first.click()
        page.wait_for_function(
            "first => !document.getElementById('question-list').textContent.includes(first)",
            arg=asked[0],
        )
        rate(page, "#question-list li:nth-child(1)", 2)
        page.locator("#rated .title").nth(4).wait_for()
        after = listed(page)
        page.locator("#enough").click()
        page.locator("#questions").wait_for(state="hidden")
        page.locator("#clear").click()
        assert "r=" not in page.url
        page.locator("#undo button").click()
        page.wait_for_function("() => location.hash.includes('r=')")
        assert listed(page) == after


@pytest.mark.parametrize("path", ["/", "/model", "/map"])
def test_on_a_phone(browser: Any, url: str, path: str) -> None:
    address = rated_link(url).replace("/#", f"{path}#")
    with opened(browser, address, PHONE, has_touch=True, is_mobile=True) as page:
        page.locator("#app").wait_for()
        if path == "/":
            before = listed(page)
            page.locator("#list .film").first.locator(".title").tap()
            page.locator("#list .film .more li").first.wait_for()
            stars = page.locator("#list .film .rater .stars").first
            stars.tap(position={"x": stars.bounding_box()["width"] - 4, "y": 8})
            changed(page, before)
            assert page.locator("#rated input:checked").first.get_attribute("value") == "5"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("path", ["/", "/#rated", "/model", "/map", "/docs", "/nowhere"])
def test_axe_finds_nothing(browser: Any, url: str, path: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    link = rated_link(url)
    address = {"/": f"{url}/", "/#rated": link}.get(path, link.replace("/#", f"{path}#"))
    with opened(browser, address, expected="404") as page:
        page.locator("#app").wait_for()
        if path == "/#rated":
            listed(page)
            page.locator("#list .title").first.click()
            page.locator("#list .more li").first.wait_for()
            page.locator("#genre-control summary").click()
        elif path == "/":
            page.locator("#question-list li").first.wait_for()
            page.locator("#search").press_sequentially("the")
            page.get_by_role("option").first.wait_for()
        elif path == "/map":
            page.locator("#in-view .title").first.click()
            page.locator("#picked .rater").wait_for()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            done = axe.Axe().run(page).response["violations"]
            values = [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in done]
            assert values == [], scheme


def test_the_map_moves(browser: Any, url: str) -> None:
    with opened(browser, rated_link(url).replace("/#", "/map#")) as page:
        page.locator("#in-view li").first.wait_for()
        count = "document.getElementById('in-view-count').textContent"
        whole = page.evaluate(count)
        page.locator("#plane").focus()
        for _ in range(5):
            page.keyboard.press("+")
        page.wait_for_function(f"() => {count} !== {whole!r}")
        page.keyboard.press("0")
        page.wait_for_function(f"() => {count} === {whole!r}")
        box = page.locator("#plane").bounding_box()
        page.mouse.move(box["x"] + 300, box["y"] + 300)
        page.mouse.wheel(0, -1500)
        page.wait_for_function(f"() => {count} !== {whole!r}")
        title = page.locator("#in-view .title").first
        name = title.inner_text()
        title.click()
        assert name in page.locator("#picked h2").inner_text()
        assert page.locator("#in-view .own").count() >= 0
        rate(page, "#picked", 5)
        page.wait_for_function("() => location.hash.includes(':5')")


def test_the_model_card(browser: Any, url: str) -> None:
    with opened(browser, f"{url}/model") as page:
        page.locator("#caveats li").first.wait_for()
        assert re.fullmatch(r"0\.\d{3}|1\.\d{3}", page.locator(".big").first.inner_text())
        chart = page.locator("figure", has_text="Training")
        assert chart.locator("svg path.curve").count() >= 1
        chart.locator("summary").click()
        assert chart.locator("tbody tr").count() == 8


def test_without_titles_genres_or_stars(browser: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 40, (900, 2)), axis=0)
    ratings = Ratings.from_arrays(
        [f"u{user}" for user in pairs[:, 0]],
        [f"a:{item},b" for item in pairs[:, 1]],
        rng.integers(1, 101, len(pairs)),
        scale=Scale(1, 100),
    )
    folder = Bias().fit(ratings).save(tmp_path / "model")
    with served(folder, tmp_path / "log") as url, opened(browser, f"{url}/") as page:
        page.locator("#question-list input[type=range]").first.focus()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        listed(page)
        assert names(page, "#rated")[0].startswith("a:")
        assert page.locator("#list .predicted b").first.inner_text().isdigit()
        for absent in ("#genre-control", "#year-control", "#bold-control", "#taste"):
            assert page.locator(absent).is_hidden(), absent
        page.reload()
        assert names(page, "#rated") == [] or listed(page)
        page.goto(f"{url}/map")
        page.locator("#trouble .notice").wait_for()


def test_a_link_of_another_model_is_adapted(browser: Any, url: str) -> None:
    item = CLIENT.get(f"{url}/v1/items?limit=1").json()["items"][0]["item"]
    link = f"{url}/#r={item}:4,nowhere:3,{item}x:99&g=Nonsense"
    with opened(browser, link, expected="422") as page:  # of the first try, with all of it
        listed(page)
        notice = page.locator("#notices")
        assert "does not know 1 of what you rated: nowhere" in notice.inner_text()
        notice.locator("button", has_text="Remove").click()
        page.wait_for_function("() => !location.hash.includes('nowhere')")
