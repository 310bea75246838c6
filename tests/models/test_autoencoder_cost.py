"""Cost is by ratings: no array of users x items, nor of a batch x items, is ever made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

USERS, ITEMS, WIDTH = 2_000, 100_000, 8
CASES: dict[str, tuple[str, dict[str, object], int]] = {
    "default": ("default", {}, 14),
    "base": ("base", {}, 8),
    "tied": ("base", {"tied": True, "optimizer": "sgd", "objective": "conditional"}, 4),
}
"""Preset, options, and copies of a table that are needed."""
CODE = """
import json, os, sys
from pathlib import Path
import numpy as np
from matinee.data import Ratings
from matinee.models import Autoencoder

def status(name):
    text = Path("/proc/self/status").read_text()
    return int(text.partition(name + ":")[2].split()[0]) / 1024

def ratings(users, items):
    rng = np.random.default_rng(0)
    return Ratings.from_arrays(
        rng.permutation(items) % users, np.arange(items), rng.integers(1, 6, items)
    )

def grown(preset, options):
    def make():
        return Autoencoder(preset, device="cpu", **options)
    make().fit(small).evaluate(small, allow_overlap=True)  # compile
    before = status("VmRSS")
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of compiling
    except OSError:
        pass
    model = make().fit(wide)
    return status("VmHWM") - before

small, wide = ratings(40, 400), ratings(USERS, ITEMS)
wide.by_user
Autoencoder(device="cpu", epochs=1).fit(small)  # what all need is imported once
for name, (preset, options) in json.loads(sys.argv[1]).items():
    if os.fork() == 0:  # memory that an earlier case has freed would hide what this one takes
        print(name, grown(preset, options), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


@pytest.fixture(scope="module")
def grown() -> dict[str, float]:
    """By case, the MiB that memory grows by in a fit."""
    shared = {"hidden": [WIDTH], "epochs": 2, "batch_size": 500}
    chosen = {name: (preset, {**shared, **more}) for name, (preset, more, _) in CASES.items()}
    code = CODE.replace("USERS", str(USERS)).replace("ITEMS", str(ITEMS))
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(chosen)],
        env={**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("case", CASES)
def test_a_wide_catalogue_costs_its_tables(case: str, grown: dict[str, float]) -> None:
    # One batch x items array of float32 is 190 MiB, users x items 763; the tables, their moments
    # and one copy of the best epoch's weights are this, 4 copies of each table; the default has
    # what its two teachers predict from, too, and the table of the stored codes:
    needed = CASES[case][2] * ITEMS * WIDTH * 4 / 2**20
    assert grown[case] < needed + 30
