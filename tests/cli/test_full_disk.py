"""A disk that is full, a limit on the size of files, a path that cannot be written to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import TRAIN

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no limits on file size there")

LIMITED = """
import resource, sys
from matinee.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


def limited(size: int, *args: object) -> str:
    command = [sys.executable, "-c", LIMITED, str(size), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("matinee: error: ") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("size", [1024, 65_536])
def test_lists_that_do_not_fit(shell: Any, trained: Path, size: int) -> None:
    Path("lists.csv").write_text("old\n")
    lists = ("recommend", trained, "--all-users", "-k", "50", "--out", "lists.csv")
    assert "lists.csv: cannot write: File too large" in limited(size, *lists)
    assert [path.name for path in Path().iterdir()] == ["lists.csv"]
    assert Path("lists.csv").read_text() == "old\n"


def test_a_model_that_does_not_fit(shell: Any, catalogue: Path) -> None:
    out = ("--out", "m")
    assert "File too large" in limited(4096, *TRAIN, catalogue / "parts", *out)
    assert [path for path in Path().rglob(".*") if path.name.startswith(".")] == []


def test_a_former_model_that_does_not_fit(shell: Any, trained: Path) -> None:
    """A copy of a folder has errors of its own."""
    for name in ("m", "m.previous"):
        shutil.copytree(trained, name)
    Path("m/metrics.jsonl").write_text("in service\n")
    message = limited(4096, "refresh", "m", "--rollback")
    assert message == "matinee: error: m: cannot write: File too large\n"
    assert Path("m/metrics.jsonl").read_text() == "in service\n"
    assert sorted(path.name for path in Path().iterdir()) == ["m", "m.previous"]


@pytest.mark.parametrize("out", ["/proc/x.csv", "file/x.csv"])
def test_a_place_that_cannot_be_written_to(shell: Any, trained: Path, out: str) -> None:
    Path("file").touch()
    message = shell.error("recommend", trained, "--all-users", "--out", out, code=1)
    assert "cannot write: " in message


def test_a_model_goes_to_the_home_folder(
    shell: Any, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(shell.folder / "home"))
    shell(*TRAIN, catalogue / "parts", "--out=~/models/x")
    assert Path("home/models/x/manifest.json").exists()
    assert not Path("~").exists()


def test_nothing_is_trained_for_a_place_that_cannot_be_written_to(
    shell: Any, catalogue: Path
) -> None:
    message = shell.error(*TRAIN, catalogue / "parts", "--out", "/proc/m", code=1)
    assert "/proc/m: cannot write" in message
    assert "epoch" not in message


@pytest.mark.parametrize(
    "command",
    [
        ("train", "no-such-data", "--out", "/proc/x"),
        ("recommend", "no-such-model", "--all-users", "--out", "/proc/x.csv"),
        ("export", "no-such-model", "--onnx", "/proc/x.onnx"),
        ("export", "no-such-model", "--items", "/proc/x.parquet"),
        ("report", "no-such-model", "--out", "/proc/x.html"),
        ("study", "run", "no-such-study", "--out", "/proc/x"),
        ("sweep", "no-such-data", "--out", "/proc/x.toml"),
        ("data", "split", "no-such-data", "--out", "/proc/x"),
        ("evaluate", "no-such-model", "--test", "x", "--lists", "--trec", "/proc/x"),
    ],
    ids=" ".join,
)
def test_an_output_is_checked_before_any_work(shell: Any, command: tuple[str, ...]) -> None:
    assert "cannot write: " in shell.error(*command, code=1)


def test_a_file_is_not_written_over_a_folder(shell: Any) -> None:
    Path("x.csv").mkdir()
    message = shell.error("recommend", "no-such-model", "--all-users", "--out", "x.csv", code=1)
    assert "x.csv: cannot write: is a folder" in message


def test_a_file_is_not_written_over_what_the_command_reads(shell: Any) -> None:
    Path("x.csv").write_text("user,item,rating\n1,2,3\n")
    command = ("recommend", "no-such-model", "--ratings", "x.csv", "--out", "./x.csv")
    assert "x.csv: is read by the same command" in shell.error(*command, code=2)
    assert Path("x.csv").read_text().startswith("user")
