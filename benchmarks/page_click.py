"""From a click on a star to the changed list, in a real browser on a real `matinee serve`.

    python benchmarks/page_click.py models/quickstart [--clicks 20] [--starts 3]

Milliseconds from the click (the browser's own time stamp of it) until the list of recommendations
has changed, and until the next frame has been drawn: the first click after the page was opened on a
server that nobody has asked yet, and the median of those after it. Without a GPU the browser draws
by the processor, which is much of the latter. Needs matinee[browser] and Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serve_load import server

# A click is answered when the list differs, and seen in the frame after that: a task queued within
# an animation frame runs when that frame is done.
WATCH = """
() => {
  let clicked = null, state = null;
  const list = document.getElementById("list");
  const now = () => [...list.querySelectorAll(".title")].map((each) => each.textContent).join("|");
  addEventListener("click", (event) => { clicked = event.timeStamp; state = now(); }, true);
  window.times = [];
  new MutationObserver(() => {
    if (clicked === null || now() === state) return;
    const began = clicked;
    clicked = null;
    const changed = performance.now() - began;
    const asked = performance.getEntriesByType("resource")
      .filter((entry) => entry.name.endsWith("/v1/recommend")).at(-1);
    requestAnimationFrame(() => setTimeout(() => window.times.push({
      changed, drawn: performance.now() - began, asked: asked ? asked.duration : 0,
    })));
  }).observe(list, { childList: true });
}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--clicks", type=int, default=20, help="after the first")
    parser.add_argument("--starts", type=int, default=3, help="of the server and the page")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = []
    with chromium() as browser:
        for _ in range(options.starts):
            with server(options.model, 1) as (port, _):
                found.append(clicks(browser, f"http://127.0.0.1:{port}/", options.clicks))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for first, *others in found:
        changed, drawn = (
            statistics.median(other[what] for other in others) for what in ("changed", "drawn")
        )
        print(
            f"first click: list changed after {first['changed']:.0f} ms, drawn after "
            f"{first['drawn']:.0f} ms   next {len(others)}, median: {changed:.0f} ms, "
            f"{drawn:.0f} ms (requests {statistics.median(o['asked'] for o in others):.0f} ms)"
        )


def clicks(browser: Any, address: str, more: int) -> list[dict[str, float]]:
    """What each click took: until the list changed, until it was drawn, and its request."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.locator("#question-list .question").nth(7).wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate(WATCH)
    for number in range(more + 1):
        where = "#list .film .rater" if number else "#question-list"
        stars = page.locator(f"{where} .stars").first
        stars.scroll_into_view_if_needed()
        wide = stars.bounding_box()["width"]
        stars.click(position={"x": wide * (0.9 if number % 3 else 0.3), "y": 8})
        page.wait_for_function(f"() => window.times.length > {number}")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(200)  # a person looks before the next click
    found: list[dict[str, float]] = page.evaluate("window.times")
    page.close()
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium, or the one that CHROMIUM names."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        raise SystemExit("no chromium on this machine (make browser installs one)")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


if __name__ == "__main__":
    main()
