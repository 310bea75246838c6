"""Write a file or folder so that an interrupted write leaves the old one whole."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import MatineeError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what the block made there takes its place at the end.

    The block may make a file or a folder. Parent folders are made. If the block raises, the
    temporary is removed and ``path`` is as it was; a killed process leaves at most a hidden
    ``.NAME.*.tmp`` beside it. A link is followed: the file it names is replaced, not the link.

    Args:
        path: The file or folder to write.

    Yields:
        The path to write to. Nothing stands there yet.

    Raises:
        MatineeError: The place cannot be written to, or the disk is full.
    """
    target = Path(path)
    if target.is_symlink():
        target = target.resolve()
    temporary = target.parent / f".{target.name}.{secrets.token_hex(4)}.tmp"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        _put(temporary, target)
    except OSError as error:
        # An error of the block that has nothing to do with this path is not ours to explain.
        name = str(error.filename or "")
        ours = name.startswith(str(temporary)) or name in map(str, (target, *target.parents))
        if ours or error.errno in _FULL:
            raise MatineeError(f"{path}: cannot write: {error.strerror}") from error
        raise
    finally:
        remove(temporary)


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


def _sync(path: Path) -> None:
    for file in (*path.rglob("*"), path) if path.is_dir() else (path,):
        if file.is_file():
            with file.open("r+b") as handle:
                os.fsync(handle.fileno())
        elif os.name == "posix":
            _sync_folder(file)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # Some network file systems cannot; the rename is still atomic.
            os.fsync(handle)
    finally:
        os.close(handle)


def _put(temporary: Path, target: Path) -> None:
    if temporary.is_dir() and target.is_dir():
        # A folder cannot be renamed over another: swap them, and what is now temporary is the old.
        if not _exchange(temporary, target):
            old = temporary.with_suffix(".old")
            target.rename(old)
            try:
                temporary.rename(target)
            except BaseException:
                old.rename(target)
                raise
            remove(old)
    else:
        temporary.replace(target)
    if os.name == "posix":
        _sync_folder(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths in one step where the system can; False where it cannot."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(system.renamex_np(*names, 2) == 0)
        here = -100  # AT_FDCWD
        return bool(system.renameat2(here, names[0], here, names[1], 2) == 0)
    except (AttributeError, OSError, TypeError):
        return False
