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
