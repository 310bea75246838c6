"""The folder of a study's runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_results import run

from matinee.errors import DataError, MatineeError, UsageError
from matinee.lab.study import Plan, RunStore, Study, load_results, plan_study


def made_plan(name: str = "t", *, quick: bool = False) -> Plan:
    world = {"users": 60, "items": 40, "ratings": 900}
    study = {
        "name": name,
        "title": "T",
        "preset": "base",
        "seeds": [0, 1],
        "data": [{"name": "w", "synthetic": world, "holdout": 0.2}],
        "groups": [
            {"name": "b", "title": "B", "key": "batch_size", "values": [8, 16]},
            {"name": "s", "title": "S", "arms": [{"name": "same", "set": {"batch_size": 8}}]},
        ],
    }
    return plan_study(Study.make(study), quick=quick)


def test_records_come_back_as_they_were_under_every_arm_that_shares_them(tmp_path: Path) -> None:
    plan, store = made_plan(), RunStore(tmp_path / "new" / "folder")
    store.begin(plan)
    assert load_results(store.path).runs == {}
    key = plan.names["b/8", "w", 1]
    record = run({"held_out": [1.25, 1.1], "valid": [0.1, 0.2]}, key=key, seed=1, rmse=0.1 + 0.2)
    live = store.live(key)
    live.mkdir(parents=True)
    (live / "metrics.jsonl").write_text("{}", "utf-8")
    store.finish(record)
    assert not live.exists()
    assert store.done() == {key}
    loaded = load_results(store.path)
    assert loaded.runs == {("b/8", "w", 1): record, ("s/same", "w", 1): record}
    assert loaded.expected == 6
    assert loaded.study == plan.study
    assert loaded.study.cut is None


def test_a_folder_belongs_to_one_version_of_one_study(tmp_path: Path) -> None:
    RunStore(tmp_path / "a").begin(made_plan())
    RunStore(tmp_path / "a").begin(made_plan())
    with pytest.raises(UsageError, match="holds the study t"):
        RunStore(tmp_path / "a").begin(made_plan("other"))
    with pytest.raises(UsageError, match="holds the full version"):
        RunStore(tmp_path / "a").begin(made_plan(quick=True))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="something else"):
        RunStore(tmp_path / "b").begin(made_plan())
    with pytest.raises(DataError, match="no study was run here"):
        load_results(tmp_path / "b")


def test_records_of_another_format_or_damaged_are_named(tmp_path: Path) -> None:
    plan, store = made_plan(), RunStore(tmp_path)
    store.begin(plan)
    key = plan.names["b/8", "w", 0]
    store.finish(run({"held_out": 1.0}, key=key))
    file = tmp_path / "runs" / f"{key}.json"
    whole = file.read_text("utf-8")
    for text, message in (
        (whole.replace('"format": 1', '"format": 99'), "written in format 99"),
        (whole[: len(whole) // 2], "cannot be read"),
        (json.dumps({"format": 1, "key": key}), "no record of a run"),
        (whole.replace(key, "0" * 20), "holds the record of 000"),
    ):
        file.write_text(text, "utf-8")
        with pytest.raises(DataError, match=message) as caught:
            store.results()
        assert str(file) in str(caught.value)
    note = tmp_path / "plan.json"
    note.write_text(note.read_text("utf-8").replace('"format": 1', '"format": 2'), "utf-8")
    with pytest.raises(DataError, match=r"plan.json: written in format 2"):
        store.begin(plan)


def test_only_one_engine_works_in_a_folder(tmp_path: Path) -> None:
    with (
        RunStore(tmp_path).lock(),
        pytest.raises(MatineeError, match="another process is running"),
        RunStore(tmp_path).lock(),
    ):
        pass
    with RunStore(tmp_path).lock():
        pass
