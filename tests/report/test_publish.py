"""A published folder is enough to make it again."""

from __future__ import annotations

import re
from pathlib import Path

import plausible

from matinee.lab.report import publish_study
from matinee.lab.study import load_results


def files_of(folder: Path) -> dict[str, str]:
    """Contents by name, less the day a page was made."""
    return {
        str(path.relative_to(folder)): re.sub(r"\b20\d\d-\d\d-\d\d\b", "", path.read_text("utf-8"))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_published_from_itself_it_is_the_same(tmp_path: Path) -> None:
    made = publish_study(plausible.reference(seeds=[0, 1], epochs=6), tmp_path / "one")
    again = publish_study(load_results(tmp_path / "one"), tmp_path / "two")
    assert len(made) == len(again)
    one = files_of(tmp_path / "one")
    assert one == files_of(tmp_path / "two")
    assert {str(path.relative_to(tmp_path / "one")) for path in made} == set(one)
    assert {"report.html", "summary.md", "summary.csv", "verdicts.csv"} <= set(one)
    shown = re.findall(r"\]\((charts/[^)]+)\)", one["summary.md"])
    assert len(shown) > 10
    assert set(shown) == {name for name in one if name.startswith("charts/")}


def test_a_chart_that_is_no_longer_drawn_goes(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "old.svg").write_text("<svg/>")
    publish_study(plausible.reference(seeds=[0], epochs=3), tmp_path)
    assert not (tmp_path / "charts" / "old.svg").exists()
