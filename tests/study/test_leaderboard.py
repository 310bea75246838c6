"""A study as a leaderboard: ranks, published rows, libraries that are missing, other libraries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from made_results import run

from matinee.data import split
from matinee.errors import UsageError
from matinee.lab.leaderboard import leaderboard
from matinee.lab.leaderboard.text import COLUMNS, cells, heading, leaderboard_markdown, waiting
from matinee.lab.study import (
    Results,
    Study,
    find_study,
    load_results,
    plan_study,
    run_study,
)
from matinee.lab.study.archive import read_archive, write_archive
from matinee.lab.study.arms import resolve_arms
from matinee.lab.study.models import make_model
from matinee.lab.study.results import RunRecord
from matinee.models import Recommender, kind_named, model_kinds
from matinee.models.presets import frozen_presets
from matinee.synth import synthesize

OUTSIDE = [kind.name for kind in model_kinds() if kind.requires]
BOARD: dict[str, Any] = {
    "name": "board",
    "title": "Board",
    "preset": "base",
    "seeds": [0, 1, 2],
    "base": "simple/bias",
    "figures": ["valid"],
    "data": [
        {"name": "d", "source": "x", "holdout": 0.1, "resplit": True},
        {"name": "e", "source": "y", "holdout": 0.1, "validation": 0.1, "by": "time", "seeds": [0]},
    ],
    "groups": [
        {
            "name": "simple",
            "title": "S",
            "arms": [
                {"name": "bias", "model": "bias"},
                {"name": "user-mean", "model": "user-mean"},
            ],
        },
        {
            "name": "rest",
            "title": "R",
            "arms": [
                {"name": "net"},
                {"name": "svd", "model": "surprise-svd", "data": ["d"]},
                {"name": "lost"},
            ],
        },
    ],
    "literature": [
        {
            "model": "Paper",
            "data": ["d"],
            "rmse": 0.8,
            "source": "Somebody, WWW",
            "year": 2015,
            "test_selected": True,
            "folds_in": False,
        }
    ],
}


def record(rmse: float, bias: float, seed: int = 0, kind: str = "autoencoder") -> RunRecord:
    done = run(
        key=f"{kind}-{rmse}-{seed}",
        seed=seed,
        rmse=rmse,
        mae=rmse - 0.2,
        bias_rmse=bias,
        rmse_low=rmse - 0.01,
        rmse_high=rmse + 0.01,
        fit_seconds=123.4,
        folds_in=1.0 if kind == "autoencoder" else 0.0,
        train_ratings=900.0,
        test_ratings=100.0,
        bias_gain_low=bias - rmse - 0.01,
        bias_gain_high=bias - rmse + 0.01,
        **{"coverage.unknown_share": 0.125, "coverage.known_rmse": rmse - 0.05},
        coverage50=0.5,
        coverage80=0.8,
        coverage95=0.95,
    )
    done.settings["model"] = kind
    done.versions.update(matinee="1.2", threads="1", processor="A processor")
    done.versions["scikit-surprise"] = "1.1.5"
    return done


def results(**changes: Any) -> Results:
    diverged = run(seed=0, status="failed", error="training diverged: the loss is not a number")
    runs = {
        **{("simple/bias", "d", s): record(0.9 + s / 100, 0.9 + s / 100, s) for s in range(3)},
        **{("rest/net", "d", s): record(0.85 + s / 100, 0.9 + s / 100, s) for s in range(3)},
        ("rest/svd", "d", 0): record(0.75, 0.9, kind="surprise-svd"),
        ("rest/lost", "d", 0): diverged,
        ("rest/net", "e", 0): record(0.95, 0.94),
    }
    return Results(Study.make({**BOARD, **changes}), runs, 20)


def test_rows_are_ordered_by_rmse_and_name_what_was_measured() -> None:
    section, other = leaderboard(results()).sections
    assert [row.model for row in section.rows] == ["svd", "Paper", "net", "bias", "lost"]
    assert (section.train_ratings, section.test_ratings) == (900, 100)
    net = section.rows[2]
    assert (net.status, net.seeds) == ("measured", 3)
    assert net.rmse == pytest.approx(0.86)
    assert net.metrics["mae"] == pytest.approx(0.66)
    assert net.interval is not None
    half = 4.302653 * 0.01 / math.sqrt(3)  # Student's t of two degrees of freedom
    assert net.interval.high - net.interval.low == pytest.approx(2 * half, rel=1e-4)
    assert net.gain == pytest.approx(0.05)
    assert net.gain_interval is not None
    assert net.gain_interval.high - net.gain_interval.low == pytest.approx(0, abs=1e-9)  # paired
    assert net.seconds == pytest.approx(123.4)
    assert (net.threads, net.folds_in, net.test_selected) == (1, True, None)
    assert net.coverage == pytest.approx((0.5, 0.8, 0.95))
    assert net.source == "matinee 1.2"
    assert [row.model for row in other.rows] == ["net"]
    assert other.rows[0].gain == pytest.approx(-0.01)


def test_intervals_over_seeds_and_over_people_stand_under_their_names() -> None:
    rows = leaderboard(results()).sections[0].rows
    net = dict(zip(COLUMNS, cells(rows[2]), strict=True))
    assert net["95% over seeds"] == "0.8352 to 0.8848"
    assert net["95% over people"] == "0.8500 to 0.8700"
    assert net["gain, 95% over people"] == "0.0400 to 0.0600"
    svd = rows[0]
    assert svd.interval is None
    assert svd.people == pytest.approx((0.74, 0.76))
    assert svd.gain_interval is None
    assert svd.folds_in is False
    assert svd.source == "scikit-surprise 1.1.5"
    assert cells(svd)[2:4] == ["", "0.7400 to 0.7600"]


def test_rows_answered_by_the_bias_model_are_counted_beside_the_score_on_the_rest() -> None:
    svd = leaderboard(results()).sections[0].rows[0]
    fields = dict(zip(COLUMNS, cells(svd), strict=True))
    assert (fields["by the bias model"], fields["RMSE on the rest"]) == ("12.5%", "0.7000")
    mean = results()
    mean.runs["rest/svd", "d", 0].final["answers_unknown"] = 1.0
    row = leaderboard(mean).sections[0].rows[0]
    assert dict(zip(COLUMNS, cells(row), strict=True))["by the bias model"] == "0.0%"


@pytest.mark.parametrize(
    ("selection", "read", "scored", "cell"),
    [
        ("", 0.8, 0.08, "?"),
        ("none", 0.8, 0.08, "no"),
        ("test", 0.0, 0.0, "yes"),
        ("validation", 0.0, 0.0, "no"),
        ("validation", 0.8, 0.08, "80% read, 8% scored"),
        ("validation", None, None, "?"),
    ],
)
def test_the_selection_is_what_the_study_declares(
    selection: str, read: float | None, scored: float | None, cell: str
) -> None:
    choice = {"choice_read": read, "choice_scored": scored}
    choice = {name: share for name, share in choice.items() if share is not None}
    data = [{**BOARD["data"][0], **choice}, BOARD["data"][1]]
    groups = [BOARD["groups"][0], {**BOARD["groups"][1], "selection": selection}]
    rows = leaderboard(results(data=data, groups=groups)).sections[0].rows
    net = next(row for row in rows if row.model == "net")
    assert dict(zip(COLUMNS, cells(net), strict=True))["test-selected"] == cell
    bias = next(row for row in rows if row.model == "bias")
    assert dict(zip(COLUMNS, cells(bias), strict=True))["test-selected"] == "?"


def test_rows_of_presets_have_their_hash_and_date() -> None:
    made = results()
    for seed in range(3):
        made.runs["rest/net", "d", seed].versions.update(settings="12ab34cd", frozen="2026-11-28")
    net = leaderboard(made).sections[0].rows[2]
    assert (net.settings, net.frozen) == ("12ab34cd", "2026-11-28")
    assert "12ab34cd 2026-11-28" in cells(net)
    made.runs["rest/net", "d", 0].versions["settings"] = "00000000"
    assert leaderboard(made).sections[0].rows[2].settings == ""  # not all of the same


def test_a_run_records_the_hash_of_its_settings(tmp_path: Any) -> None:
    world = {"users": 60, "items": 30, "ratings": 900}
    groups = [
        {
            "name": "g",
            "title": "G",
            "arms": [
                {"name": "whole", "preset": "biased-mf"},
                {"name": "changed", "preset": "biased-mf", "set": {"mf.factors": 3}},
                {"name": "bias", "model": "bias"},
            ],
        }
    ]
    study = Study.make(
        {
            **BOARD,
            "data": [{"name": "d", "synthetic": world, "holdout": 0.2}],
            "seeds": [0],
            "groups": groups,
            "base": "",
            "extra": ["coverage"],
        }
    )
    run_study(plan_study(study), tmp_path / "runs", workers=1)
    loaded = load_results(tmp_path / "runs")
    whole, changed, bias = (loaded.of(f"g/{name}")[0] for name in ("whole", "changed", "bias"))
    frozen = frozen_presets()["biased-mf"]
    assert (whole.versions["settings"], whole.versions["frozen"]) == (frozen.hash, frozen.date)
    assert "frozen" not in changed.versions
    assert changed.versions["settings"] != frozen.hash
    assert "settings" not in bias.versions
    assert whole.final["bias_gain_low"] <= whole.final["bias_gain_high"]
    archive = read_archive(write_archive(loaded, tmp_path / "kept")[0].parent)
    assert archive.of("g/whole")[0].versions["settings"] == frozen.hash
    assert {arm.name: arm.preset for arm in resolve_arms(study)} == {
        "g/whole": "biased-mf",
        "g/changed": "",
        "g/bias": "",
    }


def test_published_rows_are_marked() -> None:
    paper = leaderboard(results()).sections[0].rows[1]
    assert (paper.status, paper.rmse, paper.year, paper.seeds) == ("published", 0.8, 2015, 0)
    fields = dict(zip(COLUMNS, cells(paper), strict=True))
    assert fields["source"] == "published: Somebody, WWW, 2015"
    assert (fields["test-selected"], fields["new people"]) == ("yes", "no")
    assert fields["RMSE"] == "0.8"
    assert fields["train s"] == fields["gain over bias"] == ""


def test_what_a_publication_does_not_say_is_a_question_mark() -> None:
    entry = {k: v for k, v in BOARD["literature"][0].items() if k != "test_selected"}
    paper = leaderboard(results(literature=[entry])).sections[0].rows[1]
    assert dict(zip(COLUMNS, cells(paper), strict=True))["test-selected"] == "?"


def test_diverged_and_pending_runs_are_reported() -> None:
    section, other = leaderboard(results()).sections
    lost = section.rows[-1]
    assert lost.status == "diverged"
    assert dict(zip(COLUMNS, cells(lost), strict=True))["RMSE"].startswith("diverged")
    assert waiting(section) == "Not run yet: user-mean."
    assert waiting(other) == "Not run yet: bias, user-mean, lost."
    assert heading(other) == (
        "e: y, 10% held out, the latest of all, and the 10% before unused; 900 ratings train, 100 "
        "are held out"
    )


def test_a_missing_library_is_a_row_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.models.registry.find_spec", lambda name: None)
    made = results()
    del made.runs["rest/svd", "d", 0]
    section = leaderboard(made).sections[0]
    svd = section.rows[-1]
    assert (svd.model, svd.status, svd.rmse) == ("svd", "not installed", None)
    assert cells(svd)[-1] == "not installed: pip install 'matinee[bench]'"
    assert "svd" not in section.waiting


def test_the_table_has_every_number() -> None:
    table = leaderboard(results()).table()
    rows = list(table.rows())
    assert len(rows) == 6
    assert {"rmse_low", "rmse_people_high", "gain_over_bias_high", "settings"} <= set(rows[0])
    by_name = {(row["data"], row["model"]): row for row in rows}
    assert by_name["d", "net"]["rmse"] == pytest.approx(0.86)
    assert by_name["d", "net"]["folds_in"] == "yes"
    assert math.isnan(by_name["d", "Paper"]["seconds"])
    assert math.isinf(by_name["d", "lost"]["rmse"])


def test_markdown_has_a_table_for_each_data() -> None:
    text = leaderboard_markdown(leaderboard(results()))
    assert "### d\n" in text
    assert "### e\n" in text
    assert text.count("| model | RMSE |") == 2
    assert "| Paper | 0.8 |" in text
    assert "| net | 0.8600 (3) |" in text
    assert "Measured on A processor." in text


def test_seeds_of_data_leave_the_others_out() -> None:
    world = {"users": 60, "items": 30, "ratings": 900}
    data = [
        {"name": "d", "synthetic": world, "holdout": 0.2},
        {"name": "e", "synthetic": world, "holdout": 0.1, "seeds": [0, 2]},
    ]
    study = Study.make({**BOARD, "data": data})
    runs = set(plan_study(study).names)
    assert {seed for arm, on, seed in runs if on == "e"} == {0, 2}
    assert {seed for arm, on, seed in runs if on == "d"} == {0, 1, 2}
    chosen = set(plan_study(study, seeds=[7]).names)
    assert {seed for _, _, seed in chosen} == {7}
    plan = plan_study(study)
    some = plan.wanted(arms=["simple/bias"], data=["e"])
    assert {(s.arm, s.data_name, s.seed) for s in some} == {
        ("simple/bias", "e", 0),
        ("simple/bias", "e", 2),
    }
    with pytest.raises(UsageError, match="no arm 'simple/bais'; did you mean 'simple/bias'"):
        plan.wanted(arms=["simple/bais"])
    with pytest.raises(UsageError, match="no data 'f'"):
        plan.wanted(data=["f"])


def test_a_run_whose_library_is_missing_is_left_out(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.models.registry.find_spec", lambda name: None)
    world = {"users": 60, "items": 30, "ratings": 900}
    groups = [{"name": "g", "title": "G", "arms": [{"name": "svd", "model": "surprise-svd"}]}]
    study = Study.make(
        {
            **BOARD,
            "data": [{"name": "d", "synthetic": world, "holdout": 0.2}],
            "groups": groups,
            "base": "",
        }
    )
    outcome = run_study(plan_study(study), tmp_path / "runs", workers=1)
    assert (outcome.done, outcome.broken) == (0, {})
    assert outcome.absent == {"g/svd": "pip install 'matinee[bench]'"}


def test_our_leaderboard_has_the_acceptance_s_data_and_marks_what_is_chosen_on_test() -> None:
    study = find_study("leaderboard")
    names = [data.name for data in study.data]
    assert {"ml-1m-90-10", "ml-1m-80-20", "ml-1m-time", "ml-100k-u1", "latest-small"} <= set(names)
    assert "held_out" not in study.figures  # the held-out ratings are read once
    arms = {arm.name: arm for arm in resolve_arms(study)}
    assert len(arms["presets/default"].seeds) == 5
    for entry in study.literature:
        assert set(entry.data) <= set(names)
    assert [e.rmse for e in study.literature if e.test_selected] == [0.8227, 0.8889]


@pytest.mark.parametrize("kind", OUTSIDE)
def test_models_of_other_libraries(kind: str) -> None:
    if kind_named(kind).missing:
        pytest.skip("needs the extra bench")
    train, test = split(synthesize(150, 60, 4000, seed=3).ratings, 0.2, 0)
    model = make_model(kind, {}).fit(train, seed=1)
    assert not model.folds_in
    assert 0 < model.fit_seconds < 60  # type: ignore[attr-defined]
    score = model.evaluate(test)
    assert score.rmse < score.baselines["global_mean"].rmse * 1.1
    again = make_model(kind, {}).fit(train, seed=1)
    users, items = test.user_ids.ids[test.users], test.item_ids.ids[test.items]
    predicted = model.predict(users, items)
    np.testing.assert_array_equal(predicted, again.predict(users, items))
    _like_scores(model)
    with pytest.raises(UsageError, match="not saved"):
        model.save("nowhere")
    with pytest.raises(UsageError, match="nonsense"):
        make_model(kind, {"nonsense": 1})


def _like_scores(model: Recommender) -> None:
    """Entries agree with whole rows; new people get the bias model's ratings."""
    items = model.item_ids.ids
    user = model.user_ids.ids[4]
    history = {"somebody": {items[0]: 5.0, items[3]: 2.0}}
    for person, histories in ((user, None), ("somebody", history)):
        recommended = model.recommend(histories, users=[person], k=len(items), include_seen=True)
        one = model.predict(person, recommended["item_id"], histories=histories)
        clipped = np.clip(recommended["score"], model.scale.low, model.scale.high)
        np.testing.assert_allclose(one, clipped, atol=2e-3)
    predictions = model.predict("somebody", items, histories=history)
    from matinee.models import Bias

    assert np.isfinite(predictions).all()
    assert Bias().folds_in


