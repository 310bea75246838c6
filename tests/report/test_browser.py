"""Pages in a real browser: silent, offline, in bounds, legible, and usable with keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plausible
import pytest

from matinee.lab.report import publish_study

KINDS = ["reference", "depth-and-data", "protocol", "model"]
PHONE, DESK = 390, 1280

# Contrast of every text with what is behind it (WCAG 2.2, 1.4.3), as [ratio, text]: the worst few.
CONTRAST = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number);
    return m.length > 3 ? m : [...m, 1]; };
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92
    : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      if (e.matches('g.mark') && e.querySelector('.cell') && e.querySelector('.value'))
        return parse(getComputedStyle(e.querySelector('.cell')).fill);
      const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c;
    }
    return [255, 255, 255, 1];
  };
  const found = [];
  document.querySelectorAll('body *').forEach(e => {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) return;
    if (e.closest('script,style,.hidden,.skip,.tip') || !e.getClientRects().length) return;
    const s = getComputedStyle(e), a = light(parse(e.closest('svg') ? s.fill : s.color));
    const b = light(behind(e));
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.slice(0, 40)]);
  });
  return found.sort((a, b) => a[0] - b[0]).slice(0, 3);
}"""


class Opened:
    """A page in the browser, and what it did."""

    def __init__(self, browser: Any, path: Path, width: int, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.context.set_default_timeout(120_000)  # for machines that have other things to do
        self.page = self.context.new_page()
        self.console: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    @property
    def tip(self) -> str:
        texts: str = self.page.locator(".tip").inner_text()
        return texts

    def width(self) -> int:
        evaluation: int = self.page.evaluate("document.documentElement.scrollWidth")
        return evaluation


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_no_console_messages_offline_and_in_bounds(
    browser: Any, pages: dict[str, Path], kind: str, width: int
) -> None:
    with Opened(browser, pages[kind], width) as opened:
        opened.page.locator(".cursor").first.hover()
        assert opened.console == []
        urls = [url for url in opened.asked if not url.startswith("data:")]
        assert urls == [pages[kind].as_uri()]
        assert opened.width() == width
        outside = opened.page.evaluate(
            "() => [...document.querySelectorAll('svg.chart text')].filter(t => {"
            "const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();"
            "return a.width && (a.left < b.left - 6 || a.right > b.right + 6); })"
            ".map(t => t.textContent)"
        )
        assert outside == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_is_legible(browser: Any, pages: dict[str, Path], kind: str) -> None:
    with Opened(browser, pages[kind], DESK) as opened:
        for scheme in ("light", "dark"):
            opened.page.emulate_media(color_scheme=scheme)
            worst = opened.page.evaluate(CONTRAST)
            assert worst
            assert worst[0][0] >= 4.5, (scheme, worst)


def test_values_by_pointer_and_by_keys(browser: Any, pages: dict[str, Path]) -> None:
    with Opened(browser, pages["reference"], DESK) as opened:
        page = opened.page
        assert page.locator(".tip").is_hidden()
        chart = page.locator("#batch-size-held-out .cursor")
        chart.hover()
        assert opened.tip.startswith("epoch 2")
        assert opened.tip.count("(") == 9  # an interval for each arm
        page.mouse.move(5, 5)
        assert page.locator(".tip").is_hidden()

        page.locator("a[href='#again']").focus()
        chart.focus()
        page.keyboard.press("Home")
        assert opened.tip.startswith("epoch 1\n")
        page.keyboard.press("ArrowRight")
        assert opened.tip.startswith("epoch 2\n")
        page.keyboard.press("End")
        assert opened.tip.startswith("epoch 50")
        spoken = chart.get_attribute("aria-valuetext")
        assert spoken.startswith("epoch 50: ")
        assert "held-out RMSE" in chart.get_attribute("aria-label")
        page.keyboard.press("Escape")
        assert page.locator(".tip").is_hidden()

        marks = page.locator("#batch-size-figures .cursor")
        marks.focus()
        page.keyboard.press("Home")
        assert "RMSE: " in opened.tip


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_contents_stay_in_view(browser: Any, pages: dict[str, Path], width: int) -> None:
    with Opened(browser, pages["model"], width, reduced_motion="reduce") as opened:
        page = opened.page
        page.locator("nav a[href='#data']").click()
        contents = page.locator("nav").bounding_box()
        heading = page.locator("h2#data").bounding_box()
        assert contents["y"] == 0
        assert heading["y"] >= contents["height"]


def test_titles_name_the_data(browser: Any, pages: dict[str, Path]) -> None:
    with Opened(browser, pages["model"], DESK) as opened:
        assert opened.page.title() == "bias on synthetic · Matinee"
    with Opened(browser, pages["reference"], DESK) as opened:
        assert opened.page.title().endswith(" · ml · Matinee")


def test_a_wide_table_has_a_shadow_until_scrolled_to_its_end(
    browser: Any, pages: dict[str, Path]
) -> None:
    # The shadow stays at the edge (scroll), under a cover at the end of the table (local).
    with Opened(browser, pages["reference"], PHONE) as opened:
        attachments = opened.page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
            ".map(e => getComputedStyle(e).backgroundAttachment)"
        )
        assert attachments
        assert set(attachments) == {"local, scroll"}


def test_values_by_touch(browser: Any, pages: dict[str, Path]) -> None:
    with Opened(browser, pages["model"], PHONE, has_touch=True) as opened:
        opened.page.locator("#calibration .cursor").tap()
        assert opened.tip.startswith("predicted ")
        assert opened.width() == PHONE


def test_it_reads_without_scripts(browser: Any, pages: dict[str, Path]) -> None:
    with Opened(browser, pages["reference"], DESK, java_script_enabled=False) as opened:
        assert opened.page.locator("svg.chart").first.is_visible()
        assert opened.page.locator("table.verdicts").is_visible()
        assert opened.page.locator(".cursor").count() == 0


def test_it_prints_light_and_whole(browser: Any, pages: dict[str, Path]) -> None:
    with Opened(browser, pages["reference"], DESK, color_scheme="dark") as opened:
        page = opened.page
        page.emulate_media(media="print", color_scheme="dark")
        look = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(look) == "rgb(255, 255, 255)"
        assert page.locator("nav").is_hidden()
        ink = "getComputedStyle(document.querySelector('svg.chart text')).fill"
        dark = sum(int(v) for v in page.evaluate(ink).strip("rgb()").split(",")) / 3
        assert dark < 100
        assert len(page.pdf(format="A4")) > 50_000


def test_the_way_by_tab(browser: Any, pages: dict[str, Path]) -> None:
    with Opened(browser, pages["protocol"], DESK) as opened:
        page = opened.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        names = page.evaluate(
            "() => [...document.querySelectorAll('a, summary, [tabindex]')].map(e =>"
            "e.getAttribute('aria-label') || e.textContent.trim())"
        )
        assert len(names) > 8
        assert all(names)


def test_a_chart_as_a_file(browser: Any, tmp_path: Path) -> None:
    publish_study(plausible.reference(), tmp_path)
    path = tmp_path / "charts" / "batch-size-held-out.svg"
    for scheme, dark in (("light", False), ("dark", True)):
        with Opened(browser, path, 700, color_scheme=scheme) as opened:
            assert opened.console == []
            paper = opened.page.evaluate("getComputedStyle(document.querySelector('.paper')).fill")
            assert (paper == "rgb(255, 255, 255)") != dark
