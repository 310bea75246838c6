"""Shared fixtures. Real data is found through MATINEE_DATA; where it is absent a test skips."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

# As the command does (see cli/_app.py): tests share the machine with the processes they start.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Path of a real data set below MATINEE_DATA, or skip with the reason."""

    def find(name: str) -> Path:
        home = os.environ.get("MATINEE_DATA")
        if not home:
            pytest.skip("MATINEE_DATA is not set; real-data tests need it")
        path = (ROOT / home / name).resolve()
        if not path.exists():
            pytest.skip(f"{name} is not under MATINEE_DATA")
        return path

    return find