@pytest.mark.parametrize("kind", ["surprise-svd", "surprise-svdpp"])
def test_predictions_are_the_library_s_own(kind: str) -> None:
    surprise = pytest.importorskip("surprise")
    from matinee.lab.rivals._outside import SurpriseSVD
    from matinee.models.support import checked

    train = checked(synthesize(80, 40, 1500, seed=2).ratings)
    maker = {"surprise-svd": surprise.SVD, "surprise-svdpp": surprise.SVDpp}[kind]
    library = maker(random_state=5, n_factors=7, n_epochs=4)
    library.fit(SurpriseSVD._convert(train))
    model = make_model(kind, {"n_factors": 7, "n_epochs": 4}).fit(train, seed=5)
    users, items = np.arange(20), np.arange(20)
    predicted = model.predict(train.user_ids.ids[users], train.item_ids.ids[items])
    wanted = [library.estimate(u, i) for u, i in zip(users, items, strict=True)]
    np.testing.assert_allclose(predicted, np.clip(wanted, *_ends(train)), atol=1e-8)


def _ends(train: Any) -> tuple[float, float]:
    return train.scale.low, train.scale.high


@pytest.mark.parametrize("kind", ["cornac-mf", "cornac-pmf"])
def test_predictions_are_cornac_s_own(kind: str) -> None:
    models = pytest.importorskip("cornac.models")
    from matinee.lab.rivals._outside import CornacMF
    from matinee.models.support import checked

    train = checked(synthesize(80, 40, 1500, seed=2).ratings)
    maker = {"cornac-mf": models.MF, "cornac-pmf": models.PMF}[kind]
    library = maker(seed=5, k=7, max_iter=4).fit(CornacMF._convert(train))
    model = make_model(kind, {"k": 7, "max_iter": 4}).fit(train, seed=5)
    users, items = np.arange(20), np.arange(20)
    predicted = model.predict(train.user_ids.ids[users], train.item_ids.ids[items])
    wanted = [library.score(int(u), int(i)) for u, i in zip(users, items, strict=True)]
    np.testing.assert_allclose(predicted, np.clip(wanted, *_ends(train)), atol=1e-5)


def test_a_model_s_name_is_checked() -> None:
    with pytest.raises(UsageError, match="did you mean 'surprise-svd'"):
        kind_named("suprise-svd", "here")
