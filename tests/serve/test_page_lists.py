"""The page's lists: the dial, what is hidden, two people, exports, links, and Back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import PHONE, changed, listed, names, opened, rate, rated_link, served
from serving import CLIENT

from matinee import BiasedMF
from matinee.data import Ratings, Scale
from matinee.models import Bias
from matinee.synth import synthesize


@pytest.fixture(scope="module")
def interested(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The address of a server whose model ranks by interest and the rating."""
    home = tmp_path_factory.mktemp("interest")
    ratings = synthesize(300, 120, 12_000, seed=5).ratings
    made = BiasedMF(sweeps=3, factors=4, ridge=5.0, interest="linear").fit(ratings, seed=0)
    with served(made.save(home / "model"), home / "log") as url:
        yield url


def test_the_dial_and_what_the_order_is(browser: Any, interested: str) -> None:
    with opened(browser, rated_link(interested)) as page:
        middle = listed(page)
        assert "likely you are to pick a film and to like it" in page.locator("#order").inner_text()
        page.locator("#dial").fill("1")
        stars = changed(page, middle)
        assert "rate a film high" in page.locator("#order").inner_text()
        shown = page.locator("#list .predicted b").all_inner_texts()
        assert [float(text) for text in shown] == sorted(map(float, shown), reverse=True)
        assert "l=1" in page.url
        link = page.url
        page.locator("#dial").fill("0.5")
        assert changed(page, stars) == middle
    with opened(browser, link) as page:
        assert listed(page) == stars


def test_the_list_becomes_more_or_less_personal(browser: Any, interested: str) -> None:
    with opened(browser, rated_link(interested)) as page:
        before = listed(page)
        page.locator("#personal").fill("0.5")
        changed(page, before)
        assert "your own ratings add counts for more" in page.locator("#order").inner_text()
        assert "p=0.5" in page.url
        page.locator("#personal").fill("-0.5")
        assert "suits anyone" in page.locator("#order").inner_text()


def test_without_interest_there_is_no_dial(browser: Any, tmp_path: Path) -> None:
    made = BiasedMF(sweeps=2, factors=2, interest="none")
    made.fit(synthesize(60, 40, 1500, seed=5).ratings, seed=0)
    with (
        served(made.save(tmp_path / "model"), tmp_path / "log") as url,
        opened(browser, rated_link(url)) as page,
    ):
        listed(page)
        assert page.locator("#dial-control").is_hidden()
        assert "rating it predicts" in page.locator("#order").inner_text()


def test_not_interested_and_back(browser: Any, url: str) -> None:
    with opened(browser, rated_link(url)) as page:
        first = listed(page)
        page.locator("#list .not").first.click()
        second = changed(page, first)
        assert first[0] not in second
        assert "x=" in page.url
        page.locator("#undo button").click()
        assert changed(page, second) == first
        rate(page, "#list .film:nth-child(2)", 5)
        third = changed(page, first)
        page.go_back()
        assert changed(page, third) == first
        page.go_forward()
        assert changed(page, first) == third


def test_two_people(browser: Any, url: str) -> None:
    items = CLIENT.get(f"{url}/v1/items?limit=9").json()["items"]
    second = ",".join(f"{each['item']}:5" for each in items[6:])
    with opened(browser, rated_link(url)) as page:
        alone = listed(page)
        page.locator(".together summary").click()
        page.locator("#with").fill("nothing")
        page.locator("#with").press("Tab")
        page.locator("#with-wrong").wait_for()
        page.locator("#with").fill(f"{url}/#r={second}")
        page.locator("#with").press("Tab")
        both = changed(page, alone)
        assert page.locator("#list-heading").inner_text() == "For both of you"
        assert "nobody is let down" in page.locator("#order").inner_text()
        assert not {each["title"] for each in items[6:]} & set(both)
        assert page.locator("#list .why").first.inner_text().startswith("You ")
        page.locator("#alone").click()
        assert changed(page, both) == alone


