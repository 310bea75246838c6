"""Take the pictures of the pages, as docs/screenshots/*.webp: ``python docs/screenshots.py MODEL``.

The model of the pictures in the repository, whose titles are generated:

    matinee data synth cinema --users 3000 --items 800 --ratings 200000 --seed 7
    matinee train cinema --holdout 0.1 --epochs 8 --out models/cinema
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

PICTURES = Path(__file__).parent / "screenshots"
PORT = 8765
URL = f"http://127.0.0.1:{PORT}"


def main(model: str) -> None:
    from playwright.sync_api import sync_playwright

    command = Path(sys.executable).with_name("matinee")
    server = subprocess.Popen([command, "serve", model, "--port", str(PORT)])
    try:
        items = _when_ready()
        ratings = ",".join(
            f"{items[at]['item']}:{value}" for at, value in ((1, 5), (4, 4), (9, 2), (12, 5))
        )
        with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
            report = Path(home) / "report.html"
            subprocess.run([command, "report", model, "--out", report], check=True)
            browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"))
            _take(browser, f"{URL}/#r={ratings}", "page", "#list .film")
            _take(browser, f"{URL}/map#r={ratings}", "map", "#in-view li")
            _take(browser, f"{report.as_uri()}#score-section", "report", ".chart")
            browser.close()
    finally:
        server.terminate()
        server.wait()


def _when_ready() -> list[dict[str, Any]]:
    for _ in range(120):
        try:
            with urlopen(f"{URL}/v1/items?limit=40") as answer:
                items: list[dict[str, Any]] = json.load(answer)["items"]
                return items
        except OSError:
            time.sleep(0.5)
    raise SystemExit("the server did not start")


def _take(browser: Any, address: str, name: str, there: str) -> None:
    context = browser.new_context(
        viewport={"width": 1180, "height": 760}, reduced_motion="reduce", color_scheme="light"
    )
    page = context.new_page()
    page.goto(address)
    page.locator(there).first.wait_for()
    page.wait_for_timeout(800)
    # WebP is what the browser itself can write that is smallest; Playwright only offers others.
    shot = context.new_cdp_session(page).send(
        "Page.captureScreenshot", {"format": "webp", "quality": 82}
    )
    file = PICTURES / f"{name}.webp"
    file.write_bytes(base64.b64decode(shot["data"]))
    print(file, file.stat().st_size)
    context.close()


if __name__ == "__main__":
    main(sys.argv[1])
