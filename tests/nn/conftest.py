"""Lets the tests of this folder share ``dense``, and keeps their tiny arrays on one thread."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("dense")


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None:
    """For all tests of this folder."""
