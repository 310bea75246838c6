"""Pages as text: whole, self-contained, escaped, in order."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import plausible
import pytest

import matinee
from matinee.charts.lines import Lines
from matinee.data import split
from matinee.errors import LeakError
from matinee.evaluate import Interval, Score
from matinee.lab.report import ModelReport, StudyReport, write_model_report, write_study_report
from matinee.lab.report._love import love_charts, love_sheet
from matinee.lab.study import Results
from matinee.models import Bias, LovePoint
from matinee.models.inspect import LOVES
from matinee.synth import synthesize

KINDS = ["reference", "depth-and-data", "protocol", "model"]
VOID = {"meta", "link", "br", "img", "input", "hr", "path", "circle", "line", "rect"}


class Page(HTMLParser):
    """Elements of a page, and whether they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(params=KINDS)
def page(request: pytest.FixtureRequest, pages: dict[str, Path]) -> Page:
    return Page(pages[request.param].read_text("utf-8"))


def test_every_element_is_closed_and_every_id_is_one(page: Page) -> None:
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.seen if attrs.get("id")]
    assert sorted(ids) == sorted(set(ids))


def test_nothing_is_fetched(page: Page) -> None:
    for tag, attrs in page.seen:
        assert "src" not in attrs, tag
        href = attrs.get("href")
        assert href is None or href.startswith(("#", "data:")), href
        assert not any(name.startswith("on") for name in attrs)
    assert not {tag for tag, _ in page.seen} & {"img", "iframe", "object", "embed", "base"}


def test_headings_links_and_charts_are_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.seen if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    ids = {attrs["id"] for _, attrs in page.seen if attrs.get("id")}
    for tag, attrs in page.seen:
        if tag == "a" and (attrs["href"] or "").startswith("#"):
            assert (attrs["href"] or "")[1:] in ids
        if tag == "svg":
            assert attrs["role"] == "img"
            assert set((attrs["aria-labelledby"] or "").split()) <= ids
        if tag == "th":
            assert attrs.get("scope") in ("row", "col")
    assert any(tag == "svg" for tag, _ in page.seen)
    assert ("main", {"id": "main"}) in page.seen


def test_the_reference_page_says_what_it_must(pages: dict[str, Path]) -> None:
    text = Page(pages["reference"].read_text("utf-8")).text
    for words in (
        "The reference study, judged on held-out ratings",
        "Of 3 claims",
        "does not hold",
        "held-out RMSE",
        "reference's formula, on training ratings",
        "mean of per-batch training RMSE",
        "held-out, mean over users",
        "published “test”",
        "4 runs are not done yet",
        "learning rate 0.01",
        "a made-up processor <&>",
        "matinee study run reference",
    ):
        assert words in text, words
    assert text.index("Of 3 claims") < text.index("Batch size 8 is best.") < text.index("epoch")


def test_the_model_page_says_what_it_must(pages: dict[str, Path]) -> None:
    text = Page(pages["model"].read_text("utf-8")).text
    for words in (
        "800 test ratings",
        "Mean rating by predicted rating",
        "Residuals",
        "how active the user is",
        "how popular the item is",
        "Items with the largest error",
        "Recall by length of the list",
        "the most popular items first",
        "Lists by love",
        "Rating of what lists of 10 show, by love",
        "(own)",
        "no better and no worse than bias",
    ):
        assert words in text, words


def test_a_quick_page_says_so(pages: dict[str, Path]) -> None:
    text = Page(pages["protocol"].read_text("utf-8")).text
    assert "This is the quick version" in text
    assert "matinee study run protocol --quick" in text


def test_the_table_of_all_arms() -> None:
    report = StudyReport.of(plausible.reference())
    rows = list(csv.DictReader(io.StringIO(report.table().csv())))
    assert len(rows) == len(report.summary.arms)
    eight = next(row for row in rows if row["arm"] == "batch_size/8")
    arm = report.summary.of("batch_size/8")
    assert arm is not None
    assert float(eight["held_out"]) == pytest.approx(arm.last["held_out"].mean, rel=1e-6)
    assert float(eight["published_test"]) == 0.68
    assert eight["train_ratings"] == "800167"
    assert "| batch size 8 |" in report.markdown()
    assert {"batch-size-held-out", "batch-size-figures"} <= {chart.name for chart in report.charts}


