"""The model folder: all that serving a model needs, checked byte by byte, free of pickle.

manifest.json         what the model is, what it was fitted on, and a checksum of every file
weights.safetensors   arrays of the model, the bias table, and the leak guard if need be
users.parquet         user_id, in the order of the codes
items.parquet         item_id, title, genres, in the order of the codes
histories.parquet     user, item (rows of the two tables above), rating; may be left out
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..._version import __version__
from ...base.atomic import atomic_path, is_temporary
from ...baseline.bias import BiasTable
from ...baseline.spread import Spread
from ...data import Scale
from ...errors import ModelFileError, UsageError
from ...evaluate import PairSet
from ..base import Recommender
from ..provenance import Provenance
from ..registry import kind_named
from ..support import item_counts
from ._tables import HISTORIES, ITEMS, USERS, read_histories, read_items, read_users, write_parquets

SCHEMA = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
FORMAT = "matinee-model"

# What training leaves in a folder beside the model, and what saving the model there keeps.
_RUN_FILES = ("metrics.jsonl", "checkpoint*", "config.toml", "*.log")

_ADVICE = "Train it anew, or copy the folder again from where it was whole"


def save(
    model: Recommender, path: Path, *, histories: bool = True, extra: dict[str, Any] | None = None
) -> Path:
    """Write a model folder; see ``Recommender.save``."""
    model._require_fitted()
    kept = _kept(path)
    record = {**model.record, **(extra or {})}
    carried = model.histories if histories else None
    tensors, config = model._state()
    arrays = {f"model.{name}": np.ascontiguousarray(array) for name, array in tensors.items()}
    arrays["bias.item_bias"] = model.bias.item_bias
    arrays["bias.item_mean"] = model.bias.item_mean
    counts = item_counts(model)
    if counts is not None:
        arrays["items.counts"] = counts
    if carried is None:
        arrays["leak_guard.hashes"] = model.leak_guard.hashes
    spread = None
    if model.spread is not None:
        own, spread = model.spread.state()
        arrays |= {f"spread.{name}": np.ascontiguousarray(array) for name, array in own.items()}
    with atomic_path(path) as folder:
        folder.mkdir()
        write_parquets(folder, model.user_ids, model.item_ids, model.item_table, carried)
        save_file(arrays, folder / WEIGHTS)
        # safetensors writes for the owner alone; let whoever may read the rest read this too.
        (folder / WEIGHTS).chmod((folder / USERS).stat().st_mode)
        files = {file.name: _describe(file) for file in sorted(folder.iterdir())}
        manifest = {
            "format": FORMAT,
            "schema": SCHEMA,
            "kind": model.kind,
            "config": config,
            "scale": [model.scale.low, model.scale.high],
            "clip": model.clip,
            "bias": {"mean": model.bias.mean, "user_reg": model.bias.user_reg},
            "spread": spread,
            "data": {
                "name": model.provenance.dataset,
                "n_users": model.n_users,
                "n_items": model.n_items,
                "n_ratings": model.provenance.n_ratings,
                "fingerprint": model.provenance.fingerprint,
                "notes": list(model.provenance.notes),
            },
            "seed": model.provenance.seed,
            "split": record.get("split"),
            "metrics": record.get("metrics"),
            "record": {k: v for k, v in record.items() if k not in ("split", "metrics")},
            "versions": _versions(),
            "files": files,
        }
        try:
            text = json.dumps(
                {**manifest, "checksum": _checksum(manifest)}, indent=2, ensure_ascii=False
            )
        except (TypeError, ValueError) as error:
            raise UsageError(f"what is saved with a model must be JSON-able: {error}") from None
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")
        for old in kept:
            _carry(old, folder / old.name)
    return path


def check_place(path: Path) -> bool:
    """Whether a model stands at a path already; what must not be replaced there is refused.

    Raises:
        UsageError: A file, or a folder that holds other things than a model or a training run.
    """
    _kept(path)
    return (path / MANIFEST).exists()


def load_model(path: Path | str, *, light: bool = False) -> Recommender:
    """Read a model folder written by ``Recommender.save``. Every byte is checked.

    Args:
        path: The folder.
        light: Whether to do without torch: the model starts sooner, takes less memory, gives the
            same answers within rounding, and cannot be fitted.

    Returns:
        A model of the class that was saved, ready to serve.

    Raises:
        ModelFileError: No model folder, a file missing, truncated or altered, or a newer schema.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    _check_files(folder, manifest)
    try:
        return _restored(folder, manifest, light)
    except (KeyError, TypeError, ValueError, UsageError, SafetensorError) as error:
        raise ModelFileError(
            f"{folder}: the files are whole but do not make a model: {error!r}. {_ADVICE}"
        ) from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a model folder, checked, without reading the model.

    Raises:
        ModelFileError: No model folder, an altered manifest, or a newer schema.
    """
    file = folder / MANIFEST
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        what = "no such folder" if not folder.exists() else f"no model folder: {MANIFEST} missing"
        if any(folder.glob("checkpoint*")):
            what = "training was interrupted here; go on with it (matinee train ... --resume)"
        raise ModelFileError(f"{folder}: {what}") from None
    except OSError as error:
        raise ModelFileError(f"{file}: cannot read: {error.strerror}") from None
    except ValueError:
        raise ModelFileError(f"{file}: truncated or altered: no JSON. {_ADVICE}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelFileError(f"{file}: not the manifest of a Matinee model, or altered")
    schema = content.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        versions = content.get("versions")
        writer = versions.get("matinee", "?") if isinstance(versions, dict) else "?"
        raise ModelFileError(
            f"{file}: schema {schema}, written by Matinee {writer}; this is Matinee {__version__}, "
            f"which reads up to schema {SCHEMA}. Run: pip install --upgrade matinee"
        )
    claimed = content.pop("checksum", None)
    if claimed != _checksum(content):
        raise ModelFileError(f"{file}: altered: its checksum does not fit. {_ADVICE}")
    return content


def _restored(folder: Path, manifest: dict[str, Any], light: bool) -> Recommender:
    arrays = load_file(folder / WEIGHTS)
    try:
        cls: type[Recommender] = kind_named(manifest["kind"]).load(light=light)
    except UsageError as error:
        raise ModelFileError(f"{folder}: {error}") from None
    own = {n.removeprefix("model."): a for n, a in arrays.items() if n.startswith("model.")}
    model = cls._restore(own, manifest["config"])
    data, bias = manifest["data"], manifest["bias"]
    model.clip = manifest["clip"]
    carried = HISTORIES in manifest["files"]
    with duckdb.connect() as db:
        model.user_ids = read_users(db, folder)
        model.item_ids, model.item_table = read_items(db, folder)
        model.histories = read_histories(db, folder, model.n_users) if carried else None
    model.scale = Scale(*manifest["scale"])
    model.bias = BiasTable(
        bias["mean"], arrays["bias.item_bias"], arrays["bias.item_mean"], bias["user_reg"]
    )
    if manifest.get("spread") is not None:  # earlier models have none
        own = {n.removeprefix("spread."): a for n, a in arrays.items() if n.startswith("spread.")}
        model.spread = Spread.restore(model.scale, own, manifest["spread"])
    model.provenance = Provenance(
        data["name"],
        data["n_ratings"],
        data["fingerprint"],
        manifest["seed"],
        tuple(data["notes"]),
    )
    model.record = {
        **{key: manifest[key] for key in ("split", "metrics") if manifest[key] is not None},
        **manifest["record"],
    }
    model._item_counts = arrays.get("items.counts")
    hashes = arrays.get("leak_guard.hashes")
    model._guard = None if hashes is None else PairSet(hashes)
    model._ready = True
    return model


def _check_files(folder: Path, manifest: dict[str, Any]) -> None:
    files = manifest.get("files")
    if not isinstance(files, dict) or not {WEIGHTS, USERS, ITEMS} <= files.keys():
        raise ModelFileError(f"{folder / MANIFEST}: its list of files is not that of a model")
    for name, wanted in files.items():
        file = folder / name
        if not file.is_file():
            raise ModelFileError(f"{file}: missing. {_ADVICE}")
        size = file.stat().st_size
        if size != wanted["size"]:
            raise ModelFileError(
                f"{file}: truncated or altered: {size:,} bytes where {wanted['size']:,} were "
                f"written. {_ADVICE}"
            )
        if _describe(file) != wanted:
            raise ModelFileError(f"{file}: altered: its SHA-256 does not fit. {_ADVICE}")


def _kept(path: Path) -> list[Path]:
    """What in the folder to write is not the model's and must stay; refuse folders of others."""
    if not path.exists():
        return []
    if not path.is_dir():
        raise UsageError(f"{path}: is a file; a model is saved as a folder")
    content = [file for file in sorted(path.iterdir()) if not is_temporary(file)]
    if (path / MANIFEST).exists():
        try:
            manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
            names = {MANIFEST, *manifest.get("files", ())} if _ours(manifest) else None
        except (OSError, ValueError, AttributeError):
            names = None
        # A broken manifest may still be replaced if all files beside it are a model's.
        names = names or {MANIFEST, WEIGHTS, USERS, ITEMS, HISTORIES}
        return [file for file in content if file.name not in names]
    foreign = [f for f in content if not any(f.match(pattern) for pattern in _RUN_FILES)]
    if foreign:
        raise UsageError(
            f"{path}: holds other things than a model ({foreign[0].name}); save to a new folder"
        )
    return content


def _ours(manifest: Any) -> bool:
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT


def _carry(old: Path, new: Path) -> None:
    if old.is_dir():
        shutil.copytree(old, new, symlinks=True)
    else:
        try:
            os.link(old, new)
        except OSError:
            shutil.copy2(old, new)


def _describe(file: Path) -> dict[str, Any]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"sha256": digest, "size": file.stat().st_size}


def _checksum(manifest: dict[str, Any]) -> str:
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _versions() -> dict[str, str]:
    found = {"matinee": __version__, "python": platform.python_version()}
    for name in ("numpy", "torch"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
