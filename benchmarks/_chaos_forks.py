"""``matinee`` in forked processes, to be killed at a moment or inside an atomic write."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from matinee.base import atomic
from matinee.cli import main
from matinee.train import checkpoint

_MEASURED = re.compile(rb'"(\w*seconds|peak_mib)": [^,\n]+')


def start(folder: Path, args: list[str], at: int = 0, log: Path | None = None) -> int:
    """Run ``matinee`` in a forked process.

    Args:
        folder: Its working directory; what it prints goes into ``FOLDER.txt``.
        args: The command line.
        at: The step of an atomic write to die at, from 1; the file is cut in half before.
        log: File for the seconds and the path of every step.

    Returns:
        The process id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        os.environ["MATINEE_DATA"] = str(folder / "home")
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        out = os.open(folder.with_name(f"{folder.name}.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        checkpoint.SECONDS = 0.0  # a checkpoint after every epoch
        began, steps = time.monotonic(), 0

        def counted(step: Callable[..., None]) -> Callable[..., None]:
            def called(path: Path, *more: Path) -> None:
                nonlocal steps
                steps += 1
                if steps == at:
                    if path.is_file():
                        os.truncate(path, path.stat().st_size // 2)
                    os.kill(os.getpid(), signal.SIGKILL)
                step(path, *more)
                if log is not None:
                    with log.open("a") as file:
                        file.write(f"{time.monotonic() - began:.3f} {path.name}\n")

            return called

        atomic._sync, atomic._put = counted(atomic._sync), counted(atomic._put)
        code = main(args)
        sys.stdout.flush()
    finally:
        os._exit(code)


def ended(pid: int, timeout: float) -> int:
    """The exit code, negative for a signal; processes that take longer are killed."""
    until = time.monotonic() + timeout
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # its own children, if it had any
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by its path; of a study's results without seconds and memory."""
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        if file.parent.name == "runs":
            content = _MEASURED.sub(b"", content)
        found[str(file.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found