def test_the_page_carries_the_same_table(pages: dict[str, Path]) -> None:
    page = Page(pages["reference"].read_text("utf-8"))
    links = [attrs["href"] or "" for tag, attrs in page.seen if "download" in attrs]
    table = next(link for link in links if link.startswith("data:text/csv"))
    assert unquote(table.partition(",")[2]) == StudyReport.of(plausible.reference()).table().csv()


def test_heat_maps_for_many_data(pages: dict[str, Path]) -> None:
    report = StudyReport.of(plausible.depth_and_data())
    kinds = [chart.kind for chart in report.charts]
    assert kinds == ["heat", "lines", "heat", "lines"]
    assert "the best depth is" in report.charts[0].summary


def test_it_is_small_and_quick(pages: dict[str, Path]) -> None:
    assert pages["reference"].stat().st_size < 500_000
    started = time.process_time()
    StudyReport.of(plausible.reference()).html()
    assert time.process_time() - started < 5


HOSTILE = '</title></script><script>alert(1)</script><img src=x onerror="alert(2)">'


def hostile(tmp_path: Path) -> Results:
    groups = [{"name": "g", "title": HOSTILE, "text": HOSTILE, "arms": [{"name": HOSTILE}]}]
    claim = {
        "id": HOSTILE,
        "text": HOSTILE,
        "who": HOSTILE,
        "note": HOSTILE,
        "checks": [{"kind": "near", "arms": [f"g/{HOSTILE}"], "value": 1.0}],
    }
    study = plausible.reference().study.replace(
        {"title": HOSTILE, "text": HOSTILE, "groups": groups, "claims": [claim], "base": ""}
    )
    runs = {(f"g/{HOSTILE}", "ml", s): plausible.record(HOSTILE, seed=s) for s in (0, 1)}
    return Results(study, runs, 2)


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    folder = write_study_report(hostile(tmp_path), tmp_path / "page.html")
    page = Page(folder.read_text("utf-8"))
    assert page.open == []
    assert "img" not in {tag for tag, _ in page.seen}
    scripts = [attrs for tag, attrs in page.seen if tag == "script"]
    figures = sum(tag == "figure" for tag, _ in page.seen)
    assert len(scripts) == figures + 1
    assert page.text.count("alert(2)") > 5


def test_values_for_the_script_are_json(pages: dict[str, Path]) -> None:
    text = pages["reference"].read_text("utf-8")
    links = re.findall(r'<script type="application/json">(.*?)</script>', text)
    assert len(links) > 10
    assert all(isinstance(json.loads(each), dict) for each in links)


def test_what_only_some_studies_measure(tmp_path: Path) -> None:
    result = plausible.reference(seeds=[0], epochs=3)
    more = {
        "single_row_statistics.held_out": 3.1,
        "protocol.global": 0.9,
        "noise_floor": 0.77,
    }
    runs = {
        key: replace(record, final=record.final | more) if record.final else record
        for key, record in result.runs.items()
    }
    text = Page(StudyReport.of(replace(result, runs=runs)).html()).text
    assert "held-out, batch norm by one row" in text
    assert "noise floor" in text
    assert "one model, 1 figures" not in text  # the reference's figures are shown instead
    formulas = Page(StudyReport.of(plausible.protocol()).html()).text
    assert "paired by position" in formulas


def test_a_run_that_arms_share_is_not_one_left_to_do() -> None:
    result = plausible.reference(seeds=[0], epochs=3)
    runs = dict(result.runs)
    runs["batch_size/16", "ml", 0] = runs["base/base", "ml", 0]
    whole = replace(result, runs=runs, expected=len(runs))
    text = Page(StudyReport.of(whole).html()).text
    assert f"{len(runs)} of {len(runs)} runs, 1 of them shared by arms that coincide" in text
    assert "not done yet" not in text


