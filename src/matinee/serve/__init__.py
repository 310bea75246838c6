"""A model over HTTP: an API, and pages on top of it. Needs ``matinee[serve]``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._settings import ServeSettings

if TYPE_CHECKING:
    from ._app import create_app
    from ._server import serve

__all__ = ["ServeSettings", "create_app", "serve"]

_HOMES = {"create_app": "_app", "serve": "_server"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
