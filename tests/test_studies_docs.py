"""What the docs say of the studies is what the committed CSV files say."""

from __future__ import annotations

import csv
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from matinee.lab.report import publish_study
from matinee.lab.study import load_results

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
STUDIES = sorted(path.parent.name for path in (DOCS / "studies").glob("*/study.toml"))
REFRESH = "run: python docs/refresh_studies.py"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def scripts() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield importlib.import_module("refresh_studies")


@pytest.fixture(scope="module", params=STUDIES)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study published anew from its committed runs.csv and curves.csv."""
    name: str = request.param
    folder = tmp_path_factory.mktemp("published") / name
    publish_study(load_results(DOCS / "studies" / name), folder)
    return folder


def test_the_reference_study_is_there() -> None:
    assert "reference" in STUDIES


@pytest.mark.parametrize(
    "file", ["study.toml", "runs.csv", "curves.csv", "summary.csv", "verdicts.csv", "summary.md"]
)
def test_a_study_follows_from_its_runs(published: Path, file: str) -> None:
    committed, made = DOCS / "studies" / published.name / file, published / file
    assert committed.exists() == made.exists()
    if made.exists():
        assert _rounded(committed) == _rounded(made), REFRESH


def _rounded(path: Path) -> str:
    """A text with six digits of every number: the last of eight depends on the version of NumPy."""
    text = path.read_text("utf-8")
    return re.sub(r"\d+\.\d{5,}", lambda number: f"{float(number[0]):.6g}", text)


def test_its_charts_say_the_same(published: Path) -> None:
    def said(folder: Path) -> dict[str, str | None]:
        return {
            path.name: ElementTree.parse(path).getroot().findtext(f"{SVG}desc")
            for path in (folder / "charts").glob("*.svg")
        }

    assert said(DOCS / "studies" / published.name) == said(published), REFRESH


def test_its_report_holds_the_same(published: Path) -> None:
    page = (DOCS / "studies" / published.name / "report.html").read_text("utf-8")
    made = (published / "report.html").read_text("utf-8")
    held = re.findall(r'href="(data:text/[^"]+)"', made)
    assert len(held) == 2  # the summary as CSV and as Markdown
    assert re.findall(r'href="(data:text/[^"]+)"', page) == held, REFRESH
    assert len(page) < 750_000


@pytest.mark.parametrize("name", STUDIES)
def test_summary_and_curves_agree(name: str) -> None:
    """Recomputed here from the rows alone: the mean over seeds of each arm's last epoch."""

    def read(file: str) -> list[dict[str, str]]:
        with (DOCS / "studies" / name / file).open(encoding="utf-8", newline="") as text:
            return list(csv.DictReader(text))

    last: dict[str, dict[str, str]] = {}
    for row in read("curves.csv"):
        last[row["run"]] = row
    runs = read("runs.csv")
    compared = 0
    for row in read("summary.csv"):
        of_arm = [r for r in runs if (r["arm"], r["data"]) == (row["arm"], row["data"])]
        values = [last[r["run"]]["held_out"] for r in of_arm if r["run"] in last]
        if int(row["diverged"]) or not values:
            continue
        assert len(values) == int(row["seeds"])
        mean = sum(map(float, values)) / len(values)
        assert float(row["held_out"]) == pytest.approx(mean, rel=1e-6), row["arm"]
        compared += 1
    assert compared > 3


def test_pages_and_pictures_are_made_from_the_csv_files(scripts: ModuleType) -> None:
    written = scripts.pages()
    assert {"docs/reference-study.md", "docs/autoencoders.md", "docs/pictures/network.svg"} <= set(
        written
    )
    for name, text in written.items():
        assert (ROOT / name).read_text("utf-8") == text, f"{name} is out of date; {REFRESH}"
    drawn = {f"docs/pictures/{path.name}" for path in (DOCS / "pictures").glob("*")}
    assert drawn == {name for name in written if name.startswith("docs/pictures/")}


def test_a_changed_number_would_be_noticed(scripts: ModuleType) -> None:
    page = (DOCS / "autoencoders.md").read_text("utf-8")
    match = re.search(r"<!-- figure: [^>]*-->(\d\.\d+)<!--", page)
    assert match is not None
    spoilt = page[: match.start(1)] + "0.123" + page[match.end(1) :]
    assert scripts.numbers.fill(spoilt, scripts.TABLES) == page


def test_an_unknown_column_is_an_error(scripts: ModuleType) -> None:
    with pytest.raises(KeyError, match="heldout"):
        scripts.numbers.figure("reference", "base/base", "heldout")


def test_no_number_stands_beside_its_marker(scripts: ModuleType) -> None:
    """A number written by hand is a setting, a published figure, or one of the lab notes."""
    with (DOCS / "studies" / "reference" / "summary.csv").open(encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    stated = {float(r[c]) for r in rows for c in ("published_train", "published_test") if r[c]}
    notes = set(re.findall(r"\d+\.\d+", (DOCS / "lab-notes.md").read_text("utf-8")))
    # Settings, and what holds of published models in general.
    stated |= {0.05, 0.01, 0.06, 0.5, 0.65, 0.8}
    for name in ("docs/autoencoders.md", "docs/studies/README.md"):
        for part in scripts.numbers.unmarked((ROOT / name).read_text("utf-8")).split("\n\n"):
            known = notes if "lab-notes.md" in part else set()
            for number in re.findall(r"\d+\.\d+", part):
                assert number in known or float(number) in stated, f"{name}: {number} in {part!r}"


@pytest.mark.parametrize(
    "name",
    ["docs/paper.md", "docs/reference-study.md", "docs/autoencoders.md", "docs/studies/README.md"],
)
def test_markers_do_not_break_paragraphs(name: str) -> None:
    # A line that begins with a comment is raw HTML to Markdown, and ends the paragraph before it.
    text = (ROOT / name).read_text("utf-8")
    assert re.findall(r"^ {0,3}<!-- (?:figure|verdict|runs):.*", text, re.MULTILINE) == []
    for kind in ("figure", "verdict", "runs", "table"):
        opened, closed = f"<!-- {kind}: ", f"<!-- /{kind} -->"
        assert text.count(opened) == text.count(closed)


@pytest.mark.parametrize(
    "name", ["README.md", "docs/paper.md", "docs/reference-study.md", "docs/autoencoders.md"]
)
def test_links_and_images_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for bang, words, target in re.findall(r"(!?)\[([^\]]*)\]\(([^)]+)\)", page.read_text("utf-8")):
        path, _, _ = target.partition("#")
        if "//" in path or not path:
            continue
        if path.startswith(("depth-and-data/", "protocol/")) and path[:5] not in {
            study[:5] for study in STUDIES
        }:
            continue  # not run yet
        assert (page.parent / path).exists(), f"{name}: {target}"
        if bang:
            assert len(words) > 40, f"{name}: {target} has no alternative text"


def test_pictures_are_light_and_dark_and_say_what_they_show() -> None:
    result = [*(DOCS / "pictures").glob("*.svg"), *(DOCS / "studies").glob("*/charts/*.svg")]
    assert len(result) > 20
    for path in result:
        text = path.read_text("utf-8")
        root = ElementTree.fromstring(text.encode())
        assert root.findtext(f"{SVG}title"), path
        assert root.findtext(f"{SVG}desc"), path
        assert "prefers-color-scheme:dark" in text
        assert "paper" in text  # its own background, whatever the page behind it
