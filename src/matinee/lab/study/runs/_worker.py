"""A worker process that does runs sequentially for the scheduler."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import traceback
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ....errors import MatineeError
from ..plan import Spec
from ..results import EpochRecord
from .store import RunStore


def work(pipe: Connection, folder: Path) -> None:
    """Do the runs received through the pipe, until None or the end of the scheduler.

    Records go to the folder from here, so that a run that is finished is never lost. Through the
    pipe go ("epoch", EpochRecord), and at the end of a run ("done", RunRecord) or ("broken", text).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the scheduler
    signal.signal(signal.SIGTERM, _stop)
    _die_with_parent()
    from .data import DataCache  # imports the libraries, with bounded threads

    store, cache = RunStore(folder), DataCache()
    # The engine may be gone, or the process received a signal: an open checkpoint is then written.
    with contextlib.suppress(EOFError, BrokenPipeError, _StopError):
        while True:
            spec = pipe.recv()
            if spec is None:
                return
            pipe.send(_one(spec, store, cache, pipe))


def _one(spec: Spec, store: RunStore, cache: Any, pipe: Connection) -> tuple[str, Any]:
    from ._run import execute

    def report(epoch: EpochRecord) -> None:
        pipe.send(("epoch", epoch))

    try:
        record = execute(spec, cache, store.live(spec.key), report)
        store.finish(record)
    except MatineeError as error:
        return "broken", str(error)
    except (BrokenPipeError, _StopError):
        raise
    except Exception as error:  # on any error the other runs continue
        frame = traceback.extract_tb(error.__traceback__)[-1]
        location = f"{Path(frame.filename).name}, line {frame.lineno}"
        return "broken", f"{type(error).__name__}: {error} ({location})"
    return "done", record


class _StopError(BaseException):
    """The process received a signal to stop."""


def _stop(*_: Any) -> None:
    raise _StopError


def _die_with_parent() -> None:
    """End this process when the scheduler's process ends for any reason."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
