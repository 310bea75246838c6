"""``matinee compare`` as people run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.lab.comparison import compare


@pytest.fixture(scope="module")
def plain(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an item mean, from the same training part."""
    train = matinee.load(catalogue / "parts" / "train.parquet")
    return matinee.ItemMean().fit(train).save(tmp_path_factory.mktemp("plain") / "plain")


def test_two_models_side_by_side(
    shell: Any, trained: Path, plain: Path, catalogue: Path, tmp_path: Path
) -> None:
    args = ("compare", plain, trained, "--test", catalogue / "parts", "--k", "5")
    out = shell(*args, "--out", tmp_path / "page.html").stdout
    for text in ("RMSE", "lists of 5", "nDCG", "difference", "plain", "rank"):
        assert text in out, out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Recall by length of the list" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    answer = shell.json(*args)
    test = matinee.load(catalogue / "parts" / "test.parquet")
    models = [matinee.load_model(folder) for folder in (plain, trained)]
    rmse = [model.evaluate(test).rmse for model in models]
    assert (answer["rmse"]["before"], answer["rmse"]["after"]) == pytest.approx(rmse, abs=1e-9)
    low, high = answer["rmse"]["interval"]
    assert low < answer["rmse"]["gain"] < high
    lists = [model.evaluate_lists(test, k=5) for model in models]
    values = [each.value("ndcg", 5) for each in lists]
    assert answer["gains"]["ndcg@5"]["value"] == pytest.approx(values[1] - values[0], abs=1e-12)
    low, high = answer["gains"]["ndcg@5"]["interval"]
    assert low <= answer["gains"]["ndcg@5"]["value"] <= high
    assert answer["gains"]["coverage@5"]["interval"] is None
    assert [len(each["first"]) for each in answer["examples"]] == [5, 5, 5]


def test_a_model_against_itself_differs_by_nothing(
    shell: Any, plain: Path, catalogue: Path
) -> None:
    answer = shell.json("compare", plain, plain, "--test", catalogue / "parts")
    values = [gain["value"] for gain in answer["gains"].values()]
    assert np.abs(values).max() == 0
    assert answer["rmse"]["interval"] == [0, 0]
    assert all(each["first"] == each["second"] for each in answer["examples"])


def test_a_model_of_interactions_is_compared_by_its_lists(
    shell: Any, plain: Path, catalogue: Path, tmp_path: Path
) -> None:
    train = matinee.load(catalogue / "parts" / "train.parquet").liked(4)
    lists = matinee.model("ease").fit(train).save(tmp_path / "lists")
    answer = shell.json("compare", plain, lists, "--test", catalogue / "parts")
    assert answer["rmse"] is None
    assert answer["gains"]["ndcg@10"]["value"] != 0


def test_a_model_saved_without_histories(shell: Any, plain: Path, catalogue: Path) -> None:
    model = matinee.load_model(plain)
    bare = model.save(shell.folder / "bare", histories=False)
    parts = catalogue / "parts"
    given = (
        "--given",
        parts / "train.parquet",
        "--allow-overlap",
        "--test",
        parts / "test.parquet",
    )
    answer = shell.json("compare", bare, plain, *given, "--out", "page.html")
    assert answer["first"]["baselines"] == {}
    assert list(answer["second"]["baselines"]) == ["popularity"]
    assert shell.json("report", bare, *given)["report"].endswith("bare-report.html")


def test_examples_are_plain_and_mark_hits_as_the_evaluation_does() -> None:
    users, items = np.divmod(np.arange(36), 6)
    test = (users + items) % 3 == 0
    values = np.where(items % 2, 4.1, 1.0)  # as float32 below 4.1
    train = matinee.data.Ratings.from_arrays(users[~test], items[~test], values[~test])
    held = matinee.data.Ratings.from_arrays(users[test], items[test], values[test])
    model = matinee.ItemMean().fit(train)
    result = compare(model, model, held, k=[6], relevant=4.1, allow_overlap=True)
    assert json.loads(json.dumps(result.as_dict()))["examples"][0]["user"] == 0
    hits = [item.relevant for each in result.examples for item in each.first]
    assert sum(hits) == 3 * result.first.value("recall", 6) == 3


def test_examples_mark_hits_of_a_model_whose_ids_are_numbers() -> None:
    users, items = np.divmod(np.arange(36), 6)
    test = (users + items) % 3 == 0
    train = matinee.data.Ratings.from_arrays(users[~test], items[~test], items[~test] % 5 + 1)
    texts = [*(str(item) for item in items[test]), "unknown"]
    held = matinee.data.Ratings.from_arrays([*users[test], 0], texts, [*items[test] % 5 + 1, 5])
    model = matinee.ItemMean().fit(train)
    result = compare(model, model, held, k=[6], relevant=1, allow_overlap=True)
    assert all(sum(item.relevant for item in each.first) == 2 for each in result.examples)


def test_options_of_ratings_are_refused_beside_a_store(shell: Any, plain: Path) -> None:
    for option in (("--k", "5"), ("--relevant", "4"), ("--given", "x.csv")):
        message = shell.error("compare", plain, plain, "--feedback", "f.db", *option, code=2)
        assert f"{option[0]} is about ratings to score on" in message
    message = shell.error("compare", plain, plain, "--test", "x.csv", "--days", "3", code=2)
    assert "--days is about feedback" in message
