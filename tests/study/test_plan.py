"""From a study file to its runs: names, settings, keys, sharing, cuts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from matinee.config import to_toml
from matinee.errors import DataError, UsageError
from matinee.lab.study import Study, find_study, plan_study, study_names
from matinee.lab.study.arms import resolve_arms, value_name
from matinee.lab.study.plan import cut_study
from matinee.models import preset

WORLD = {"users": 80, "items": 60, "ratings": 2000}
DATA = [{"name": "w", "synthetic": WORLD, "holdout": 0.2}]


def study(groups: list[dict[str, Any]], **rest: Any) -> Study:
    groups = [{"title": g["name"], **g} for g in groups]
    values = {"name": "t", "title": "T", "preset": "base", "data": DATA, "groups": groups}
    return Study.make({**values, "seeds": [0], **rest})


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1e-6, "1e-06"),
        (0.001, "0.001"),
        (8, "8"),
        (True, "on"),
        (False, "off"),
        ([128, 128, 128], "3x128"),
        ([128, 64], "128-64"),
        ([128], "128"),
        ("elu", "elu"),
    ],
)
def test_a_value_names_its_arm(value: object, name: str) -> None:
    assert value_name(value) == name


def test_key_and_values_make_arms_of_the_preset_with_the_changes() -> None:
    s = study(
        [{"name": "rate", "key": "learning_rate", "values": [1e-6, 1e-2], "set": {"epochs": 7}}],
        set={"batch_size": 9},
    )
    slow, fast = resolve_arms(s)
    assert (slow.name, fast.name) == ("rate/1e-06", "rate/0.01")
    assert slow.settings["train"]["learning_rate"] == 1e-6
    assert slow.settings["train"]["epochs"] == 7
    assert slow.settings["train"]["batch_size"] == 9
    assert slow.settings["network"] == preset("base").network.model_dump(mode="json")


def test_cross_makes_every_combination() -> None:
    s = study(
        [{"name": "d", "key": "depth", "values": [1, 3], "cross": {"code_dropout": [0.0, 0.5]}}]
    )
    arms = {arm.name: arm.settings["network"] for arm in resolve_arms(s)}
    assert list(arms) == [
        "d/1,code_dropout=0",
        "d/1,code_dropout=0.5",
        "d/3,code_dropout=0",
        "d/3,code_dropout=0.5",
    ]
    assert arms["d/3,code_dropout=0.5"]["hidden"] == [128, 128, 128]
    assert arms["d/1,code_dropout=0.5"]["code_dropout"] == 0.5


def test_width_and_depth_say_what_hidden_is() -> None:
    s = study([{"name": "g", "arms": [{"name": "a", "set": {"width": 16, "depth": 2}}]}])
    assert resolve_arms(s)[0].settings["network"]["hidden"] == [16, 16]
    with pytest.raises(UsageError, match="width and depth say what hidden is"):
        resolve_arms(
            study([{"name": "g", "arms": [{"name": "a", "set": {"depth": 2, "hidden": [3]}}]}])
        )
    with pytest.raises(UsageError, match="depth = 0"):
        resolve_arms(study([{"name": "g", "key": "depth", "values": [0]}]))


def test_a_preset_named_further_in_drops_the_changes_to_the_outer_one() -> None:
    s = study(
        [{"name": "g", "set": {"epochs": 3}, "arms": [{"name": "a", "preset": "tuned"}]}],
        set={"batch_size": 9},
    )
    assert resolve_arms(s)[0].settings == preset("tuned").model_dump(mode="json")


@pytest.mark.parametrize(
    ("groups", "rest", "message"),
    [
        ([{"name": "g", "key": "learning_rat", "values": [1]}], {}, "'.*learning_rate'"),
        ([{"name": "g", "preset": "bose", "arms": [{"name": "a"}]}], {}, "did you mean 'base'"),
        ([{"name": "g", "arms": [{"name": "a", "model": "bios"}]}], {}, "did you mean 'bias'"),
        ([{"name": "g", "arms": [{"name": "a"}, {"name": "a"}]}], {}, "two arms are called g/a"),
        ([{"name": "g"}], {}, "has no arms"),
        ([{"name": "g", "values": [1]}], {}, "values of which key"),
        ([{"name": "g", "arms": [{"name": "a", "data": ["x"]}]}], {}, "no data 'x'"),
        ([{"name": "g", "key": "epochs", "values": [-1]}], {}, "epochs = -1"),
        ([{"name": "g", "arms": [{"name": "one"}]}], {"base": "g/ona"}, "did you mean 'g/one'"),
        (
            [{"name": "g", "arms": [{"name": "a"}], "published": {"b": {"test": 1}}}],
            {},
            "names no arm 'b'",
        ),
        ([{"name": "g", "arms": [{"name": "a"}]}], {"quick": {"skip": ["g/b"]}}, "quick.skip"),
        ([{"name": "g", "arms": [{"name": "a", "preset": "base", "model": "bias"}]}], {}, "two"),
    ],
)
def test_a_slip_is_named(groups: list[dict[str, Any]], rest: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_arms(study(groups, **rest))


def test_arms_that_coincide_share_a_run() -> None:
    s = study(
        [
            {"name": "base", "arms": [{"name": "base"}]},
            {"name": "batch", "key": "batch_size", "values": [8, 16]},
            {"name": "act", "key": "activation", "values": ["sigmoid", "elu"]},
        ],
        seeds=[0, 1],
    )
    plan = plan_study(s)
    assert len(plan.names) == 10
    assert len(plan.specs) == 6
    assert plan.names["base/base", "w", 0] == plan.names["batch/16", "w", 0]
    assert plan.names["base/base", "w", 0] == plan.names["act/sigmoid", "w", 0]
    assert plan.names["base/base", "w", 0] != plan.names["base/base", "w", 1]


def test_a_key_holds_what_decides_the_result_and_nothing_else() -> None:
    def key(**rest: Any) -> str:
        s = study([{"name": "g", "arms": [{"name": "a", **rest.pop("arm", {})}]}], **rest)
        return next(iter(plan_study(s).specs))

    same = key()
    assert key(title="another", text="x", name="u") == same
    assert key(data=[{**DATA[0], "name": "other"}]) == same
    others = [
        key(seeds=[1]),
        key(figures=["held_out", "reference"]),
        key(extra=["protocol"]),
        key(set={"epochs": 49}),
        key(preset="tuned"),
        key(arm={"model": "bias"}),
        key(data=[{**DATA[0], "holdout": 0.3}]),
        key(data=[{**DATA[0], "by": "user"}]),
        key(data=[{**DATA[0], "users": 0.5}]),
        key(data=[{**DATA[0], "ratings": 0.5}]),
        key(data=[{**DATA[0], "synthetic": {**WORLD, "seed": 5}}]),
    ]
    assert len({same, *others}) == len(others) + 1


def test_resplit_makes_the_split_one_of_the_seed() -> None:
    groups = [{"name": "g", "arms": [{"name": "a"}]}]
    for resplit in (False, True):
        plan = plan_study(study(groups, seeds=[0, 1], data=[{**DATA[0], "resplit": resplit}]))
        seeds = {spec.data["split_seed"] for spec in plan.specs.values()}
        assert seeds == ({0, 1} if resplit else {0})


def test_a_key_names_the_content_of_a_source_and_not_its_place(tmp_path: Path) -> None:
    def key(folder: str, last: str) -> str:
        target = tmp_path / folder
        target.mkdir()
        for part, rows in (("train", "1,1,3\n2,2,4\n1,2,5\n"), ("test", f"2,1,{last}\n1,3,3\n")):
            (target / f"{part}.csv").write_text(f"user,item,rating\n{rows}", "utf-8")
        s = study(
            [{"name": "g", "arms": [{"name": "a"}]}], data=[{"name": "d", "source": str(target)}]
        )
        return next(iter(plan_study(s).specs))

    assert key("one", "1") == key("two", "1")
    assert key("three", "2") != key("four", "1")


def test_every_seed_comes_before_the_next_and_the_longest_first() -> None:
    s = study([{"name": "g", "key": "batch_size", "values": [64, 1, 16]}], seeds=[3, 1])
    specs = list(plan_study(s).specs.values())
    assert [spec.seed for spec in specs] == [3, 3, 3, 1, 1, 1]
    assert [spec.arm for spec in specs[:3]] == ["g/1", "g/16", "g/64"]


def test_the_cut_version_is_smaller_in_every_way_asked() -> None:
    s = study(
        [
            {"name": "b", "key": "batch_size", "values": [8, 16, 32], "published": {"8": {}}},
            {"name": "c", "arms": [{"name": "bias", "model": "bias"}]},
            {"name": "d", "arms": [{"name": "x"}]},
        ],
        seeds=[0, 1],
        base="b/8",
        quick={"epochs": 2, "skip": ["b/8"], "groups": ["b", "c"], "seeds": [1], "users": 0.5},
    )
    plan = plan_study(s, quick=True)
    assert {name[0] for name in plan.names} == {"b/16", "b/32", "c/bias"}
    assert {spec.seed for spec in plan.specs.values()} == {1}
    for spec in plan.specs.values():
        assert spec.data["users"] == 0.5
        if spec.kind != "bias":
            assert spec.settings["train"]["epochs"] == 2
    assert cut_study(s).cut == s.quick


def test_wanted_runs_by_group_and_seed() -> None:
    s = study(
        [
            {"name": "b", "key": "batch_size", "values": [8, 16]},
            {"name": "a", "arms": [{"name": "same as 8", "set": {"batch_size": 8}}]},
        ],
        seeds=[0, 1],
    )
    plan = plan_study(s)
    assert len(plan.wanted()) == 4
    assert len(plan.wanted(groups=["a"])) == 2
    assert len(plan.wanted(groups=["a"], seeds=[1])) == 1
    with pytest.raises(UsageError, match="no group 'c'"):
        plan.wanted(groups=["c"])


def test_a_source_that_is_not_there_says_how_to_get_it() -> None:
    groups = [{"name": "g", "arms": [{"name": "a"}]}]
    with pytest.raises(DataError, match=r"not on this machine.*MATINEE_DATA"):
        plan_study(study(groups, data=[{"name": "d", "source": "no-such-data"}]))
    with pytest.raises(UsageError, match="name a source"):
        plan_study(study(groups, data=[{"name": "d"}]))
    with pytest.raises(UsageError, match="needs a holdout"):
        plan_study(study(groups, data=[{"name": "d", "synthetic": WORLD}]))


@pytest.mark.parametrize("name", study_names())
def test_a_study_of_the_package_expands_and_is_written_back_the_same(name: str) -> None:
    result = find_study(name)
    assert result.name == name
    arms = resolve_arms(result)
    assert len(arms) > 1
    cut = cut_study(result)
    assert 0 < len(resolve_arms(cut)) <= len(arms)
    assert result.quick.minutes <= 10
    for each in (result, cut):
        assert Study.make(tomllib.loads(to_toml(each, defaults=False))) == each


def test_an_unknown_study_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'reference'"):
        find_study("refrence")
    file = tmp_path / "mine.toml"
    file.write_text('name = "m"\ntitle = "M"\nseedz = [1]\n', "utf-8")
    with pytest.raises(UsageError, match=r"mine.toml: unknown key 'seedz'; did you mean 'seeds'"):
        find_study(file)


def test_a_wrong_key_inside_a_group_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"valuez.*values"):
        study([{"name": "g", "key": "epochs", "valuez": [1]}])
