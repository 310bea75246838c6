"""Lets the tests of this folder share ``dense``, and keeps their tiny arrays on one thread."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("dense")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On arrays this small, threads only wait for each other, and for long on a busy machine."""
    threads = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    yield
    torch.set_num_threads(threads[0])
    numba.set_num_threads(threads[1])
