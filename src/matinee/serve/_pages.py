"""The pages and what they load, held in memory: no path of a request is ever opened."""

from __future__ import annotations

import hashlib
import re
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


_ROOTED = re.compile(rb"""(["'`])/(?=static/|v1/|map\b|model\b|["'`])""")
"""The start of an address of this server in the text of a page."""


def assets(root_path: str = "") -> dict[str, Asset]:
    """Every file below ``static``, by its path there with ``/`` between the parts.

    Args:
        root_path: The path below which the browser sees the server.
    """
    found: dict[str, Asset] = {}
    root = resources.files(__package__) / "static"
    if root.is_dir():
        _gather(root, "", found, root_path.encode())
    return found


def _gather(folder: Any, prefix: str, found: dict[str, Asset], root_path: bytes) -> None:
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            _gather(entry, f"{name}/", found, root_path)
            continue
        kind = _TYPES.get(name[name.rfind(".") :].lower())
        if kind is not None:
            content = entry.read_bytes()
            if root_path and name.endswith((".html", ".js", ".css", ".webmanifest")):
                content = _ROOTED.sub(rb"\1" + root_path + b"/", content)
            tag = hashlib.sha256(content).hexdigest()[:20]
            found[name] = Asset(content, kind, f'"{tag}"')
