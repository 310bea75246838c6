"""Malformed tables and model folders."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from _chaos_pieces import More, Piece, Row
from matinee.errors import ModelFileError
from matinee.models import Autoencoder, Bias, load_model
from matinee.testing import sample

TESTS = Path(__file__).parent.parent / "tests"


def tests_of(path: str) -> Any:
    """A module of the tests by its file: two folders have a test_fuzz.py."""
    spec = importlib.util.spec_from_file_location(f"chaos_{Path(path).stem}", TESTS / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz = tests_of("data/test_fuzz.py").fuzz
signed = tests_of("models/test_signed.py")
FREE, WRONG, paths, sign = signed.FREE, signed.WRONG, signed.paths, signed.sign

NAMES = {
    "tables": "tables",
    "damaged": "model folders, damaged",
    "changed": "model folders, a field changed",
}


def tables(out: Path, n: int, more: More) -> None:
    """Odd tables of seeds that the tests do not use."""
    (out / "work").mkdir(exist_ok=True)
    with Piece(out / "tables.json") as piece, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while piece.get("tried") < n and more():
            seed = 10_000 + piece.get("tried")
            piece.add("tried")
            try:
                fuzz(out / "work", range(seed, seed + 1))
            except AssertionError as error:
                lost = str(error).startswith("(")  # the assertion on numbers of rows
                piece.texts("silent" if lost else "tracebacks").append(f"{seed}: {error}"[:300])
            if seed % 100 == 0:
                piece.save()


def folders(out: Path, n: int, more: More) -> None:
    """Model folders with bytes changed, and with a field changed and the checksums made to fit."""
    ratings = sample()
    small: dict[str, Any] = {"hidden": (4, 3, 4), "epochs": 1, "batch_size": 32}
    models = [Bias(), Autoencoder("base", **small), Autoencoder("base", rows="items", **small)]
    work = out / "work"
    saved = [model.fit(ratings).save(work / f"m{i}") for i, model in enumerate(models)]
    right = []
    for path in saved:
        model = load_model(path)
        right.append(model.scores_coded(model.histories.take([0, 1])))
    copy = work / "copy"
    with Piece(out / "damaged.json") as damaged, Piece(out / "changed.json") as changed:
        while min(damaged.get("tried"), changed.get("tried")) < n // 2 and more():
            number = damaged.get("tried")
            rng = random.Random(number)
            which = rng.randrange(len(saved))
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(saved[which], copy)
            spoil(copy, rng)
            read(copy, damaged, None, str(number))
            shutil.rmtree(copy)
            shutil.copytree(saved[which], copy)
            read(copy, changed, right[which], f"{number}: {change(copy, rng)}")
            if number % 100 == 0:
                damaged.save()
                changed.save()


def rows(out: Path) -> list[Row]:
    """Rows of the table."""
    found = []
    for file, name in NAMES.items():
        if (out / f"{file}.json").exists():
            piece = Piece(out / f"{file}.json")
            tracebacks, silent = piece.texts("tracebacks"), piece.texts("silent")
            found.append(
                (
                    f"malformed {name}",
                    f"{piece.get('tried'):,}: {len(tracebacks)} tracebacks, "
                    f"{len(silent)} silently wrong",
                )
            )
    return found


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
        for path in paths(manifest)
        if path[0] not in FREE and path[0] != "checksum" and "epochs" not in path
    ]
    while True:
        path, wrong = rng.choice(usable), rng.choice(WRONG)
        at = manifest
        for part in path[:-1]:
            at = at[part]
        if at[path[-1]] != wrong:
            break
    at[path[-1]] = wrong
    sign(folder, manifest)
    return f"{path} = {wrong!r}"


def read(folder: Path, piece: Piece, right: Any, what: str) -> None:
    """Read a folder: an error that names the file, or (where a field may be anything) a model."""
    piece.add("tried")
    try:
        model = load_model(folder)
        scores = model.scores_coded(model.histories.take([0, 1]))
    except ModelFileError:
        return
    except Exception as error:
        piece.texts("tracebacks").append(f"{what}: {type(error).__name__}: {error}")
        return
    if right is None or scores.shape != right.shape or not np.isfinite(scores).all():
        piece.texts("silent").append(what)
