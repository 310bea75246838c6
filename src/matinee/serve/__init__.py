"""A model over HTTP: an API, and pages on top of it. Needs ``matinee[serve]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily
from ._settings import ServeSettings

if TYPE_CHECKING:
    from ._app import create_app
    from ._server import serve

__all__ = ["ServeSettings", "create_app", "serve"]

_HOMES = {
    "_app": ("create_app",),
    "_server": ("serve",),
}
__getattr__ = lazily(__name__, _HOMES)
