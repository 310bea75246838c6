"""``matinee`` run in this process (quick) or as the real executable, and one trained model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee.cli import main
from matinee.data import split, write_split
from matinee.synth import synthesize, write_synthetic

MATINEE = Path(sys.executable).with_name("matinee.exe" if os.name == "nt" else "matinee")
SHAPE = (120, 90, 4000)

Result = subprocess.CompletedProcess[str]


def checked(result: Result, code: int = 0) -> Result:
    assert result.returncode == code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result


class Shell:
    """Runs ``matinee`` in a folder of its own, with an empty data home."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *args: object, code: int = 0) -> Result:
        self._capture.readouterr()
        result = main([str(arg) for arg in args])
        return checked(Result(args, result, *self._capture.readouterr()), code)

    def json(self, *args: object) -> dict[str, Any]:
        answer = json.loads(self(*args, "--json").stdout)
        assert isinstance(answer, dict)
        return answer

    def error(self, *args: object, code: int) -> str:
        """What a failing call says; it prints no result."""
        result = self(*args, code=code)
        assert result.stdout == ""
        assert result.stderr.count("matinee: error: ") == 1, result.stderr
        return result.stderr

    def real(self, *args: object, timeout: float = 120) -> Result:
        """By the executable, in a process of its own."""
        return subprocess.run(
            [MATINEE, *map(str, args)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=timeout,
        )


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NO_COLOR", "1")
    return Shell(tmp_path, capsys)


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder ``ratings`` of generated ratings, and ``parts``, a split of them."""
    folder = tmp_path_factory.mktemp("catalogue")
    write_synthetic(folder / "ratings", *SHAPE)
    ratings = synthesize(*SHAPE).ratings
    parts = zip(("train", "test"), split(ratings, 0.2, 0), strict=True)
    write_split(parts, folder / "parts", ratings, {"by": "random"})
    return folder


@pytest.fixture(scope="session")
def trained(catalogue: Path) -> Path:
    """A model folder, trained on the train part by the command."""
    out = catalogue / "model"
    assert main([*TRAIN, str(catalogue / "parts"), "--out", str(out), "--json"]) == 0
    return out


TRAIN = ["train", "--set", "hidden=8", "--set", "batch_size=32", "--epochs", "4"]


@pytest.fixture
def train(shell: Shell) -> Callable[..., Result]:
    """``matinee train`` of a small network."""

    def call(*args: object, **more: Any) -> Result:
        return shell(*TRAIN, *args, **more)

    return call
