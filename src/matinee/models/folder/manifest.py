"""The format of a model folder: everything needed for serving, with checksums, without pickle.

manifest.json         settings, provenance, and a checksum of every file
weights.safetensors   arrays of the model and the bias model, and the leak guard without histories
users.parquet         user_id, in the order of the codes
items.parquet         item_id, title, genres, in the order of the codes
histories.parquet     user, item (rows of the two tables above), rating; may be left out
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..._version import __version__
from ...errors import ModelFileError
from ._fields import Manifest
from ._tables import ITEMS, USERS
from .upgrade import SCHEMA, upgrade

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
FORMAT = "matinee-model"

_LARGEST = 64 << 20
"""Largest manifest in bytes; a long run makes a few hundred thousand."""
ADVICE = "Train it again, or copy the folder again from an intact copy"


def identity(folder: Path | str) -> str:
    """Return a short identifier of the contents of a model folder, attached to its lists.

    Raises:
        OSError: The manifest cannot be read.
    """
    with Path(folder, MANIFEST).open("rb") as file:
        content = file.read(_LARGEST + 1)  # a larger one is refused by read_manifest
    return hashlib.sha256(content).hexdigest()[:12]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a model folder, checked and upgraded, without reading the model.

    Raises:
        ModelFileError: Not a model folder, an altered manifest, or a newer schema.
    """
    file = folder / MANIFEST
    content = _content(file)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelFileError(f"{file}: not the manifest of a Matinee model, or altered")
    _check_schema(file, content)
    claimed = content.pop("checksum", None)
    try:
        fits = claimed == checksum(content)
    except RecursionError:
        fits = False
    if not fits:
        raise ModelFileError(f"{file}: altered: its checksum does not fit. {ADVICE}")
    try:
        Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ModelFileError(f"{file}: {field}: {first['msg'].lower()}. {ADVICE}") from None
    return upgrade(content)


def _content(file: Path) -> Any:
    """Return the JSON value of a manifest."""
    try:
        size = file.stat().st_size
        if size > _LARGEST:
            raise ModelFileError(f"{file}: {size:,} bytes; a manifest has at most {_LARGEST:,}")
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelFileError(f"{file.parent}: {_why_missing(file.parent)}") from None
    except OSError as error:
        raise ModelFileError(f"{file}: cannot read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ModelFileError(f"{file}: truncated or altered: no JSON. {ADVICE}") from None


def _why_missing(folder: Path) -> str:
    """Return why a folder has no manifest."""
    if any(folder.glob("checkpoint*")):
        return "training was interrupted here; resume it (matinee train ... --resume)"
    if folder.is_file():
        return "is a file; give the folder of the model"
    return f"no model folder: {MANIFEST} missing" if folder.exists() else "no such folder"


def _check_schema(file: Path, content: dict[str, Any]) -> None:
    """Refuse a manifest of a newer schema."""
    schema, versions = content.get("schema"), content.get("versions")
    if not isinstance(schema, int) or schema <= SCHEMA:
        return
    writer = versions.get("matinee", "?") if isinstance(versions, dict) else "?"
    raise ModelFileError(
        f"{file}: schema {schema}, written by Matinee {writer}; this is Matinee {__version__}, "
        f"which reads up to schema {SCHEMA}. Read it with that version, or a later one"
    )


def check_sizes(folder: Path, manifest: dict[str, Any]) -> None:
    """Check that every file of the folder exists and has its size.

    Raises:
        ModelFileError: A file is missing or truncated.
    """
    files = manifest.get("files")
    if not isinstance(files, dict) or not {WEIGHTS, USERS, ITEMS} <= files.keys():
        raise ModelFileError(f"{folder / MANIFEST}: its list of files is not that of a model")
    for name, expected in files.items():
        file = folder / name
        if not file.is_file():
            raise ModelFileError(f"{file}: missing. {ADVICE}")
        size = file.stat().st_size
        if size != expected["size"]:
            raise ModelFileError(
                f"{file}: truncated or altered: {size:,} bytes where {expected['size']:,} were "
                f"written. {ADVICE}"
            )


def check_contents(folder: Path, manifest: dict[str, Any]) -> None:
    """Check the SHA-256 of every file of the folder.

    Raises:
        ModelFileError: A file is altered.
    """
    for name, expected in manifest["files"].items():
        file = folder / name
        if describe(file) != expected:
            raise ModelFileError(f"{file}: altered: its SHA-256 does not fit. {ADVICE}")


def describe(file: Path) -> dict[str, Any]:
    """Return the size of a file in bytes, and its SHA-256."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"sha256": digest, "size": file.stat().st_size}


def checksum(manifest: dict[str, Any]) -> str:
    """Return the SHA-256 of a manifest, independent of the order of its keys."""
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
