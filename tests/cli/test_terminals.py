"""A closed stdout, a terminal of ASCII, no home: no traceback, and nothing lost in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.cli import main
from matinee.data import Table

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
MATINEE = f"{sys.executable} -m matinee"
ROWS = "user,item,rating\n1,caf\u00e9,5\n2,b,4\n"


def shell_line(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    output = shell_line(f"{MATINEE} data list {closed}")
    assert (output.returncode, output.stderr) == (0, "")


def test_a_terminal_of_ascii(tmp_path: Path) -> None:
    path = tmp_path / "caf\u00e9.csv"
    path.write_text(ROWS, encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for environment in (ascii_only, {"PYTHONIOENCODING": "ascii"}):
        output = shell_line(f"{MATINEE} data describe {path}", **environment)
        assert output.returncode == 0, output.stderr
        assert "Traceback" not in output.stderr
        assert "caf" in output.stdout


@pytest.mark.parametrize("line", [f"HOME= {MATINEE}", f"env -u HOME {MATINEE}"])
def test_no_home(line: str) -> None:
    output = shell_line(f"{line} data list --json", XDG_CACHE_HOME="", MATINEE_DATA="")
    assert output.returncode == 0, output.stderr
    assert '"/.cache' not in output.stdout


def test_formulas(shell: Any, trained: Path, tmp_path: Path) -> None:
    table, count = Table(
        {
            "id": np.array(["=1", "a", "", "-x"], object),
            "rank": np.arange(4),
            "title": np.array(["@x", "+", "b=", "\t"]),
        }
    ).without_formulas()
    assert count == 5
    assert list(table["id"]) == ["'=1", "a", "", "'-x"]
    assert list(table["title"]) == ["'@x", "'+", "b=", "'\t"]
    asked = ["recommend", trained, "--all-users", "--escape-formulas", "--out"]
    done = shell(*asked, "lists.csv")
    assert "0 cells that begin like a formula" in done.stderr
    assert shell.json(*asked, "lists.csv")["rows"] > 0
    assert "CSV or TSV" in shell.error(*asked, "lists.parquet", code=2)
    assert "CSV or TSV" in shell.error(*asked[:2], "--user", "1", asked[3], code=2)
    assert main(["presets"]) == 0


def test_without_docstrings() -> None:
    """Which parameters are arguments, and the names of flags, do not come from docstrings."""
    output = shell_line(f"{MATINEE} presets ease", PYTHONOPTIMIZE="2")
    assert (output.returncode, output.stderr) == (0, "")
