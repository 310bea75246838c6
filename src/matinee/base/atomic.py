"""Atomic writes: an interrupted write leaves the former file or folder unchanged.

A process that is killed leaves its temporary files behind. Their names contain the process id, so
that the next write of the same file removes those of processes that have ended.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import MatineeError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_REASONS = [
    os.strerror(number)
    for number in (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS),
        *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG),
    )
]
"""The system's messages where a path cannot be written to."""
_TEMPORARY = re.compile(
    r"\.(?P<name>.+)\.(?P<owner>[0-9a-f]{8}|[0-9a-f]{24})\.(?P<kind>tmp|old|stage|stage\.wal)"
)
_OF_SAFETENSORS = re.compile(r"\.tmp[A-Za-z0-9]{6}")
"""What safetensors writes before it renames it to the file it was asked for."""
_SCRATCH = re.compile(r"matinee-(?P<owner>[0-9a-f]{24})")
_ABANDONED = 86_400.0
"""Age in seconds at which a temporary is stale whose process cannot be checked."""


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, which replaces ``path`` when the block ends.

    The block creates a file or a folder there. Parent folders are created. If the block raises, the
    temporary is removed and ``path`` is unchanged; a killed process leaves at most a hidden
    ``.NAME.*.tmp`` beside it, which the next write of ``path`` removes. A symbolic link is
    followed: its target is replaced. The permissions of ``path`` are kept. A terminal, a pipe or
    ``/dev/null`` is not replaced: the file is copied to it.

    Args:
        path: The file or folder to write.

    Yields:
        The path to write to; it does not exist yet.

    Raises:
        MatineeError: The path cannot be written to, or the disk is full.
    """
    target = Path(path).expanduser()
    _check_name(target)
    stream = is_stream(target)
    if target.is_symlink() and not stream:
        target = target.resolve()
    folder = Path(tempfile.gettempdir()) if stream else target.parent
    temporary = folder / f".{target.name}.{_owner()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_stale(folder, target.name)
        yield temporary
        if stream:
            _copy(temporary, target)
        else:
            if target.exists():  # who may read it was restricted, perhaps
                shutil.copymode(target, temporary)
            _sync(temporary)
            _put(temporary, target)
    except OSError as error:
        # An error of the block that concerns other paths is raised unchanged.
        name = str(error.filename or "")
        here = name.startswith(str(temporary)) or name in map(str, (target, *target.parents))
        if here or error.errno in _FULL:
            raise MatineeError(f"{path}: cannot write: {error.strerror}") from error
        # That of copying a folder has a list of texts for its number.
        if isinstance(error, shutil.Error) and (reason := _reason(error)):
            raise MatineeError(f"{path}: cannot write: {reason}") from error
        raise
    except MatineeError as error:  # of a file in the temporary folder, say
        error.args = tuple(str(arg).replace(str(temporary), str(path)) for arg in error.args)
        raise
    except Exception as error:  # libraries that write have errors of their own
        reason = _reason(error)
        if reason is None:
            raise
        raise MatineeError(f"{path}: cannot write: {reason}") from error
    finally:
        with suppress(OSError):  # a file system that is read-only refuses even what is not there
            remove(temporary)


def check_writable(path: Path | str) -> None:
    """Check, before long work, that ``atomic_path`` can write there.

    Raises:
        MatineeError: It cannot.
    """
    target = Path(path).expanduser()
    _check_name(target)
    if is_stream(target):
        if not os.access(target, os.W_OK):
            raise MatineeError(f"{path}: cannot write: {os.strerror(errno.EACCES)}")
        return
    if target.is_symlink():
        target = target.resolve()
    parents = (target.parent, *target.absolute().parents)
    folder = next(parent for parent in parents if parent.exists())
    probe = folder / f".{target.name}.{_owner()}.tmp"
    try:
        probe.write_bytes(b"\0" * 4096)
    except OSError as error:
        raise MatineeError(f"{path}: cannot write: {error.strerror}") from None
    finally:
        with suppress(OSError):
            remove(probe)


def is_utf8(path: Path) -> bool:
    """Return whether the bytes of a path are UTF-8, as DuckDB needs it."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _check_name(path: Path) -> None:
    if not is_utf8(path):
        raise MatineeError(f"{path}: cannot write: the name is not UTF-8; choose another")


