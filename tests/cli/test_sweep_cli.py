"""``matinee sweep`` as people run it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from matinee.errors import install_command
from matinee.models import preset

START = ["--set", "hidden=8", "--set", "batch_size=32", "--set", "epochs=6"]
SPACE = """
[width]
low = 2
high = 16
log = true

[learning_rate]
low = 1e-4
high = 3e-2
log = true
"""
EXECUTABLE = Path(sys.executable).with_name("matinee")
HANG = 600
"""Seconds after which a process hangs, on however busy a machine."""


@pytest.fixture
def args(catalogue: Path, shell: Any) -> list[str]:
    """A sweep of six settings of a small network."""
    Path("space.toml").write_text(SPACE)
    source = str(catalogue / "ratings")
    return ["sweep", source, *START, "--space", "space.toml", "--trials", "6", "--seed", "2"]


def without_time(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in trial.items() if key != "seconds"} for trial in trials]


def test_from_ratings_to_a_model(shell: Any, args: list[str], catalogue: Path) -> None:
    done = shell.real(*args, "--out", "mine.toml", "--table", "trials.csv", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert [trial["number"] for trial in answer["trials"]] == list(range(6))
    assert (answer["stopped"], answer["preset"], answer["seed"]) == ("trials", "default", 2)
    assert answer["sizes"] == {"train": 3200, "validation": 400, "fresh": 400, "test": 0}
    assert set(answer["trials"][0]["values"]) == {"width", "train.learning_rate"}
    assert answer["trials"][0]["values"] == {"width": 8, "train.learning_rate": 0.002}
    complete = [t["rmse"] for t in answer["trials"] if t["state"] == "complete"]
    assert answer["best"]["rmse"] == min(complete)
    saved = preset(str(shell.folder / "mine.toml"))
    assert saved.model_dump(mode="json") == answer["best"]["settings"]
    assert answer["worth"] in saved.description
    lines = (shell.folder / "trials.csv").read_text().splitlines()
    assert lines[0] == "trial,state,rmse,epochs,seconds,width,train.learning_rate,reason"
    assert len(lines) == 7

    trained = shell.json("train", catalogue / "parts", "--preset", "mine.toml")
    assert trained["config"]["train"]["learning_rate"] == saved.train.learning_rate
    assert tuple(trained["config"]["network"]["hidden"]) == saved.network.hidden


def test_what_people_read(shell: Any, args: list[str]) -> None:
    done = shell(*args, "--holdout", "0.1", "--out", "mine.toml")
    for text in (
        "6 trials in ",
        "as many as asked for",
        "each trained on 2,880 ratings and scored on the same 360 others; 360 fresh ones",
        "trial  validation RMSE  epochs  seconds  width  learning_rate",
        "(trial 0 is default itself)",
        "scored on 10% of the ratings, drawn at random, with seed 2: 400 ratings",
        "The best: ",
        "preset: mine.toml",
        "--preset mine.toml",
    ):
        assert text in done.stdout, done.stdout
    assert done.stderr.count("validation RMSE") >= 3
    assert "trial 0 of 6  validation RMSE 0." in done.stderr
    # Said plainly either way.
    assert re.search(
        r"includes 0, so the gain may be none|nothing tried was better|is worse, and|"
        r"lower than that of default \(95% interval of the gain: 0\.\d+ to 0\.\d+\)\.",
        done.stdout,
    ), done.stdout

    again = shell(*args, "--holdout", "0.1", "--out", "mine.toml")
    assert again.stdout == done.stdout
    assert "going on with the trials in mine.trials" in again.stderr
    assert "trial 0 of 6" not in again.stderr


def _after_trial(process: subprocess.Popen[str], number: int, file: Path) -> None:
    limit = time.monotonic() + HANG
    while True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        done = file.read_text().count('"user_attr":{"matinee"') if file.exists() else 0
        if done > number:
            return
        time.sleep(0.01)


def _start(args: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [EXECUTABLE, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell in the background may have had the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.slow
def test_a_killed_sweep_goes_on_with_nothing_repeated(shell: Any, args: list[str]) -> None:
    args = [*args, "--trials", "12", "--set", "epochs=30"]
    process = _start([*args, "--out", "killed.toml"])
    _after_trial(process, 2, Path("killed.trials"))
    process.kill()
    process.communicate(timeout=HANG)
    preset("killed.toml")  # the best so far is there already
    before = Path("killed.trials").read_text().count('"user_attr":{"matinee"')
    assert 3 <= before < 12

    done = shell(*args, "--out", "killed.toml")
    run = [int(n) for n in re.findall(r"^trial (\d+) of 12", done.stderr, re.MULTILINE)]
    run = [n for n in dict.fromkeys(run) if n >= before - 1]
    assert run in (list(range(before, 12)), list(range(before - 1, 12)))
    killed = shell.json(*args, "--out", "killed.toml")
    whole = shell.json(*args, "--out", "whole.toml")
    assert without_time(killed["trials"]) == without_time(whole["trials"])
    assert killed["fresh"] == whole["fresh"]
    assert Path("killed.toml").read_text() == Path("whole.toml").read_text()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C reaches a child process otherwise there")
def test_ctrl_c_leaves_the_best_so_far_and_says_how_to_go_on(shell: Any, args: list[str]) -> None:
    args = [*args, "--trials", "500", "--set", "epochs=40", "--out", "my preset.toml"]
    process = _start(args)
    _after_trial(process, 1, Path("my preset.trials"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=HANG)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert re.search(
        r"the best so far \(trial \d+, validation RMSE 0\.\d+\) is in my preset\.toml; the trials "
        r"are kept in my preset\.trials; to continue:\n",
        err,
    ), err
    command = err.partition("to continue:\n")[2].splitlines()[0]
    assert shlex.split(command)[1:] == args
    assert "not judged" in preset("my preset.toml").description


class Clock:
    """A twentieth of a second passes whenever it is read, however busy the machine is."""

    now = 0.0

    def monotonic(self) -> float:
        self.now += 0.05
        return self.now


def test_the_budget_is_kept(shell: Any, args: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("matinee.lab.tune.search.time", clock)
    args = [a for a in args if a not in ("--trials", "6")]
    answer = shell.json(*args, "--budget", "0.1")
    assert 3 < clock.now <= 0.1 * 60 + 1
    assert answer["stopped"] == "budget"
    assert Path(f"{answer['dataset']}-best.toml").exists()


def test_the_space_is_shown_and_read_back(shell: Any) -> None:
    shown = shell("sweep", "--show-space", "--preset", "base").stdout
    Path("space.toml").write_text(shown)
    assert shell("sweep", "--show-space", "--space", "space.toml").stdout == shown
    assert "[width]\nlow = 32\nhigh = 192\nlog = true\n" in shown
    assert shell.json("sweep", "--show-space")["dimensions"]["depth"]["low"] == 1


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--space", "wrong.toml"], 2, ["wrong.toml", "learning_rat", "'learning_rate'"]),
        (["--space", "absent.toml"], 2, ["absent.toml", "no such file"]),
        (["--preset", "defualt"], 2, ["'default'"]),
        (["--set", "epoch=3"], 2, ["epoch", "'epochs'"]),
        (["--out", "mine"], 2, ["mine", ".toml"]),
        (["--out", "letter.toml"], 2, ["letter.toml", "no preset"]),
        (["--table", "t.xlsx"], 2, ["t.xlsx", ".csv"]),
        (["--storage", "letter.toml"], 2, ["letter.toml", "not the trials of a sweep"]),
        (["--storage", "letter.toml/x"], 1, ["letter.toml"]),
        (["--trials", "0"], 2, ["trials = 0"]),
        (["--budget", "0"], 2, ["budget = 0"]),
        (["--budget", "0.0001"], 1, ["budget", "ended before"]),
        (["--seeds", "0"], 2, ["seeds = 0"]),
        (["--by", "usr"], 2, ["'user'"]),
        (["--holdout", "2.5"], 2, ["2.5"]),
        (["--test", "absent.csv"], 1, ["absent.csv"]),
        (["--device", "cdua"], 2, ["cdua"]),
        (["--sql", "select 1"], 2, ["--sql"]),
    ],
)
def test_wrong_requests(
    more: list[str], code: int, words: list[str], shell: Any, args: list[str]
) -> None:
    Path("wrong.toml").write_text("[learning_rat]\nlow = 1\nhigh = 2\n")
    Path("letter.toml").write_text("Dear film,\n")
    message = shell(*args, *more, code=code)
    assert message.stdout == ""
    for word in words:
        assert word in message.stderr
    assert Path("letter.toml").read_text() == "Dear film,\n"


def test_trials_of_other_ratings_are_refused(shell: Any, args: list[str], catalogue: Path) -> None:
    shell(*args, "--trials", "1", "--out", "a.toml")
    other = [*args[:1], str(catalogue / "parts" / "train.parquet"), *args[2:]]
    message = shell(*other, "--out", "a.toml", code=2).stderr
    assert "a.trials: the data changed since that sweep" in message
    message = shell(*args, "--set", "dropuot=0", "--out", "a.toml", code=2).stderr
    assert "unknown key 'dropuot'" in message
    message = shell(*args, "--set", "code_dropout=0.1", "--out", "a.toml", code=2).stderr
    assert "the preset changed since that sweep (network.code_dropout)" in message


def test_without_optuna_it_says_what_to_install(
    shell: Any, args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    message = shell.error(*args, code=2)
    assert f"run: {install_command('sweep')}" in message
