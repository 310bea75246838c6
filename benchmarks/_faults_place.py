"""A folder in which the commands and the server of one version are tried."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SMALL = ("--set", "hidden=4", "--set", "epochs=1")


class Place:
    """A temporary folder with a table of ratings, and the commands of one version in it."""

    def __init__(self, src: Path, folder: Path) -> None:
        self.src, self.folder = src, folder
        self.servers: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(src),
            "MATINEE_DATA": str(folder / "data"),
            "NO_COLOR": "1",
        }
        rows = [
            f"{u},{(u * 7 + i * 13) % 90},{(u + i) % 5 + 1}" for u in range(60) for i in range(30)
        ]
        self.write("ratings.csv", "user,item,rating\n" + "\n".join(rows) + "\n")
        names = [f"{i},The \x1b[31mFilm {i} of {'abc' * 20} (19{i:02})" for i in range(90)]
        self.write("items.csv", "item,title\n" + "\n".join(names) + "\n")

    def close(self) -> None:
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def command(self, *args: object) -> list[str]:
        return [sys.executable, "-m", "matinee", *map(str, args)]

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=600,
            check=False,
        )

    def cli(self, *args: object, **environment: str) -> str:
        """The end of a command in one line."""
        return said(self.run(self.command(*args), **environment))

    def code(self, text: str, **environment: str) -> str:
        return said(self.run([sys.executable, "-c", text], **environment))

    def train(self, out: str = "model", *more: str) -> str:
        table = ("ratings.csv", "--items", "items.csv")
        return self.cli("train", *table, *SMALL, *more, "--out", out)

    def start(self, *arguments: object) -> None:
        """A command that goes on by itself until the place is left."""
        started = subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.servers.append(started)

    def serve(self, *more: str) -> int:
        """A server of a trained model, and its port."""
        if not (self.folder / "model").exists():
            self.train()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        self.start("serve", "model", "--port", port, *more)
        for _ in range(600):
            with contextlib.suppress(OSError):
                ask(port, "GET", "/healthz")
                return port
            time.sleep(0.1)
        raise RuntimeError("the server does not answer")


def said(done: subprocess.CompletedProcess[str]) -> str:
    """How a command ended: its exit code, and the last line of what it said."""
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    last = re.sub(r"\s+", " ", lines[-1] if lines else "").replace("|", "/")[:150]
    traceback = "traceback, " if "Traceback" in done.stderr else ""
    return f"exit {done.returncode}, {traceback}{last!r}"


def ask(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, str, float]:
    """Status, text and seconds of an answer; a ``location`` stands before the text."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = (answer.getheader("location") or "") + answer.read().decode("utf-8", "replace")
        return answer.status, text, time.perf_counter() - began
    finally:
        connection.close()
