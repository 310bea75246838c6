"""Locks that keep two processes from writing to the same folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import MatineeError


@contextmanager
def locked(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock of a folder, a hidden file beside it, during a block.

    The system releases it when the process ends. On a file system without locks it has no effect.

    Args:
        path: The folder; it need not exist.
        doing: What the holder of the lock does, for the message: "training into it".

    Raises:
        MatineeError: Another process holds the lock, or the lock file cannot be created.
    """
    file = path.parent / f".{path.name}.lock"
    held = None
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = _acquire(file)
        except OSError as error:
            raise MatineeError(f"{path}: cannot write there: {error.strerror}") from None
        if held is None:
            raise MatineeError(
                f"{path}: another process is {doing}; wait for it, stop it, or name another folder"
            )
        yield
    finally:
        if held is not None:
            with suppress(OSError):  # Windows removes no open file
                file.unlink(missing_ok=True)
            held.close()


def _acquire(file: Path) -> Any:
    """Return the open, locked file; None if another process has it locked."""
    while True:
        opened = file.open("a+b")
        if not try_lock(opened):
            opened.close()
            return None
        # The previous holder may have removed the file after it was opened here.
        try:
            current = os.path.samestat(os.fstat(opened.fileno()), file.stat())
        except FileNotFoundError:
            current = False
        if current:
            return opened
        opened.close()


def try_lock(file: Any) -> bool:
    """Lock an open file without waiting; False if another process has it locked."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks
    return True