def is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe or a socket, to be written to rather than replaced."""
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def _copy(file: Path, stream: Path) -> None:
    """Copy a file to a device or a pipe."""
    if file.is_dir():
        raise MatineeError(f"{stream}: cannot write: {os.strerror(errno.ENOTDIR)}")
    if stream.is_block_device():  # a disk
        raise MatineeError(f"{stream}: cannot write: {os.strerror(errno.EPERM)}")
    with file.open("rb") as content, stream.open("wb") as out:
        shutil.copyfileobj(content, out)


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 text file atomically; lone surrogates are escaped."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def remove(path: Path) -> None:
    """Remove a file or folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


def is_temporary(path: Path) -> bool:
    """Return whether a path is a temporary of ``atomic_path`` or of safetensors, by its name."""
    return any(each.fullmatch(path.name) for each in (_TEMPORARY, _OF_SAFETENSORS))


def remove_stale(folder: Path, name: str | None = None, *, every: bool = False) -> None:
    """Remove the temporaries that killed processes left in a folder.

    Args:
        folder: The folder; it need not exist.
        name: The file or folder whose temporaries to remove; by default of all.
        every: Whether to remove those of running processes too. Only for a folder that is locked.
    """
    hidden = []
    with suppress(OSError), os.scandir(folder) as entries:
        hidden = [Path(entry.path) for entry in entries if entry.name.startswith(".")]
    for path in sorted(hidden):
        match = _TEMPORARY.fullmatch(path.name)
        if every and name is None and _OF_SAFETENSORS.fullmatch(path.name):
            with suppress(OSError):
                remove(path)
        if match is None or name not in (None, match["name"]):
            continue
        with suppress(OSError):
            if not every and not _is_abandoned(path, match["owner"]):
                continue
            target = path.with_name(match["name"])
            if match["kind"] == "old" and not os.path.lexists(target):
                path.rename(target)  # killed between the two steps of replacing a folder
            else:
                remove(path)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for temporary files, removed when the block ends.

    Folders that killed processes left behind are removed first.

    Raises:
        MatineeError: The system's folder for temporary files cannot be written to.
    """
    parent = Path(tempfile.gettempdir())
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            match = _SCRATCH.fullmatch(entry.name)
            with suppress(OSError):
                if match and _is_abandoned(Path(entry.path), match["owner"]):
                    shutil.rmtree(entry.path, ignore_errors=True)
    folder = parent / f"matinee-{_owner()}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise MatineeError(
            f"{parent}: cannot make a folder for temporary files: {error.strerror}; set TMPDIR to "
            "another folder"
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reason(error: Exception) -> str | None:
    """Return the system error behind a library's failure to write; None for other failures."""
    text = str(error)
    number = re.search(r"\(os error (\d+)\)", text)
    if number:
        return os.strerror(int(number[1]))
    return next((reason for reason in _REASONS if reason in text), None)


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _owner() -> str:
    """Host, process id and a random part, in hexadecimal; unique to each write."""
    return f"{_host()}{os.getpid():08x}{secrets.token_hex(4)}"


def _is_abandoned(path: Path, owner: str) -> bool:
    """Return whether the process that was writing a temporary has ended."""
    known = len(owner) == 24 and owner[:8] == _host()
    if known and not _is_running(int(owner[8:16], 16)):
        return True
    # The process ran on another host or an earlier version, or its id has been reused.
    return time.time() - path.lstat().st_mtime > _ABANDONED


def _is_running(process: int) -> bool:
    if os.name != "posix":  # where signal 0 would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


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
        # A folder cannot be renamed over another: swap the two, and the temporary is the old one.
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
    """Swap two paths atomically; False where the system has no such call."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(system.renamex_np(*names, 2) == 0)
        at_fdcwd = -100
        return bool(system.renameat2(at_fdcwd, names[0], at_fdcwd, names[1], 2) == 0)
    except (AttributeError, OSError, TypeError):
        return False
