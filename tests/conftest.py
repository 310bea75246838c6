"""Shared fixtures. Real data is found through MATINEE_DATA; where it is absent a test skips."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
from servers import PostgreSQL, postgresql_programs

# As the command does (see cli/_app.py): tests share the machine with the processes they start.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
# Before NumPy is imported: on small matrices the threads of OpenBLAS only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Searches for garbage are rarer: with the libraries of the whole suite loaded, they take long.
gc.set_threshold(20_000, 20, 20)

# Other programs may be at work: an example that takes long is no failure.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_finish() -> None:
    """Libraries and tests stay until the end: no search for garbage need visit them."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()


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


@pytest.fixture
def one_thread() -> Iterator[None]:
    """On tiny arrays, threads only wait for each other, and for long on a busy machine."""
    import torch

    from matinee.base.threads import kernel_threads

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with kernel_threads(1):
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server started for the tests; skips with the reason where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = postgresql_programs()
    if isinstance(programs, str):
        pytest.skip(programs)
    with PostgreSQL(programs) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A chromium, started without a window; skips with the reason where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install matinee[browser]"
    )
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no chromium on this machine (make browser installs one)")
    with playwright.sync_playwright() as started:
        try:
            result = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"{program} does not start: {str(error).splitlines()[0]}")
        yield result
        result.close()
