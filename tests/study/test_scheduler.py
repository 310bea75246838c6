"""Runs in worker processes: results, failures, kills, and going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from matinee.errors import UsageError
from matinee.lab.study import (
    EpochRecord,
    RunRecord,
    RunStore,
    Spec,
    Study,
    load_results,
    plan_study,
    run_study,
)
from matinee.lab.study.runs.scheduler import RunListener, default_workers

SECONDS = {"seconds", "total_seconds", "peak_mib", "versions"}
MATINEE = Path(sys.executable).with_name("matinee")


class Recorder(RunListener):
    """Records what the study reports."""

    def __init__(self) -> None:
        self.done: list[RunRecord] = []
        self.messages: dict[str, str] = {}
        self.epochs: list[tuple[str, int]] = []
        self.started_runs: list[str] = []
        self.before = 0

    def planned(self, specs: Sequence[Spec], done: int, workers: int) -> None:
        self.before = done

    def started(self, spec: Spec) -> None:
        self.started_runs.append(spec.arm)

    def epoch(self, spec: Spec, epoch: EpochRecord) -> None:
        self.epochs.append((spec.arm, epoch.epoch))

    def finished(self, spec: Spec, record: RunRecord) -> None:
        self.done.append(record)

    def broken(self, spec: Spec, message: str) -> None:
        self.messages[spec.arm] = message


STUDY: dict[str, Any] = {
    "name": "tiny",
    "title": "Tiny",
    "preset": "base",
    "set": {"hidden": [8, 8], "epochs": 3},
    "seeds": [0, 1],
    "base": "b/16",
    "figures": ["held_out", "held_out_user_mean", "training", "reference", "batch_mean"],
    "extra": ["protocol", "coverage", "update", "single_row_statistics"],
    "data": [
        {
            "name": "w",
            "synthetic": {"users": 150, "items": 60, "ratings": 4000},
            "holdout": 0.2,
        }
    ],
    "groups": [
        {"name": "b", "title": "B", "key": "batch_size", "values": [16, 64]},
        {
            "name": "more",
            "title": "M",
            "arms": [
                {"name": "bias", "model": "bias"},
                {"name": "same as b", "set": {"batch_size": 16}},
                {"name": "diverges", "set": {"optimizer": "sgd", "learning_rate": 1e9}},
                {"name": "norm", "set": {"batch_norm": True, "l2": 0.01}},
                {"name": "mf", "preset": "biased-mf", "set": {"sweeps": 2}},
            ],
        },
    ],
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorder, Any]:
    folder, events = tmp_path_factory.mktemp("study") / "runs", Recorder()
    outcome = run_study(
        plan_study(Study.make(STUDY)), folder, workers=1, threads=1, listener=events
    )
    return folder, events, outcome


def test_every_run_has_a_record(ran: tuple[Path, Recorder, Any]) -> None:
    folder, events, outcome = ran
    assert outcome.broken == {}
    assert outcome.done == 12
    assert outcome.diverged == 2
    results = load_results(folder)
    assert len(results.runs) == results.expected == 14
    assert results.runs["b/16", "w", 0] is results.runs["more/same as b", "w", 0]
    assert not any((folder / "live").iterdir())
    seeds = [record.seed for record in events.done]
    assert seeds == sorted(seeds)  # all of one seed before the next
    assert ("b/16", 3) in events.epochs


def test_a_record_is_complete(ran: tuple[Path, Recorder, Any]) -> None:
    record = load_results(ran[0]).runs["b/16", "w", 0]
    assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
    for epoch in record.epochs:
        assert set(epoch.figures) == set(STUDY["figures"])
    final = record.final
    assert final["train_ratings"] == 3200
    assert final["test_ratings"] == 800
    assert final["best_epoch"] == 3
    assert final["rmse_low"] < final["rmse"] < final["rmse_high"]
    assert 0.4 < final["noise_floor"] < final["bias_rmse"] < final["user_mean_rmse"]
    assert final["protocol.global"] == pytest.approx(final["rmse"], abs=0.02)
    assert final["protocol.training"] == pytest.approx(record.last("training"), rel=1e-5)
    assert final["protocol.user_mean"] == pytest.approx(record.last("held_out_user_mean"), rel=1e-5)
    assert final["update.rmse"] == pytest.approx(final["rmse"] - final["update.gain"], abs=1e-9)
    assert final["update.gain_low"] < final["update.gain"] < final["update.gain_high"]
    assert record.settings["model"] == "autoencoder"
    assert record.settings["train"]["batch_size"] == 16
    assert record.parameters > 8 * 60 * 2
    assert record.peak_mib > 10
    assert 0 < record.seconds < record.total_seconds
    assert {"matinee", "python", "numpy", "torch", "processor", "threads"} <= set(record.versions)


def test_models_without_epochs_and_rivals_have_records_too(ran: tuple[Path, Recorder, Any]) -> None:
    runs = load_results(ran[0]).runs
    bias = runs["more/bias", "w", 0]
    assert bias.epochs == ()
    assert bias.final["rmse"] == pytest.approx(bias.final["bias_rmse"])
    assert bias.parameters > 200
    factors = runs["more/mf", "w", 0]
    assert len(factors.epochs) == 2
    assert "held_out" in factors.epochs[-1].figures


def test_norm_and_penalty_figures(ran: tuple[Path, Recorder, Any]) -> None:
    figures = load_results(ran[0]).runs["more/norm", "w", 0].epochs[-1].figures
    assert figures["penalty"] > 0
    assert figures["reference_penalised"] > figures["reference"]
    assert figures["single_row"] != figures["reference"]


def test_a_run_that_diverges_is_a_result(ran: tuple[Path, Recorder, Any]) -> None:
    record = load_results(ran[0]).runs["more/diverges", "w", 0]
    assert record.status == "failed"
    assert "diverged" in record.error
    assert record.final == {}


def test_nothing_is_run_twice(ran: tuple[Path, Recorder, Any]) -> None:
    events = Recorder()
    outcome = run_study(
        plan_study(Study.make(STUDY)), ran[0], workers=1, threads=1, listener=events
    )
    assert (outcome.done, outcome.before, outcome.diverged) == (0, 12, 2)
    assert events.started_runs == []


def test_a_broken_run_does_not_stop_the_others(tmp_path: Path) -> None:
    plan = plan_study(Study.make({**STUDY, "seeds": [0]}))
    key = plan.names["b/16", "w", 0]
    spec = plan.specs[key]
    plan.specs[key] = Spec(**{**vars(spec), "data": {**spec.data, "by": "nonsense"}})
    events = Recorder()
    outcome = run_study(
        plan, tmp_path / "runs", workers=1, threads=1, groups=["b"], listener=events
    )
    assert outcome.done == 1
    assert "nonsense" in outcome.broken[key]
    assert list(events.messages) == ["b/16"]
    # It is no result: it is tried again.
    good = plan_study(Study.make({**STUDY, "seeds": [0]}))
    again = run_study(good, tmp_path / "runs", workers=1, threads=1, groups=["b"])
    assert (again.done, again.before, again.broken) == (1, 1, {})


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_run(tmp_path: Path) -> None:
    class Killer(Recorder):
        def epoch(self, spec: Spec, epoch: EpochRecord) -> None:
            super().epoch(spec, epoch)
            if len(self.epochs) == 1:
                _kill_children()

    events = Killer()
    plan = plan_study(Study.make({**STUDY, "seeds": [0]}))
    outcome = run_study(
        plan, tmp_path / "runs", workers=1, threads=1, groups=["b"], listener=events
    )
    assert outcome.broken == {}
    assert outcome.done == 2
    assert len(events.started_runs) == 3  # one of them twice


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.slow
def test_a_run_that_kills_its_worker_every_time_is_given_up(tmp_path: Path) -> None:
    class Killer(Recorder):
        def epoch(self, spec: Spec, epoch: EpochRecord) -> None:
            if spec.arm == "b/16":
                _kill_children()

    plan = plan_study(Study.make({**STUDY, "seeds": [0]}))
    outcome = run_study(
        plan, tmp_path / "runs", workers=1, threads=1, groups=["b"], listener=Killer()
    )
    assert outcome.done == 1
    assert "killed by signal 9" in outcome.broken[plan.names["b/16", "w", 0]]


def _kill_children() -> None:
    import multiprocessing

    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.slow
def test_sigkill_in_the_middle_loses_nothing_and_repeats_nothing(
    ran: tuple[Path, Recorder, Any], tmp_path: Path
) -> None:
    file, folder = tmp_path / "tiny.toml", tmp_path / "runs"
    _write(file)
    command = [MATINEE, "study", "run", file, "--out", folder, "--workers", "2", "--threads", "1"]
    engine = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 500
    while len(RunStore(folder).done()) < 3:
        assert time.monotonic() < until
        assert engine.poll() is None
        time.sleep(0.02)
    engine.kill()  # the engine alone: its workers find out for themselves
    engine.wait()
    time.sleep(0.5)
    kept = {
        key: (folder / "runs" / f"{key}.json").stat().st_mtime_ns for key in RunStore(folder).done()
    }
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=True, timeout=300
    )
    answer = json.loads(done.stdout)
    assert answer["before"] >= len(kept) >= 3
    assert answer["done"] + answer["before"] == 12
    for key, when in kept.items():
        assert (folder / "runs" / f"{key}.json").stat().st_mtime_ns == when
    one, other = load_results(folder).runs, load_results(ran[0]).runs
    assert one.keys() == other.keys()
    for name in one:
        first, second = _without_times(one[name]), _without_times(other[name])
        differ = [part for part in first if first[part] != second[part]]
        assert differ == [], (name, [(first[part], second[part]) for part in differ])


def _without_times(record: RunRecord) -> dict[str, Any]:
    """A record without what no two runs have in common."""
    values = {name: value for name, value in vars(record).items() if name not in SECONDS}
    values["epochs"] = [(epoch.epoch, epoch.figures) for epoch in record.epochs]
    values["final"] = {k: v for k, v in record.final.items() if not k.endswith("_seconds")}
    return values


def _write(file: Path) -> None:
    from matinee.config import to_toml

    file.write_text(to_toml(Study.make(STUDY), defaults=False), "utf-8")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_keeps_the_epochs_of_a_long_run(tmp_path: Path) -> None:
    study = Study.make(
        {
            **STUDY,
            "set": {"hidden": [8], "epochs": 100_000},
            "seeds": [0],
            "groups": STUDY["groups"][:1],
        }
    )
    from matinee.config import to_toml

    file, folder = tmp_path / "long.toml", tmp_path / "runs"
    file.write_text(to_toml(study, defaults=False), "utf-8")
    engine = subprocess.Popen(
        [MATINEE, "study", "run", file, "--out", folder, "--workers", "1"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 500
    while not any(len(f.read_bytes()) > 2000 for f in (folder / "live").glob("*/metrics.jsonl")):
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(engine.pid, signal.SIGINT)
    _, stderr = engine.communicate(timeout=600)
    assert engine.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert "to continue:" in stderr
    assert len(list((folder / "live").glob("*/checkpoint.safetensors"))) == 1


def test_workers_and_threads_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.lab.study.runs.scheduler.affine_cores", lambda: 8)
    assert default_workers() == (8, 1)
    assert default_workers(2) == (2, 4)
    assert default_workers(threads=2) == (4, 2)
    assert default_workers(16) == (16, 1)
    with pytest.raises(UsageError, match="--workers 0"):
        default_workers(0)
