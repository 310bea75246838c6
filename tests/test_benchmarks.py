from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.mark.slow
def test_malformed_inputs_are_made_and_counted(tmp_path: Path) -> None:
    """`chaos.py` uses functions of the tests, which a change there may rename."""
    chaos = [sys.executable, str(BENCHMARKS / "chaos.py"), "--out", str(tmp_path), "--inputs", "2"]
    done = subprocess.run(
        [*chaos, "--only", "tables,folders"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "| malformed tables | 2: 0 tracebacks, 0 silently wrong |" in done.stdout
    assert "| malformed model folders, a field changed | 1: 0 tracebacks" in done.stdout


@pytest.mark.slow
def test_names_and_arguments_in_benchmarks_and_examples_exist(tmp_path: Path) -> None:
    """They call functions of the package, which a change there may rename."""
    root = BENCHMARKS.parent
    mypy = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), "--no-strict-optional"]
    done = subprocess.run(
        [*mypy, "--hide-error-context", "benchmarks", "examples", "docs"],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        timeout=600,
    )
    codes = ("[attr-defined]", "[call-arg]", "[name-defined]", "[syntax]")
    lines = [line for line in done.stdout.splitlines() if line.endswith(codes)]
    assert "checked" in done.stdout or "no issues" in done.stdout, done.stdout + done.stderr
    assert lines == []
