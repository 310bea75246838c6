"""The pages and what they load, held in memory: no path of a request is ever opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any

PAGES = {"/": "index.html", "/model": "model.html", "/map": "map.html"}

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Asset:
    """A file of the pages.

    Attributes:
        content: Its bytes.
        kind: Its content type.
        tag: Its entity tag.
    """

    content: bytes
    kind: str
    tag: str


def assets() -> dict[str, Asset]:
    """Every file below ``static``, by its path there with ``/`` between the parts."""
    found: dict[str, Asset] = {}
    root = resources.files(__package__) / "static"
    if root.is_dir():
        _gather(root, "", found)
    return found


def _gather(folder: Any, prefix: str, found: dict[str, Asset]) -> None:
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            _gather(entry, f"{name}/", found)
            continue
        kind = _TYPES.get(name[name.rfind(".") :].lower())
        if kind is not None:
            content = entry.read_bytes()
            tag = hashlib.sha256(content).hexdigest()[:20]
            found[name] = Asset(content, kind, f'"{tag}"')
