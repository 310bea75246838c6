"""``matinee serve``."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ...errors import UsageError
from ...serve import ServeSettings
from ..options import Model, with_options
from ..output import note
from ..threads import use_threads

_KEY = "MATINEE_API_KEY"

_METAVARS = {"beside": "MODEL", "new_items": "FILE", "explore": "SHARE", "watch": "SECONDS"}
_METAVARS |= {"cors": "ORIGIN", "allowed_hosts": "NAME", "things": "WORD", "root_path": "PATH"}
_METAVARS |= {"feedback": "STORE", "feedback_days": "DAYS", "max_body": "BYTES"}
_KINDS = {"allowed_hosts": list[str] | None, "cors": list[str] | None, "feedback": str | None}
_OTHERWISE = ("model", "api_key", "users")
"""Fields that the command line writes in another way."""


def _options() -> dict[str, Any]:
    """Return the fields of ``ServeSettings`` as options: default and annotation by name."""
    options = {}
    for name, field in ServeSettings.model_fields.items():
        if name not in _OTHERWISE:
            flag = "--" + name.replace("allowed_hosts", "allowed_host").replace("_", "-")
            text = " ".join((field.description or "").split())
            option = typer.Option(flag, metavar=_METAVARS.get(name), help=text)
            kind: Any = _KINDS.get(name, field.annotation)
            options[name] = None if name in _KINDS else field.default, Annotated[kind, option]
    return options


@with_options("values", _options())
def serve(
    model: Model,
    *,
    values: Any = None,
    api_key_file: Path | None = None,
    no_users: bool = False,
    threads: int = 1,
) -> None:
    """Serve a model over HTTP, with a page for the browser.

    New people need no retraining, and the training data are not needed. The API is described in
    docs/serving.md and, by the server, at /openapi.json.

    Args:
        api_key_file (FILE): Require the key in this file; MATINEE_API_KEY in the environment does
            the same.
        no_users: Serve no lists for users of the training data.
        threads (N): Threads per worker for computation.
    """
    use_threads(threads)
    if (values["new_items"] is None) != (values["explore"] == 0):
        raise UsageError("--new-items and --explore go together: which items, and how often")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads))
    values |= {"model": model, "api_key": _api_key(api_key_file), "users": not no_users}
    values |= {name: values[name] or () for name in ("cors", "allowed_hosts")}
    values["root_path"] = values["root_path"].rstrip("/")
    from ...data.table import library

    for name in ("fastapi", "uvicorn"):
        library(name, "serve")
    from ...serve import serve as run

    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr, level=logging.WARNING
    )
    logging.getLogger("matinee.serve").setLevel(logging.INFO)
    settings = ServeSettings.make(values, "serve")
    if not settings.is_local and settings.api_key is None:
        note(
            f"matinee: anyone who reaches {settings.host} may ask; {_KEY} or --api-key-file sets a "
            "key"
        )
    run(settings, on_start=lambda address: note(f"matinee: serving {model} at {address}"))


def _api_key(file: Path | None) -> str | None:
    key = os.environ.get(_KEY)
    if file is not None:
        key = file.read_text(encoding="utf-8").strip()
    if key is None:
        return None
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"{file or _KEY}: a key is one line of printable ASCII with no spaces, and not empty"
        )
    return key