def test_no_runs_at_all(tmp_path: Path) -> None:
    study = plausible.reference().study
    folder = write_study_report(Results(study, {}, 60), tmp_path)
    assert folder == tmp_path / "reference.html"
    text = Page(folder.read_text("utf-8")).text
    assert "60 runs are not done yet" in text
    assert "cannot tell" in text


def test_one_seed_has_no_intervals(tmp_path: Path) -> None:
    report = StudyReport.of(plausible.reference(seeds=[0], epochs=3))
    assert "one seed: no interval" in report.html()


def test_a_model_without_test_ratings(tmp_path: Path) -> None:
    model = Bias().fit(synthesize(60, 40, 1000, seed=1).ratings)
    folder = write_model_report(model, None, tmp_path / "model.html")
    text = Page(folder.read_text("utf-8")).text
    assert "there is no score" in text
    assert "Mean rating by predicted rating" not in text


def test_lists_by_love_are_drawn_with_the_own_value_marked() -> None:
    train, test = split(synthesize(120, 60, 4000, seed=1).ratings, 0.2, 0)
    model = Bias().fit(train)
    report = ModelReport.of(model, test)
    hits, ratings = report.charts["love"]
    assert isinstance(hits, Lines)
    assert isinstance(ratings, Lines)
    lists = report.lists
    assert lists is not None
    assert [mark.x for mark in hits.marks] == [model.love] * 2
    wanted = [lists.value(name, 10) for name in ("ndcg", "recall", "mean_rating")]
    assert [mark.y for mark in (*hits.marks, *ratings.marks)] == pytest.approx(wanted)
    own = [point.own for point in report.loves].index(True)
    sheet = love_sheet(report.loves, 10)
    assert sheet is not None
    assert sheet.strong == [own]
    assert sheet.rows[own][0] == f"{model.love:.4g} (own)"
    assert sheet.rows[own][1] == pytest.approx(wanted[0])
    assert [row[0] for row in sheet.rows if row[0] != sheet.rows[own][0]] == [
        f"{love:g}" for love in LOVES
    ]


def test_a_page_without_interest_and_ratings_has_no_lists_by_love() -> None:
    ratings = synthesize(120, 60, 4000, seed=1).ratings
    train, test = split(ratings.liked(4.0), 0.2, 0)
    report = ModelReport.of(matinee.model("item-knn").fit(train), test)
    assert report.lists is not None
    assert report.charts["love"] == []
    assert "by love" not in report.html()
    assert love_sheet([], 10) is None
    assert love_charts([], 10) == []


def test_an_infinite_love_is_in_the_table_alone() -> None:
    scores = dict.fromkeys(("ndcg", "recall", "coverage"), Score(0.5, Interval(0.4, 0.6)))
    scores["mean_rating"] = Score(float("nan"), None)
    points = [LovePoint(love, love == math.inf, scores) for love in (0.0, 1.0, math.inf)]
    (hits,) = love_charts(points, 10)
    assert isinstance(hits, Lines)
    assert hits.series[0].x == [0.0, 1.0]
    assert hits.marks == []
    assert "ring" not in hits.note
    sheet = love_sheet(points, 10)
    assert sheet is not None
    assert sheet.rows[2] == ["by rating alone (own)", 0.5, "0.4000 to 0.6000", 0.5, None, 0.5]


def test_what_the_model_has_seen_is_refused(tmp_path: Path) -> None:
    ratings = synthesize(60, 40, 1000, seed=1).ratings
    with pytest.raises(LeakError):
        write_model_report(Bias().fit(ratings), ratings, tmp_path / "model.html")
    assert not (tmp_path / "model.html").exists()
    train, _ = split(ratings, 0.2, 0)
    report = ModelReport.of(Bias().fit(train), ratings, allow_overlap=True)
    assert "the score is invalid" in report.html()
