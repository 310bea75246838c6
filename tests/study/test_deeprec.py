"""The studies of Kuchaiev & Ginsburg 2017: what their files say of the paper."""

from __future__ import annotations

import re
from typing import Any

import pytest

from matinee.data import NAMED_SPLITS
from matinee.errors import DataError
from matinee.lab.study import Study, find_study, plan_study
from matinee.lab.study.arms import ResolvedArm, resolve_arms
from matinee.lab.study.runs.data import describe_data, prepare

TABLE_2 = {1: 1.146, 3: 0.9615, 5: 0.9378, 7: 0.9364, 9: 0.9340, 11: 0.9328}
"""Evaluation RMSE by hidden layers of 128 (weight layers are one more), arXiv 1708.01715."""
BOTH = ["deeprec", "deeprec-netflix"]


def arms(name: str) -> dict[str, ResolvedArm]:
    return {arm.name: arm for arm in resolve_arms(find_study(name))}


def network(arm: ResolvedArm) -> dict[str, Any]:
    chosen: dict[str, Any] = arm.settings["network"]
    return chosen


def training(arm: ResolvedArm) -> dict[str, Any]:
    chosen: dict[str, Any] = arm.settings["train"]
    return chosen


@pytest.mark.parametrize("name", BOTH)
def test_every_arm_of_the_paper_is_trained_as_it_says(name: str) -> None:
    for arm in arms(name).values():
        if arm.group == "models":
            continue
        train = training(arm)
        assert (train["optimizer"], train["momentum"], train["gamma"]) == ("sgd", 0.9, 0.5)
        assert train["milestones"] == [24, 36, 48, 66, 72]
        assert network(arm)["init"] == "xavier"
        assert train["validation"] == 0  # the last epoch is kept: none is chosen


@pytest.mark.parametrize("name", BOTH)
def test_the_last_layer_is_activated_too_but_for_sigmoid_and_tanh(name: str) -> None:
    by_name = arms(name)
    for kind in ("elu", "selu", "leaky_relu", "relu", "relu6", "sigmoid", "tanh"):
        layers, added = (
            network(by_name[f"activation/{kind}"]),
            network(by_name[f"linear_output/{kind}"]),
        )
        last = "linear" if kind in ("sigmoid", "tanh") else kind
        assert (layers["activation"], layers["output_activation"]) == (kind, last)
        assert added == layers | {"output_activation": "linear"}
        assert layers["hidden"] == [128] * 3


@pytest.mark.parametrize("name", BOTH)
def test_shapes_are_those_of_the_paper(name: str) -> None:
    by_name = arms(name)
    for width in (128, 256, 512, 1024):
        assert network(by_name[f"width/{width}"])["hidden"] == [width]
    for depth in TABLE_2:
        assert network(by_name[f"depth/{depth}"])["hidden"] == [128] * depth
    for share in (0, 0.5, 0.65, 0.8):
        layers = network(by_name[f"dropout/{share:g}"])
        assert (layers["hidden"], layers["code_dropout"]) == ([512, 512, 1024, 512, 512], share)


def test_on_movielens_two_arms_keep_the_papers_batch_and_rates() -> None:
    by_name = arms("deeprec")
    off, on = training(by_name["refeeding/paper-off"]), training(by_name["refeeding/paper-on"])
    assert (off["batch_size"], off["learning_rate"], off["refeed"]) == (128, 0.001, "off")
    assert on == off | {"learning_rate": 0.005, "refeed": "dense"}
    preset = by_name["models/deeprec-3m"]
    assert training(preset) | {"validation": 0.0} == on
    assert network(preset) == network(by_name["refeeding/paper-on"])


def test_arms_that_are_the_same_share_a_run() -> None:
    """Written twice in the file, as they belong to two questions."""
    by_name = arms("deeprec")
    for one, other in [
        ("activation/selu", "depth/3"),
        ("activation/tanh", "linear_output/tanh"),
        ("width/128", "depth/1"),
        ("models/deeprec", "refeeding/on-0.025"),
    ]:
        assert by_name[one].settings | {"description": ""} == by_name[other].settings | {
            "description": ""
        }


def test_on_netflix_the_claims_have_the_published_values() -> None:
    study = find_study("deeprec-netflix")
    published = {arm.name: arm.published for arm in resolve_arms(study) if arm.published}
    judged = set()
    for claim in study.claims:
        for check in claim.checks:
            if check.kind == "near":
                (arm,) = check.arms
                assert check.value == published[arm].test, claim.id  # type: ignore[union-attr]
                judged.add(arm)
    assert {f"depth/{depth}" for depth in TABLE_2} <= judged
    assert {f"models/deeprec-{window}" for window in ("3m", "6m", "1y", "full")} <= judged
    for depth, rmse in TABLE_2.items():
        assert published[f"depth/{depth}"].test == rmse  # type: ignore[union-attr]


def test_on_netflix_the_data_are_the_named_windows() -> None:
    study = find_study("deeprec-netflix")
    assert [data.source for data in study.data] == [f"netflix/{d.name}" for d in study.data]
    assert {data.source for data in study.data} <= set(NAMED_SPLITS)
    for arm in resolve_arms(study):
        window = arm.name.rpartition("-")[2]
        if arm.group == "models" and window in {data.name for data in study.data}:
            assert arm.data == (window,)


def test_without_netflix_the_study_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_DATA", "/nowhere")
    with pytest.raises(DataError, match=r"netflix/full is not on this machine.*data add"):
        plan_study(find_study("deeprec-netflix"))


def on_a_small_folder(study: Study, source: str) -> Study:
    data = tuple(each.model_copy(update={"source": source}) for each in study.data)
    return study.model_copy(update={"data": data})


def test_the_netflix_study_is_planned_on_a_folder_of_its_form(tmp_path: Any) -> None:
    for part in ("train", "test"):
        rows = "".join(f"{u},{i},{(u + i) % 5}\n" for u in range(4) for i in range(6))
        (tmp_path / f"{part}.csv").write_text(f"user,item,rating\n{rows}", "utf-8")
    study = on_a_small_folder(find_study("deeprec-netflix"), str(tmp_path))
    plan = plan_study(study)
    assert {arm for arm, _, _ in plan.names} == set(arms("deeprec-netflix"))
    quick = plan_study(study, quick=True)
    assert {data for _, data, _ in quick.names} == {"3m"}
    assert all(
        spec.settings["train"]["epochs"] == 1
        for spec in quick.specs.values()
        if spec.kind == "autoencoder"
    )


def test_movielens_is_scored_as_in_the_paper(real_data: Any) -> None:
    """By time, and only people and films that training knows."""
    real_data("ml-1m")
    (data,) = find_study("deeprec").data
    made = prepare(describe_data(data, 0))
    assert made.train.times is not None
    assert made.test.times is not None
    assert made.train.times.max() <= made.test.times.min()
    assert set(made.test.users.tolist()) <= set(made.train.users.tolist())
    assert set(made.test.items.tolist()) <= set(made.train.items.tolist())
    assert (len(made.train), len(made.test), made.dropped) == (800_167, 80_608, 19_413)


@pytest.mark.parametrize("name", BOTH)
def test_the_words_name_the_paper(name: str) -> None:
    study = find_study(name)
    assert "1708.01715" in study.text
    assert {re.sub(r"[^E0-9].*", "", claim.id) for claim in study.claims} == {
        f"E{number}" for number in range(1, 7)
    }
