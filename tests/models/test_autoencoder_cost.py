"""Cost is by ratings: no array of users x items, nor of a batch x items, is ever made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

USERS, ITEMS, WIDTH = 2_000, 200_000, 8
CODE = """
import json, sys
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

name, options = json.loads(sys.argv[1])
def make():
    return Autoencoder(name, device="cpu", **options)
small = ratings(40, 400)
make().fit(small).evaluate(small, allow_overlap=True)  # compile
wide = ratings(USERS, ITEMS)
wide.by_user
before = status("VmRSS")
try:
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of compiling
except OSError:
    pass
model = make().fit(wide)
print(status("VmHWM") - before, len(model.epochs))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("preset", "options", "copies"),
    [
        ("default", {}, 14),
        ("base", {}, 8),
        ("base", {"tied": True, "optimizer": "sgd", "objective": "conditional"}, 4),
    ],
    ids=["default", "base", "tied"],
)
def test_a_wide_catalogue_costs_its_tables(
    preset: str, options: dict[str, object], copies: int
) -> None:
    chosen = preset, {"hidden": [WIDTH], "epochs": 2, "batch_size": 500, **options}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CODE.replace("USERS", str(USERS)).replace("ITEMS", str(ITEMS)),
            json.dumps(chosen),
        ],
        env={**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown = float(done.stdout.split()[0])
    # One batch x items array of float32 is 381 MiB, users x items 1526; the tables, their moments
    # and one copy of the best epoch's weights are this, 4 copies of each table; the default has
    # what its two teachers predict from, too, and the table of the stored codes:
    needed = copies * ITEMS * WIDTH * 4 / 2**20
    assert grown < needed + 60