@pytest.mark.parametrize("source", ["letterboxd", "imdb", "goodreads"])
def test_an_export_is_read_in_the_browser(
    browser: Any, url: str, source: str, tmp_path: Path
) -> None:
    items = CLIENT.get(f"{url}/v1/items?limit=3").json()["items"]
    plain = [each["title"].rpartition(" (")[0].replace('"', '""') for each in items]
    heads = {
        "letterboxd": "Date,Name,Year,Letterboxd URI,Rating",
        "imdb": "Const,Your Rating,Date Rated,Title,URL,Title Type,Year",
        "goodreads": "Book Id,Title,Author,My Rating",
    }
    rows = []
    for at, (title, item) in enumerate(zip(plain, items, strict=True)):
        year = item["year"] + 40 * (at == 2)  # another film of the same name
        rows.append(
            {
                "letterboxd": f'2020-01-01,"{title}",{year},https://boxd.it/1,4.5',
                "imdb": f'tt1,9,2020-01-01,"{title}",https://imdb.com,movie,{year}',
                "goodreads": f'1,"{title} (Part #1)","Some, One",{0 if at == 2 else 5}',
            }[source]
        )
    file = tmp_path / f"{source}.csv"
    file.write_text("\ufeff" + "\r\n".join([heads[source], *rows]) + "\r\n", encoding="utf-8")
    with opened(browser, f"{url}/") as page:
        page.locator("#question-list li").first.wait_for()
        page.locator("#export").set_input_files(file)
        listed(page)
        stars = page.locator("#rated input:checked").evaluate_all("all => all.map(e => e.value)")
        assert stars == ["5", "5"]
        notice = page.locator("#standing .notice").inner_text()
        assert notice.startswith("2 of ")
        rate(page, "#list .film:nth-child(1)", 4)
        page.locator("#standing .notice").wait_for()  # it stays until it is closed
        page.locator("#standing .remove").click()
        assert page.locator("#standing .notice").count() == 0
        file.write_text("a,b\n1,2\n", encoding="utf-8")
        page.locator("#export").set_input_files(file)
        page.locator("#standing", has_text="none that is known").wait_for()


def test_links_of_another_model(browser: Any, url: str) -> None:
    with opened(browser, f"{url}/#r=nothing:4,never:2", expected="422") as page:
        page.locator("#notices", has_text="knows none of the films in this link").wait_for()
        page.locator("#notices button").click()
        page.locator("#question-list li").first.wait_for()
    with opened(browser, f"{rated_link(url)},nothing:4", expected="422") as page:
        listed(page)
        page.locator("#notices", has_text="does not know 1 of what you rated").wait_for()
    with opened(browser, f"{rated_link(url)},1:99", expected="422") as page:
        listed(page)
        page.locator("#standing", has_text="off the scale").wait_for()


def test_search_says_what_it_lacks(browser: Any, url: str) -> None:
    with opened(browser, f"{url}/") as page:
        page.locator("#search").fill("Inception")
        none = page.locator("#found .none")
        none.wait_for()
        assert "No film called “Inception” here: these are of" in none.inner_text()
        page.locator("#search").press("Enter")


def test_only_low_ratings(browser: Any, url: str) -> None:
    items = CLIENT.get(f"{url}/v1/items?limit=4").json()["items"]
    link = f"{url}/#r=" + ",".join(f"{each['item']}:1" for each in items)
    with opened(browser, link) as page:
        listed(page)
        page.locator("#notices", has_text="You liked none").wait_for()


def test_stars_and_bars_in_forced_colours(browser: Any, url: str) -> None:
    with opened(browser, rated_link(url), forced_colors="active") as page:
        listed(page)
        page.locator("#taste-genres li").first.wait_for()
        for where, part in (("#list .predicted .stars", "::after"), ("#rated .stars", "::after")):
            drawn = page.locator(where).first.evaluate(
                "(e, part) => getComputedStyle(e, part).backgroundImage", part
            )
            assert "gradient" in drawn
        bar = page.locator("#taste-genres i").first.evaluate(
            "e => getComputedStyle(e).forcedColorAdjust"
        )
        assert bar == "none"


def test_words_by_the_items_and_ten_stars_on_a_phone(browser: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 40)) < 0.5)
    values = rng.integers(1, 11, len(users))
    made = Bias().fit(Ratings.from_arrays(users, items, values, scale=Scale(1, 10)))
    folder = made.save(tmp_path / "model")
    options: dict[str, Any] = {"has_touch": True, "is_mobile": True}
    with (
        served(folder, tmp_path / "log", "--things", "books") as url,
        opened(browser, rated_link(url), PHONE, **options) as page,
    ):
        listed(page)
        assert page.locator("#heading").inner_text() == "What do you know?"
        assert page.locator("#list .seen .stars").first.bounding_box()["width"] > 200
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
        assert "book" in page.locator("#order").inner_text()
        assert names(page)
