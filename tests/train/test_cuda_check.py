"""The script for people with a CUDA card runs; here, the CPU against itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "cuda_check.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_every_check_passes_on_the_cpu() -> None:
    done = run("--device", "cpu", "--users", "300")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASS") == 7
    assert "everything passed" in done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA card")
def test_without_a_card_it_says_what_is_missing() -> None:
    done = run()
    assert done.returncode == 1
    assert "sees no CUDA card here" in done.stderr
