"""``matinee serve`` with two workers: reloads, deaths, attacks and many requests."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from matinee.models import Bias
from matinee.synth import synthesize

Request = tuple[str, str, bytes | None]
JSON = {"content-type": "application/json"}


class Server:
    """The server and clients that never stop asking."""

    def __init__(self, model: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        command = [sys.executable, "-m", "matinee", "serve", str(model), "--workers", "2"]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)], stdout=subprocess.DEVNULL, stderr=errors
            )
        self.log = log
        self.moments: list[float] = []
        """When a worker was killed."""
        until = time.monotonic() + 180
        while "serving" not in log.read_text():
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)

    def ask(self, request: Request, timeout: float = 60) -> int:
        """The status of an answer, over a connection of its own."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            link.request(*request, JSON)
            answer = link.getresponse()
            answer.read()
            return answer.status
        finally:
            link.close()

    def send(self, data: bytes, seconds: float = 5) -> bytes:
        """The first bytes that the server answers to whatever is sent."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), seconds) as link:
            link.sendall(data)
            return link.recv(4096)
        return b""

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        pid = self.process.pid
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def resident(self) -> float:
        """MiB of all workers."""
        pages = [int(Path(f"/proc/{n}/statm").read_text().split()[1]) for n in self.workers()]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def end(self) -> None:
        """Stop, or be killed."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Load:
    """Two clients ask the same request until the block ends."""

    def __init__(self, server: Server, request: Request) -> None:
        self.server, self.request = server, request
        self.took: list[float] = []
        self.lost: list[tuple[float, float, str]] = []
        """When a lost request was sent and given up, and why."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(2)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def _run(self) -> None:
        while not self._stop.is_set():
            began, why = time.monotonic(), ""
            try:
                status = self.server.ask(self.request)
                why = "" if status == 200 else str(status)
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
            ended = time.monotonic()
            self.took.append(ended - began)
            if why:
                self.lost.append((began, ended, why))

    def lost_elsewhere(self) -> int:
        """Lost requests that no worker can have held when it was killed."""
        moments = self.server.moments
        return sum(not any(began <= at <= ended for at in moments) for began, ended, _ in self.lost)


def malformed(rng: random.Random) -> bytes:
    """A request of which something is wrong: its bytes, its headers, or a value of its body."""
    wrong: list[Any] = [
        None,
        -1,
        10**30,
        0.5,
        "x",
        "",
        [],
        {},
        [[]],
        True,
        "../..",
        "\0",
        "🎬" * 99,
    ]
    body: dict[str, Any] = {"ratings": [{"item": 1, "rating": 4.0}, {"item": 2, "rating": 3}]}
    body |= {
        "k": 5,
        "exclude": [3],
        "only": [4, 5],
        "why": 1,
        "diversity": 0.1,
        "years": [1990, 2000],
    }
    at = rng.choice([*body, "item", "rating", "other"])
    value = rng.choice(wrong)
    if at in ("item", "rating"):
        body["ratings"][0][at] = value
    else:
        body[at] = value
    text = json.dumps(body).encode()
    path = rng.choice(["recommend", "predict", "profile", "surprise", "items/match", "nothing"])
    head = f"POST /v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    data = bytearray(
        f"{head}Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text
    )
    if rng.random() < 0.3:
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def serving(place: Path, options: argparse.Namespace, seconds: float) -> list[tuple[str, str]]:
    """Rows of the table; each of the five parts ends after a fifth of the seconds."""
    ratings = synthesize(400, 6000, 40_000, seed=3).ratings
    model = Bias().fit(ratings).save(place / "served")
    server = Server(model, place / "log")
    try:
        parts = (reloads, deaths, requests, attacks, memory)
        rows = []
        for part in parts:
            until = time.monotonic() + seconds / len(parts)
            rows += part(
                server, model, ratings, options, lambda until=until: time.monotonic() < until
            )
            print(*rows[-1], flush=True)
        return rows
    finally:
        server.end()


Row = list[tuple[str, str]]
More = Callable[[], bool]
LISTS = json.dumps({"ratings": [{"item": 1, "rating": 4.0}]}).encode()
ASKED: Request = ("POST", "/v1/recommend", LISTS)


def reloads(server: Server, model: Path, ratings: Any, options: Any, more: More) -> Row:
    done = 0
    with Load(server, ASKED) as load:
        while done < options.reloads and more():
            Bias(user_reg=5.0 + done).fit(ratings).save(model)
            server.process.send_signal(signal.SIGHUP)
            done += 1
            time.sleep(0.2)
        time.sleep(1)
    return [(f"requests lost over {done} reloads", f"{len(load.lost)} of {len(load.took):,}")]


def deaths(server: Server, model: Path, ratings: Any, options: Any, more: More) -> Row:
    done = 0
    with Load(server, ASKED) as load:
        while done < options.deaths and more():
            server.moments.append(time.monotonic())
            os.kill(server.workers()[done % 2], signal.SIGKILL)
            done += 1
            until = time.monotonic() + 60
            while len(server.workers()) < 2 and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(0.5)
    held = len(load.lost) - load.lost_elsewhere()
    return [
        (
            f"requests lost over {done} worker deaths, but for those that the dead worker held",
            f"{load.lost_elsewhere()} of {len(load.took):,} ({held} were held)",
        )
    ]


def requests(server: Server, model: Path, ratings: Any, options: Any, more: More) -> Row:
    rng, tried, errors, silent = random.Random(0), 0, 0, 0
    while tried < options.inputs and more():
        answer = server.send(malformed(rng))
        tried += 1
        errors += answer.startswith(b"HTTP/1.1 5")
        silent += not answer
    log = server.log.read_text().count("Traceback")
    return [
        (
            "malformed requests",
            f"{tried:,}: {errors} answered 5xx, {log} tracebacks, {silent} closed",
        )
    ]


def attacks(server: Server, model: Path, ratings: Any, options: Any, more: More) -> Row:
    titles = [" ".join(["wrong words of titles"] * 20)[:290] + str(n) for n in range(100)]
    rated = [{"item": n, "rating": 4.0} for n in range(1, 65)]
    bodies = [
        json.dumps({"ratings": rated, "exclude": titles}).encode(),
        json.dumps({"ratings": rated, "only": titles}).encode(),
        json.dumps({"ratings": rated, "k": 500, "why": 20}).encode(),
        b'{"ratings":[' + b"{}," * 300_000 + b"{}]}",
    ]
    half = []
    until = time.monotonic() + options.seconds
    quiet: list[float] = []
    while len(quiet) < 200 and more():
        began = time.monotonic()
        server.ask(("GET", "/healthz", None))
        quiet.append(time.monotonic() - began)
    with Load(server, ("GET", "/healthz", None)) as load:
        for _ in range(200):
            link = socket.create_connection(("127.0.0.1", server.port), 5)
            link.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
            half.append(link)
        while time.monotonic() < until and more():
            for body in bodies:
                with suppress(OSError, http.client.HTTPException):
                    server.ask(("POST", "/v1/recommend", body))
            server.send(b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000)
    for link in half:
        link.close()
    took = sorted(load.took)
    usual, before = took[len(took) // 2], max(quiet)
    return [
        (
            "/healthz under attack: worst, median (worst of 200 before)",
            f"{1e3 * took[-1]:.0f}, {1e3 * usual:.0f} ms of {len(took):,} ({1e3 * before:.0f} ms)",
        ),
        ("/healthz lost under attack", f"{len(load.lost)} of {len(took):,}"),
    ]


def memory(server: Server, model: Path, ratings: Any, options: Any, more: More) -> Row:
    links = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for _ in range(2)]
    asked, sizes = 0, [server.resident()]
    while asked < options.requests and more():
        for link in links:
            for _ in range(100):
                link.request(*ASKED, JSON)
                link.getresponse().read()
        asked += 200
        if asked % 1000 == 0:
            sizes.append(server.resident())
    third = sizes[len(sizes) // 3]
    for link in links:
        link.close()
    return [
        (
            f"memory of the two workers: before, after a third and after all of {asked:,} requests",
            f"{sizes[0]:.0f}, {third:.0f}, {sizes[-1]:.0f} MiB",
        )
    ]
