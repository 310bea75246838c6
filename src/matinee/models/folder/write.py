"""Writes a model folder; ``manifest`` describes its format."""

from __future__ import annotations

import json
import os
import platform
import shutil
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from ..._version import __version__
from ...base.arrays import State
from ...base.atomic import atomic_path, check_writable, is_temporary
from ...data import Histories
from ...errors import UsageError
from ...recommend.interest import interest_state
from ..hooks import Hooks
from ..support import item_counts
from ._checks import of_people
from ._tables import HISTORIES, ITEMS, USERS, write_parquets
from .manifest import FORMAT, MANIFEST, WEIGHTS, checksum, describe
from .upgrade import SCHEMA

_MODEL_FILES = (MANIFEST, WEIGHTS, USERS, ITEMS, HISTORIES)
# Files of a training run, kept when the model is saved into the run's folder.
_RUN_FILES = ("metrics.jsonl", "checkpoint*", "config.toml", "*.log")


def save(
    model: Hooks, path: Path, *, histories: bool = True, extra: dict[str, Any] | None = None
) -> Path:
    """Write a model folder; see ``Recommender.save``."""
    model._require_fitted()
    path = path.expanduser()
    kept_files = _kept(path)
    record = {**model.record, **(extra or {})}
    saved_histories = model.histories if histories else None
    arrays, fields = _state(model, saved_histories)
    with atomic_path(path) as folder:
        folder.mkdir()
        write_parquets(folder, model.user_ids, model.item_ids, model.item_table, saved_histories)
        save_file(arrays, folder / WEIGHTS)
        # safetensors makes the file readable by its owner only; give it the mode of the others.
        (folder / WEIGHTS).chmod((folder / USERS).stat().st_mode)
        files = {file.name: describe(file) for file in sorted(folder.iterdir())}
        manifest = _manifest(model, record, fields, files)
        try:
            text = json.dumps(
                {**manifest, "checksum": checksum(manifest)}, indent=2, ensure_ascii=False
            )
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"extra values saved with a model must be JSON-able: {error}"
            ) from None
        # Lone surrogates, as of the name of a file that is not UTF-8, are escaped as JSON does.
        (folder / MANIFEST).write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))
        for old in kept_files:
            _carry(old, folder / old.name)
    return path


def _state(model: Hooks, histories: Histories | None) -> State:
    """Return all arrays by name, and the fields of the manifest that go with them."""
    tensors, config = model._state()
    if histories is None:  # stored codes are only used with histories, and reveal ratings
        tensors |= {name: each[:0] for name, each in tensors.items() if of_people(name)}
    parts, spread, interest = {"model": tensors}, None, None
    if model.predictive_variance is not None:
        parts["spread"], spread = model.predictive_variance.state()
    if model.interest is not None:
        learned, interest = interest_state(model.interest)
        parts["interest"] = {**learned, "counts": model.interest.counts}
    arrays = {
        f"{part}.{name}": np.ascontiguousarray(array)
        for part, each in parts.items()
        for name, array in each.items()
    }
    others = {
        "bias.item_bias": model.bias.item_bias,
        "bias.item_mean": model.bias.item_mean,
        "items.counts": item_counts(model),
        "histories.weights": None if histories is None else histories.weights,
        "histories.last": None if histories is None else model.last_rated,
        "leak_guard.hashes": model.leak_guard.hashes if histories is None else None,
    }
    arrays |= {name: array for name, array in others.items() if array is not None}
    return arrays, {"config": config, "spread": spread, "interest": interest}


def _manifest(
    model: Hooks, record: dict[str, Any], fields: dict[str, Any], files: dict[str, Any]
) -> dict[str, Any]:
    """Return the manifest; ``fields`` are those of ``_state``."""
    provenance = model.provenance
    preference = None if model.preference is None else asdict(model.preference)
    if preference is not None:
        del preference["link"]  # part of the model's own state
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "kind": model.kind,
        "config": fields["config"],
        "scale": [model.scale.low, model.scale.high],
        "clip": model.clip,
        "bias": {"mean": model.bias.mean, "user_reg": model.bias.user_reg},
        "spread": fields["spread"],
        "interest": fields["interest"],
        "preference": preference,
        "love": model.love,
        "floor": model.floor,
        "choice_rate": None if model.choice_rate is None else asdict(model.choice_rate),
        "time_offset": None if model.time_offset is None else asdict(model.time_offset),
        "data": {
            "name": provenance.dataset,
            "n_users": model.n_users,
            "n_items": model.n_items,
            "n_ratings": provenance.n_ratings,
            "fingerprint": provenance.fingerprint,
            "notes": list(provenance.notes),
            "newest": provenance.newest,
        },
        "seed": provenance.seed,
        "split": record.get("split"),
        "metrics": record.get("metrics"),
        "record": {k: v for k, v in record.items() if k not in ("split", "metrics")},
        "versions": _versions(),
        "files": files,
    }


def check_place(path: Path) -> bool:
    """Return whether there is a model at the path; refuse a path that must not be replaced.

    Raises:
        UsageError: A file, or a folder that contains other files than a model or training run.
    """
    path = path.expanduser()
    _kept(path)
    check_writable(path)
    return (path / MANIFEST).exists()


def _kept(path: Path) -> list[Path]:
    """Return the files to keep when a model is saved in the folder; refuse foreign folders."""
    if not path.exists():
        return []
    if not path.is_dir():
        raise UsageError(f"{path}: is a file; a model is saved as a folder")
    content = [file for file in sorted(path.iterdir()) if not is_temporary(file)]
    if (path / MANIFEST).exists():
        try:
            manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
            is_model = manifest.get("format") == FORMAT
            names = {MANIFEST, *manifest.get("files", ())} if is_model else None
        except (OSError, ValueError, AttributeError, RecursionError):
            names = None
        content = [file for file in content if file.name not in (names or _MODEL_FILES)]
        if names:
            return content
        # A broken manifest may still be replaced if all other files are a model's.
    foreign = [f for f in content if not any(f.match(pattern) for pattern in _RUN_FILES)]
    if foreign:
        raise UsageError(
            f"{path}: contains other files than a model ({foreign[0].name}); save to a new folder"
        )
    return content


def _carry(old: Path, new: Path) -> None:
    if old.is_dir():
        shutil.copytree(old, new, symlinks=True)
    else:
        try:
            os.link(old, new)
        except OSError:
            shutil.copy2(old, new)


def _versions() -> dict[str, str]:
    versions = {"matinee": __version__, "python": platform.python_version()}
    for name in ("numpy", "torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
