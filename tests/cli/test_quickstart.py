"""``quickstart``, ``presets`` and ``doctor``."""

from __future__ import annotations

import json
import shlex
import socket
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee.cli.commands import _quickstart
from matinee.config import to_toml
from matinee.models import Settings, preset, preset_names


def test_the_whole_job_on_one_screen(shell: Any) -> None:
    done = shell("quickstart", "--small", "--epochs", 2)
    for text in (
        "6,000 held-out ratings",
        "autoencoder",
        "global_mean",
        "item_mean",
        "bias",
        "best reachable RMSE",
        "rates five films",
        "recommends",
    ):
        assert text in done.stdout, done.stdout
    recommended = done.stdout.split("recommends")[1].split("The model is in")[0]
    assert [line.split()[0] for line in recommended.splitlines() if "(" in line] == [
        str(rank) for rank in range(1, 11)
    ]
    assert Path("models/quickstart/manifest.json").exists()
    # What it says to try next works, as written.
    proposed = done.stdout.split("To go on:")[1].strip().splitlines()
    assert len(proposed) > 5
    for line in proposed:
        args = shlex.split(line)
        if "serve" in args:  # runs until it is stopped
            continue
        args = args[args.index("data") if "data" in args else _command_at(args) :]
        if args[0] == "train":
            args += ["--epochs", "1"]
        shell(*args)


def _command_at(args: list[str]) -> int:
    return next(
        at
        for at, word in enumerate(args)
        if word in ("recommend", "serve", "report", "train", "presets", "--help")
    )


def test_json(shell: Any) -> None:
    answer = shell.json("quickstart", "--small", "--epochs", 1, "--out", "here")
    assert answer["folder"] == "here"
    assert len(answer["recommendations"]) == 10
    assert len(answer["rated"]) == 5
    assert 0.7 < answer["floor"] < answer["baselines"]["bias"]["rmse"]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request goes to a port where nothing listens."""
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_network_it_says_so(shell: Any, offline: None, capsys: Any) -> None:
    assert _quickstart.find_data() is False
    message = capsys.readouterr().err
    assert "ml-1m is not in" in message
    assert "no download: cannot reach the server" in message
    assert not list(shell.folder.rglob("*.part"))


def test_data_that_is_gone_is_no_end(shell: Any, capsys: Any) -> None:
    folder = Path("gone")
    folder.mkdir()
    (folder / "ratings.dat").write_text("1::1::5::0\n")
    shell("data", "add", "ml-1m", folder)
    (folder / "ratings.dat").unlink()
    folder.rmdir()
    assert _quickstart.find_data() is False
    assert "gone" in capsys.readouterr().err


def test_a_server_that_never_answers_costs_no_more_than_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        trouble = _quickstart.unreachable(f"http://127.0.0.1:{silent.getsockname()[1]}/", 0.3)
    assert trouble in ("no answer within 0.3 s", "cannot reach the server (timed out)")


@pytest.fixture
def ml_1m(real_data: Callable[[str], Path]) -> Path:
    return real_data("ml-1m")


@pytest.mark.slow
def test_data_on_this_machine_is_used(
    ml_1m: Path, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_DATA", str(ml_1m.parent))
    assert _quickstart.find_data() is True
    done = shell("quickstart", "--epochs", 1)
    assert "ml-1m: trained on 900,188 ratings by 6,040 users" in done.stdout
    assert "Blade Runner (1982)" in done.stdout


def test_every_preset_reads_back_as_it_is_shown(shell: Any) -> None:
    for name in preset_names():
        text = shell("presets", name).stdout
        assert Settings.make(tomllib.loads(text)) == preset(name)
        assert shell.json("presets", name) == preset(name).model_dump(mode="json")
    listed = shell("presets").stdout
    assert all(name in listed for name in preset_names())
    assert set(shell.json("presets")["presets"]) == set(preset_names())
    assert "tuned" in shell.error("presets", "tunde", code=2)


def test_toml_of_odd_values() -> None:
    odd = Settings().replace({"description": 'a "b" \\ c\n', "learning_rate": 1e-8, "eps": 3})
    assert Settings.make(tomllib.loads(to_toml(odd))) == odd


def test_doctor(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = shell.json("doctor")
    assert answer["problems"] == []
    assert answer["data_home"] == str(shell.folder / "home")
    assert answer["data"]["ml-1m"] is None
    assert answer["kernel_threads"] >= 1
    assert answer["versions"]["torch"]
    assert "kernel_cache" in answer
    assert "all is well" in shell("doctor").stdout
    monkeypatch.setattr(sys, "pycache_prefix", str(shell.folder / "bytecode"))
    assert shell.json("doctor", "--compile")["compile_seconds"] > 0
    assert list((shell.folder / "bytecode").rglob("matinee/cli/_app.*.pyc"))

    registry = shell.folder / "config" / "matinee" / "datasets.json"
    registry.parent.mkdir(parents=True)
    registry.write_text("{")
    broken = shell("doctor", "--json", code=1)
    assert "datasets.json" in json.loads(broken.stdout)["problems"][0]
    assert "PROBLEM: " in shell("doctor", code=1).stdout
