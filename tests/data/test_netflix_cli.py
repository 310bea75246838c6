"""The Netflix Prize data at the command line: read with a bar, split, trained on, scored."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from matinee.cli import main, output as _output
from matinee.cli.show import reading as _reading

sys.path.insert(0, str(Path(__file__).parent))
from netflix_files import Row, write_combined


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    days = ["2005-09-01", "2005-10-05", "2005-11-30", "2005-12-24"]
    rows: list[Row] = [
        (movie, user, int(rng.integers(1, 6)), days[rng.integers(4)])
        for movie in range(1, 31)
        for user in range(100, 150)
    ]
    return write_combined(tmp_path / "home" / "netflix", rows)


def printed(capsys: pytest.CaptureFixture[str], *command: object) -> dict[str, object]:
    assert main([*map(str, command), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def test_describe_split_and_audit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in (folder, "netflix"):
        described = printed(capsys, "data", "describe", source)
        assert (described["ratings"], described["users"], described["items"]) == (1500, 50, 30)
        assert (described["low"], described["high"]) == (1, 5)
        assert (described["first"], described["last"]) == (
            "2005-09-01T00:00:00Z", "2005-12-24T00:00:00Z",
        )  # fmt: skip
    parts = printed(capsys, "data", "split", "netflix/3m", "--out", "three")["parts"]
    assert isinstance(parts, dict)
    assert list(parts) == ["train", "valid", "test"]
    assert sum(part["ratings"] for part in parts.values()) == 1500
    seeded = printed(capsys, "data", "split", "netflix/3m", "--out", "other", "--seed", 1)["parts"]
    assert isinstance(seeded, dict)
    assert [seeded[part] == parts[part] for part in parts] == [True, False, False]
    assert printed(capsys, "data", "audit", "netflix/3m")["overlap"] == 0
    assert printed(capsys, "data", "audit", "three")["overlap"] == 0


def test_train_and_evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ("--preset", "base", "--set", "hidden=4", "--epochs", 1)
    printed(capsys, "train", folder, *small, "--out", "all")
    fitted = printed(capsys, "train", "netflix/3m", *small, "--out", "three")
    score = printed(capsys, "evaluate", "three", "--test", "netflix/3m")
    assert fitted["rmse"] == score["rmse"]
    assert fitted["n_test"] == score["n_test"]


def test_what_is_wrong_exits_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "combined_data_1.txt"
    file.write_text(file.read_text()[:-8])
    assert main(["data", "describe", str(folder)]) == 1
    stderr = capsys.readouterr().err
    assert f"{file}, line " in stderr
    assert "cut short" in stderr
    assert "Traceback" not in stderr


def test_a_bar_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal in (True, False):
        out = io.StringIO()
        screen = Console(file=out, force_terminal=terminal, width=80)
        monkeypatch.setattr(_output, "console", lambda screen=screen: screen)
        with _reading.reading():
            pass
        assert out.getvalue() == "", "nothing is reported, nothing is shown"
        with _reading.reading() as report:
            report("reading", 50, 100)
            report("ordering", 1, 4)
        assert ("reading" in out.getvalue()) == terminal
        assert ("50%" in out.getvalue()) == terminal
        assert ("ordering" in out.getvalue()) == terminal
