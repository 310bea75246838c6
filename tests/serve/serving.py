"""The real server in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2 as httpx

CLIENT = httpx.Client(timeout=60)
"""One for all: making one takes long. On a busy machine an answer may take more than 5 seconds."""
MATINEE = Path(sys.executable).with_name("matinee")


def free_port() -> int:
    with closing(socket.socket()) as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


class Process:
    """``matinee serve`` in a process of its own."""

    def __init__(self, model: Path, *args: object, log: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log.open("w+")
        self.process = subprocess.Popen(
            [MATINEE, "serve", model, "--port", str(self.port), *map(str, args)],
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )

    def log(self) -> str:
        return Path(self._log.name).read_text()

    def wait_until_ready(self) -> None:
        until(lambda: "matinee: serving" in self.log() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()
        assert CLIENT.get(f"{self.url}/readyz").status_code == 200

    def model(self) -> str:
        name: str = CLIENT.get(f"{self.url}/v1/model").json()["model"]
        return name

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self._log.close()


def until(true: Callable[[], bool], seconds: float = 300) -> None:
    """Wait for something; fail if it does not come, on however busy a machine."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
