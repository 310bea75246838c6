"""Ids with slashes in the path of a request, as in ``/v1/items/AC%2FDC``."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

_STAND_IN = "\ue000"  # for private use, so that it is in no id


def keep_slashes(scope: dict[str, Any]) -> None:
    """Put another character into the path of a request for each slash of an id.

    Servers decode ``%2F`` before a route is looked for, which then sees a further part of the path.
    """
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" in raw.lower():
        parts = raw.decode("ascii", "replace").partition("?")[0].split("/")
        scope["path"] = "/".join(unquote(part).replace("/", _STAND_IN) for part in parts)


def with_slashes(text: str) -> str:
    """Return a part of such a path as it was meant."""
    return text.replace(_STAND_IN, "/")
