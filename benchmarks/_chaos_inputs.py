"""Malformed tables and model folders."""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from matinee.errors import ModelFileError
from matinee.models import Autoencoder, Bias, load_model
from matinee.testing import sample

TESTS = Path(__file__).parent.parent / "tests"
sys.path += [str(TESTS / "data"), str(TESTS / "models")]

from test_fuzz import fuzz  # noqa: E402  (the tables that the tests make)
from test_signed import FREE, WRONG, places, sign  # noqa: E402


@dataclass
class Tried:
    """How many were tried, and what was wrong."""

    name: str
    tried: int = 0
    tracebacks: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    """Rows that went without a note, or a folder that was read although it was damaged."""


def tables(place: Path, n: int, seconds: float) -> Tried:
    """Odd tables of seeds that the tests do not use."""
    found, until = Tried("tables"), time.monotonic() + seconds
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(10_000, 10_000 + n):
            if time.monotonic() > until:
                break
            found.tried += 1
            try:
                fuzz(place, range(seed, seed + 1))
            except AssertionError as error:
                lost = str(error).startswith("(")  # the assertion on numbers of rows
                (found.silent if lost else found.tracebacks).append(str(error)[:300])
    return found


def folders(place: Path, n: int, seconds: float) -> tuple[Tried, Tried]:
    """Model folders with bytes changed, and with a field changed and the checksums made to fit."""
    damaged, signed = Tried("model folders, damaged"), Tried("model folders, a field changed")
    ratings, rng = sample(), random.Random(0)
    small: dict[str, Any] = {"hidden": (4, 3, 4), "epochs": 1, "batch_size": 32}
    models = [Bias(), Autoencoder("base", **small), Autoencoder("base", rows="items", **small)]
    saved = [model.fit(ratings).save(place / f"m{i}") for i, model in enumerate(models)]
    right = []
    for path in saved:
        model = load_model(path)
        right.append(model.scores_coded(model.histories.take([0, 1])))
    until = time.monotonic() + seconds
    for number in range(n):
        if time.monotonic() > until:
            break
        which = rng.randrange(len(saved))
        copy = place / "copy"
        shutil.copytree(saved[which], copy)
        if number % 2:
            spoil(copy, rng)
            read(copy, damaged, None)
        else:
            what = change(copy, rng)
            if what:
                read(copy, signed, right[which], what)
        shutil.rmtree(copy)
    return damaged, signed


def spoil(folder: Path, rng: random.Random) -> None:
    """Flip a bit, cut a file short, or take it away."""
    path = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file() and p.stem != "metrics"))
    data = bytearray(path.read_bytes())
    kind = rng.choice(["flip", "cut", "remove"])
    if kind == "remove" or not data:
        path.unlink()
    elif kind == "cut":
        path.write_bytes(data[: rng.randrange(len(data))])
    else:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)


def change(folder: Path, rng: random.Random) -> str:
    """Put another value into the manifest, and sign it; what was changed."""
    manifest = json.loads((folder / "manifest.json").read_text())
    usable = [
        path
        for path in places(manifest)
        if path[0] not in FREE and path[0] != "checksum" and "epochs" not in path
    ]
    path, wrong = rng.choice(usable), rng.choice(WRONG)
    at = manifest
    for part in path[:-1]:
        at = at[part]
    if at[path[-1]] == wrong:
        return ""
    at[path[-1]] = wrong
    sign(folder, manifest)
    return f"{path} = {wrong!r}"


def read(folder: Path, found: Tried, right: Any, what: str = "") -> None:
    """Read a folder: an error that names the file, or (where a field may be anything) a model."""
    found.tried += 1
    try:
        model = load_model(folder)
        scores = model.scores_coded(model.histories.take([0, 1]))
    except ModelFileError:
        return
    except Exception as error:
        found.tracebacks.append(f"{what}: {type(error).__name__}: {error}")
        return
    if right is None or scores.shape != right.shape or not np.isfinite(scores).all():
        found.silent.append(what or "damaged, and read")
