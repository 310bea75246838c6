"""Figures that README and docs mark with a preset's hash are of today's settings, or say so.

A mark is "`default` of `1a2b3c4d`" in a text, or "1a2b3c4d 2026-11-28" in a row of a leaderboard.
Where the preset has changed since, its section says "earlier settings"; or the figures are printed
anew and the mark with them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from matinee.models.presets import frozen_presets

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IN_TEXT = re.compile(r"`(?P<name>[a-z0-9-]+)`\s+of\s+`(?P<hash>[0-9a-f]{8})`")
IN_ROW = re.compile(
    r"^\| (?P<name>[a-z0-9-]+) \|.*\| (?P<hash>[0-9a-f]{8}) \d{4}-\d\d-\d\d \|", re.M
)
SAID = "earlier settings"


def marks(text: str) -> list[tuple[str, str]]:
    """Names and hashes of the presets that a text quotes."""
    result = [*IN_TEXT.finditer(text), *IN_ROW.finditer(text)]
    return [(each["name"], each["hash"]) for each in result]


def stale(text: str) -> list[str]:
    """Presets that a text quotes with settings that are not today's, without saying so."""
    today = {name: frozen.hash for name, frozen in frozen_presets().items()}
    return [
        f"{name} of {quoted}, today {today.get(name)}"
        for section in re.split(r"^#+ ", text, flags=re.MULTILINE)
        if SAID not in section
        for name, quoted in marks(section)
        if today.get(name) != quoted
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_quotes_settings_that_changed_without_saying_so(page: Path) -> None:
    assert stale(page.read_text("utf-8")) == []


def test_a_figure_of_other_settings_is_noticed() -> None:
    today = frozen_presets()["default"].hash
    for text in ("`default` of\n`{}`, 0.8273", "| default | 0.8273 (5) | {} 2026-11-28 | here |\n"):
        assert stale(text.format(today)) == []
        assert stale(text.format("0" * 8)) == [f"default of 00000000, today {today}"]
        assert stale(f"# One\n{text.format('0' * 8)}\n# Two\nearlier settings\n") != []
        assert stale(f"{text.format('0' * 8)}\nThese are {SAID}.") == []
    assert stale("`gone` of `12345678`") != []


def test_some_page_quotes_presets() -> None:
    assert any(marks(page.read_text("utf-8")) for page in PAGES)
