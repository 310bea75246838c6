"""A served model of interactions: chances of a choice in place of ratings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import listed, opened, served
from starlette.testclient import TestClient

import matinee
from matinee.models import Recommender
from matinee.serve import ServeSettings, create_app
from matinee.serve._card import caveats
from matinee.serve._catalogue import Catalogue
from matinee.synth import synthesize


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chosen = synthesize(60, 40, 900, seed=3).ratings.liked(1.0)
    model = matinee.model("lists", **{"lists.interest": "linear"}).fit(chosen, seed=0)
    return model.save(tmp_path_factory.mktemp("clicks") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> Recommender:
    return matinee.load_model(folder)


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(ServeSettings(model=folder)), base_url="http://localhost") as opened:
        yield opened


def post(client: TestClient, path: str, chosen: list[str], **more: Any) -> dict[str, Any]:
    answer = client.post(path, json={"ratings": [{"item": item} for item in chosen], **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_lists_have_the_chance_of_a_choice(client: TestClient, model: Recommender) -> None:
    chosen = [str(item) for item in model.item_ids.ids[:3]]
    listed = post(client, "/v1/recommend", chosen, k=5, why=2)["recommendations"]
    ids = [model.item_ids.ids[model.item_ids.encode([entry["item"]])[0]] for entry in listed]
    histories = {"me": dict.fromkeys(model.item_ids.ids[:3].tolist(), 1.0)}
    expected = model.choice_probability("me", ids, histories=histories)
    assert [entry["chance"] for entry in listed] == pytest.approx(expected.tolist(), abs=2e-6)
    assert all(0 < entry["chance"] < 1 for entry in listed)
    assert {(entry["predicted"], entry["std"]) for entry in listed} == {(None, None)}
    for entry in listed:
        why = entry["why"]
        parts = sum(each["contribution"] for each in why["reasons"]) + why["others"]
        assert why["baseline"] + parts + why["together"] == pytest.approx(
            why["prediction"], abs=1e-5
        )
    named = post(client, "/v1/predict", chosen, items=[entry["item"] for entry in listed])
    assert [each["chance"] for each in named["predictions"]] == [e["chance"] for e in listed]


def test_a_model_of_counts_takes_any_count(tmp_path: Path) -> None:
    plays = synthesize(60, 40, 900, seed=3).ratings
    counted = replace(plays, implicit=True, times=None)
    folder = matinee.model("ease").fit(counted).save(tmp_path / "model")
    with TestClient(create_app(ServeSettings(model=folder)), base_url="http://localhost") as client:
        item = str(plays.item_ids.ids[0])
        body = {"ratings": [{"item": item, "rating": 500}], "k": 1}
        assert client.post("/v1/recommend", json=body).status_code == 200


def test_feedback_is_choices_for_a_model_of_counts(tmp_path: Path) -> None:
    """The range of the counts is no scale of ratings."""
    plays = synthesize(60, 40, 900, seed=3).ratings
    model = matinee.model("ease").fit(replace(plays, implicit=True, times=None))
    ids = [str(item) for item in plays.item_ids.ids[:3]]
    kinds = ("click", "like", "dislike")
    events = [
        {"user": "me", "kind": kind, "item": item} for kind, item in zip(kinds, ids, strict=True)
    ]
    settings = ServeSettings(
        model=model.save(tmp_path / "model"), feedback=f"sqlite:{tmp_path / 'f.db'}"
    )
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        assert client.post("/v1/feedback", json={"events": events}).status_code == 200
        answer = client.get("/v1/users/me/recommendations?k=5&why=0").json()
    wanted = model.recommend([dict.fromkeys(ids[:2], 1.0)], k=5, exclude=ids[2:])
    assert [entry["item"] for entry in answer["recommendations"]] == [
        str(item) for item in wanted["item_id"]
    ]


def test_two_people_get_the_lower_chance(client: TestClient, model: Recommender) -> None:
    ids = [str(item) for item in model.item_ids.ids]
    other = [[{"item": item} for item in ids[5:9]]]
    both = post(client, "/v1/recommend", ids[:3], k=4, others=other, together="least_misery")
    asked = [entry["item"] for entry in both["recommendations"]]
    chances = [
        [
            each["chance"]
            for each in post(client, "/v1/predict", history, items=asked)["predictions"]
        ]
        for history in (ids[:3], ids[5:9])
    ]
    values = [entry["chance"] for entry in both["recommendations"]]
    assert values == pytest.approx([min(pair) for pair in zip(*chances, strict=True)])


def test_taste_is_in_shares_of_the_next_choice(client: TestClient, model: Recommender) -> None:
    answer = post(client, "/v1/profile", [str(item) for item in model.item_ids.ids[:3]])
    assert (answer["predicted"], answer["average"]) == (None, None)
    # Every item has one decade at most: shares of the next choice add up to no more than 1.
    lifts = [group["lift"] for group in answer["decades"]]
    assert any(lifts)
    assert abs(sum(lifts)) < 1.0


def test_questions_and_the_card_speak_of_no_ratings(client: TestClient) -> None:
    asked = post(client, "/v1/surprise", [], k=3)["items"]
    assert [entry["predicted"] for entry in asked] == [None] * 3
    assert [entry["known"] for entry in asked] == sorted((e["known"] for e in asked), reverse=True)
    card = client.get("/v1/model").json()
    assert card["has"]["ratings"] is False
    assert not any("predicts the rating" in text for text in card["caveats"])


def test_the_first_caveat_is_the_score_that_the_folder_has(folder: Path) -> None:
    model = matinee.load_model(folder)
    manifest, catalogue = json.loads((folder / "manifest.json").read_text()), Catalogue(model)
    assert "no score on held-out interactions" in caveats(model, manifest, catalogue)[0]
    model.record["lists"] = {"ndcg@10": 0.25}
    assert "lists of 10 have an nDCG of 0.250" in caveats(model, manifest, catalogue)[0]
    for split, people in (
        ({"by": "user", "holdout": 0.2, "seed": 0}, "people it was trained on"),
        ({"by": "people", "holdout": 0.2, "seed": 0, "given": 0.8}, "it was not trained on"),
    ):
        scored = {**manifest, "metrics": {"rmse": 0.9}, "split": split}
        assert people in caveats(model, scored, catalogue)[0]


def test_the_page_shows_chances(browser: Any, folder: Path, tmp_path: Path) -> None:
    with served(folder, tmp_path / "log") as url, opened(browser, url) as page:
        page.locator("#question-list .rater button").first.click()
        listed(page)
        assert "% chance" in page.locator("#list .predicted").first.inner_text()
        assert "Because you chose" in page.locator("#list .why").first.inner_text()
        assert "likely you are to choose" in page.locator("#order").inner_text()
        assert page.locator("#list .stars").count() == 0
        assert "percentage points" in page.locator("#taste-lead").inner_text()
