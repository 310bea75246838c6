"""``matinee study`` as a user types it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from matinee.cli.show.progress import clock_text
from matinee.cli.show.study_live import StudyProgress
from matinee.lab.study import EpochRecord, Study, load_results, plan_study

if TYPE_CHECKING:
    from .conftest import Shell

TOML = """
name = "mine"
title = "Mine"
text = "Which batch size?"
preset = "base"
set = { hidden = [8], epochs = 2 }
seeds = [0, 1]
base = "batch/16"
figures = ["held_out", "reference", "batch_mean"]

[[data]]
name = "w"
synthetic = { users = 120, items = 50, ratings = 3000 }
holdout = 0.2

[[groups]]
name = "batch"
title = "Batch"
key = "batch_size"
values = [16, 64]

[[groups]]
name = "other"
title = "Other"
arms = [{ name = "bias", model = "bias" }]

[[claims]]
id = "1"
text = "16 is better."
checks = [{ kind = "better", arms = ["batch/16"], than = ["batch/64"] }]

[quick]
minutes = 1
epochs = 1
groups = ["batch"]
"""


@pytest.fixture
def file(shell: Shell) -> Path:
    path = shell.folder / "mine.toml"
    path.write_text(TOML, "utf-8")
    return path


@pytest.mark.slow
def test_a_study_by_the_real_executable_from_run_to_report(shell: Shell, file: Path) -> None:
    def real(*args: object) -> subprocess.CompletedProcess[str]:
        return shell.real("study", *args, timeout=400)

    first = real("run", file, "--workers", 1, "--threads", 1, "--groups", "batch", "--seeds", "0")
    assert first.returncode == 0, first.stderr
    assert "2 of 2 runs to do, 1 at a time" in first.stderr
    assert "held-out RMSE" in first.stderr
    assert "mine: 2 runs done" in first.stdout
    folder = shell.folder / "studies" / "mine"
    assert len(list((folder / "runs").glob("*.json"))) == 2

    rest = real("run", file, "--workers", 1, "--threads", 1, "--json")
    assert rest.returncode == 0, rest.stderr
    answer = json.loads(rest.stdout)
    assert (answer["done"], answer["before"], answer["broken"]) == (4, 2, {})
    assert rest.stderr == ""

    compared = json.loads(real("compare", folder, "--json").stdout)["rows"]
    assert {row["arm"] for row in compared} >= {"batch/64", "other/bias"}
    assert "batch/64" in real("compare", "mine", "--figure", "reference").stdout
    verdicts = real("compare", folder, "--claims").stdout
    assert "16 is better." in verdicts

    page = real("report", folder)
    assert page.returncode == 0, page.stderr
    text = (folder / "report.html").read_text("utf-8")
    assert "<html" in text
    assert "Which batch size?" in text


def test_a_further_seed_leaves_the_others_in_the_report(shell: Shell, file: Path) -> None:
    run = ("study", "run", file, "--workers", 1, "--threads", 1, "--groups", "other")
    shell.json(*run)
    assert shell.json(*run, "--seeds", "7")["done"] == 1
    results = load_results(shell.folder / "studies" / "mine")
    assert [*results.by_seed("other/bias")] == [0, 1, 7]


def test_list_and_show(shell: Shell, file: Path) -> None:
    listed = shell.json("study", "list")["studies"]
    assert {"reference", "depth-and-data", "protocol"} <= {row["study"] for row in listed}
    assert "reference" in shell("study", "list").stdout
    text = shell("study", "show", file).stdout
    for part in (
        "Which batch size?",
        "16; 64",
        "bias",
        "20% of the ratings, drawn",
        "claim 1: 16 is better.",
    ):
        assert part in text
    arms = shell.json("study", "show", file)["arms"]
    assert [arm["arm"] for arm in arms] == ["batch/16", "batch/64", "other/bias"]
    assert arms[0]["settings"]["train"]["batch_size"] == 16
    leave_two = TOML.replace("holdout = 0.2", 'holdout = 2\nby = "user"')
    file.write_text(leave_two, "utf-8")
    assert "2 of each user's ratings" in shell("study", "show", file).stdout
    quick = shell.json("study", "show", file, "--quick")["arms"]
    assert [arm["settings"]["train"]["epochs"] for arm in quick] == [1, 1]


def test_a_study_is_shown_as_a_file_that_reads_back(shell: Shell, file: Path) -> None:
    import tomllib

    text = shell("study", "show", file, "--toml").stdout
    assert Study.make(tomllib.loads(text)) == Study.read_toml(file)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", "refrence"], "did you mean 'reference'"),
        (["show", "no.toml"], "no.toml: no such file"),
        (["run", "{file}", "--groups", "bach"], "no group 'bach'; did you mean 'batch'"),
        (["run", "{file}", "--seeds", "a"], "--seeds 'a': write whole numbers"),
        (["run", "{file}", "--workers", "0"], "--workers 0"),
        (["report", "nowhere"], "nowhere: no such folder"),
        (["compare", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_a_wrong_request_is_reported(
    shell: Shell, file: Path, args: list[str], message: str
) -> None:
    assert message in shell.error("study", *(a.format(file=file) for a in args), code=2)


def test_a_folder_without_a_study_is_reported(shell: Shell) -> None:
    (shell.folder / "empty").mkdir()
    assert "no study was run here" in shell.error("study", "report", "empty", code=1)
    folder = shell.folder / "studies" / "mine"  # of a file, by its name alone
    folder.mkdir(parents=True)
    assert "studies/mine: no study was run here" in shell.error("study", "report", "mine", code=1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.4, "0:04"), (120, "2:00"), (3600 * 2 + 300, "2:05:00"), (89.0, "1:29")],
)
def test_a_time(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_the_display_shows_what_runs_and_the_time_left(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.cli.show.study_live._EVERY", 0.0)
    plan = plan_study(Study.read_toml(file))
    specs = sorted(plan.specs.values(), key=lambda spec: spec.arm)
    live = StudyProgress()
    live.planned(specs, 0, 2)
    assert "6 of 6 runs to do, 2 at a time" in capsys.readouterr().err
    live.started(specs[0])
    live.tick()
    assert f"running: {specs[0].arm} on" in capsys.readouterr().err
    live.epoch(specs[0], EpochRecord(2, 1.0, {"held_out": 0.9}))
    live.tick()
    shown = capsys.readouterr().err
    assert "epoch 2" in shown
    assert "left" not in shown  # nothing is finished to judge by
    live.finished(specs[0], _record(specs[0].key))
    shown = capsys.readouterr().err
    assert shown.startswith("1/6")
    assert "held-out RMSE 0.9000  2.0 s  about" in shown
    live.broken(specs[1], "its process died")
    assert "FAILED: its process died" in capsys.readouterr().err


def _record(key: str) -> Any:
    from matinee.lab.study import RunRecord

    return RunRecord(key, {}, "w", 0, "done", "", (), {"rmse": 0.9}, 1, 1.0, 1.0, 2.0)
