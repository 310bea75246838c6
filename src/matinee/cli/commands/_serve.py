"""``matinee serve``."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ...errors import UsageError
from ..options import Model
from ..output import note
from ..threads import use_threads

_KEY = "MATINEE_API_KEY"


def serve(
    model: Model,
    beside: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="A second model, which answers a share of the people instead; see 'compare'.",
        ),
    ] = None,
    share: Annotated[
        float, typer.Option(help="Share of the people that the model beside answers.")
    ] = 0.5,
    share_seed: Annotated[
        int, typer.Option(min=0, help="Seed of the share: another seed draws other people.")
    ] = 0,
    new_items: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A table of items (item, title, genres) that the model does not know, for "
            "--explore.",
        ),
    ] = None,
    explore: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share of the places of lists that new items take."),
    ] = 0.0,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 for every network there is.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(help="Number of server processes.")] = 1,
    watch: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Look for a new model in the folder this often. SIGHUP does so at once.",
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Ask for the key in this file; {_KEY} in the environment does the same.",
        ),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Let pages of this origin call from a browser. May be given several times.",
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Answer to this name in the Host header too; * for any. May be given several "
            "times.",
        ),
    ] = None,
    things: Annotated[
        str,
        typer.Option(
            metavar="WORD",
            help="What the pages call the items, in the plural, as in books; by default films "
            "where the titles have years.",
        ),
    ] = "",
    root_path: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="The path below which a proxy shows the server, as in /films."
        ),
    ] = "",
    no_users: Annotated[
        bool, typer.Option("--no-users", help="Give no lists for users of the training data.")
    ] = False,
    feedback: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Take feedback and keep it here: sqlite:PATH, or postgresql://HOST/DATABASE "
            "(with the extra 'databases'; keep the password in ~/.pgpass).",
        ),
    ] = None,
    feedback_days: Annotated[
        float | None, typer.Option(metavar="DAYS", help="Delete feedback that is older.")
    ] = None,
    max_ratings: Annotated[int, typer.Option(help="Ratings in a request, at most.")] = 1000,
    max_body: Annotated[int, typer.Option(metavar="BYTES", help="Bytes of a request, at most.")] = 1
    << 20,
    body_seconds: Annotated[
        float, typer.Option(help="Timeout of a request's headers, and of its body.")
    ] = 10.0,
    shutdown_seconds: Annotated[
        float, typer.Option(help="Seconds left to answer on shutdown.")
    ] = 10.0,
    threads: Annotated[
        int, typer.Option(metavar="N", help="Threads of each worker's arithmetic.")
    ] = 1,
) -> None:
    """Serve a model over HTTP, with a page for the browser.

    New people need no retraining, and the training data are not needed. The API is described in
    docs/serving.md and, by the server, at /openapi.json.
    """
    use_threads(threads)
    if (new_items is None) != (explore == 0):
        raise UsageError("--new-items and --explore go together: which items, and how often")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads))
    values: dict[str, Any] = {
        "model": model,
        "beside": beside,
        "share": share,
        "share_seed": share_seed,
        "new_items": new_items,
        "explore": explore,
        "host": host,
        "port": port,
        "workers": workers,
        "watch": watch,
        "api_key": _api_key(api_key_file),
        "cors": cors or (),
        "users": not no_users,
        "allowed_hosts": allowed_host or (),
        "root_path": root_path.rstrip("/"),
        "feedback": feedback,
        "feedback_days": feedback_days,
        "things": things,
        "max_ratings": max_ratings,
        "max_body": max_body,
        "body_seconds": body_seconds,
        "shutdown_seconds": shutdown_seconds,
    }
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"{error.name} is not installed; run: pip install 'matinee[serve]'"
        ) from None
    from ...serve import ServeSettings, serve as run

    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr, level=logging.WARNING
    )
    logging.getLogger("matinee.serve").setLevel(logging.INFO)
    settings = ServeSettings.make(values, "serve")
    if not _local(host) and settings.api_key is None:
        note(f"matinee: anyone who reaches {host} may ask; {_KEY} or --api-key-file sets a key")
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


def _local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
