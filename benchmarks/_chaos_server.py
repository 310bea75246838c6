"""``matinee serve`` with two workers: reloads, deaths, attacks and many requests."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
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

from _chaos_pieces import More, Piece, Row
from matinee.data import Ratings
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

    def metrics(self) -> str:
        """The counters of all workers."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.request("GET", "/metrics")
            return link.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""  # the worker that was asked was killed
        finally:
            link.close()

    def reloaded(self) -> int:
        """Models taken up by all workers."""
        found = re.search(r'matinee_reloads_total{result="done"} (\d+)', self.metrics())
        return int(found[1]) if found else 0

    def ready(self) -> list[int]:
        """Process ids of the workers that answer."""
        found = self.metrics().count("matinee_worker_resident_bytes{")
        workers = self.workers()
        return workers if found == len(workers) else []

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


def unfinished(data: bytes) -> bool:
    """Whether a request promises a longer body than it has: the server waits for the rest."""
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
    return length is not None and int(length[1]) > len(body)


def serving(part: str, out: Path, options: argparse.Namespace, more: More) -> None:
    """Add to the counts of one part, with a server of its own."""
    with Piece(out / f"{part}.json") as piece:
        if done(part, piece, options):
            return
        (out / "work").mkdir(exist_ok=True)
        ratings = synthesize(400, 6000, 40_000, seed=3).ratings
        model = Bias().fit(ratings).save(out / "work" / "served")
        server = Server(model, out / "work" / "log")
        try:
            if part == "reloads":
                reloads(server, piece, lambda number: refit(ratings, model, number), options, more)
            else:
                {"deaths": deaths, "requests": requests, "attack": attack, "memory": memory}[part](
                    server, piece, options, more
                )
        finally:
            server.end()


WANTED = {
    "reloads": "reloads",
    "deaths": "deaths",
    "requests": "inputs",
    "attack": "seconds",
    "memory": "asked",
}
"""The option with the number of each part."""


def done(part: str, piece: Piece, options: argparse.Namespace) -> bool:
    """Whether a part has its number."""
    return piece.get("done") >= int(getattr(options, WANTED[part]))


def refit(ratings: Ratings, model: Path, number: int) -> None:
    """Put another model into the folder."""
    Bias(user_reg=5.0 + number).fit(ratings).save(model)


LISTS = json.dumps({"ratings": [{"item": 1, "rating": 4.0}]}).encode()
ASKED: Request = ("POST", "/v1/recommend", LISTS)
HEALTH: Request = ("GET", "/healthz", None)


def count_lost(load: Load, piece: Piece) -> None:
    """Add what a block of load asked and lost."""
    piece.add("asked", len(load.took))
    piece.add("lost", load.lost_elsewhere())
    piece.add("held", len(load.lost) - load.lost_elsewhere())
    piece.texts("why").extend(why for *_, why in load.lost)


def reloads(
    server: Server,
    piece: Piece,
    put: Callable[[int], None],
    options: argparse.Namespace,
    more: More,
) -> None:
    before = server.reloaded()
    sent = 0
    with Load(server, ASKED) as load:
        while piece.get("done") + sent < options.reloads and more():
            put(sent)
            seen = server.reloaded()
            server.process.send_signal(signal.SIGHUP)
            sent += 1
            until = time.monotonic() + 20
            while server.reloaded() < seen + 2 and time.monotonic() < until:
                time.sleep(0.1)  # both workers have the model; else the next signal is merged
    piece.add("taken", server.reloaded() - before)
    piece.add("done", sent)
    count_lost(load, piece)


def deaths(server: Server, piece: Piece, options: argparse.Namespace, more: More) -> None:
    killed = 0
    with Load(server, ASKED) as load:
        while piece.get("done") + killed < options.deaths and more():
            while len(now := server.ready()) < 2 and more():
                time.sleep(0.05)
            victim = now[killed % 2]
            time.sleep(1)  # of load on both
            server.moments.append(time.monotonic())
            os.kill(victim, signal.SIGKILL)
            killed += 1
            until = time.monotonic() + 60
            while (victim in (now := server.ready()) or len(now) < 2) and time.monotonic() < until:
                time.sleep(0.05)
    piece.add("done", killed)
    count_lost(load, piece)


def requests(server: Server, piece: Piece, options: argparse.Namespace, more: More) -> None:
    while piece.get("done") < options.inputs and more():
        number = piece.get("done")
        data = malformed(random.Random(number))
        answer = server.send(data)
        piece.add("done")
        piece.add("errors", answer.startswith(b"HTTP/1.1 5"))
        if not answer:
            piece.texts("unfinished" if unfinished(data) else "unanswered").append(str(number))
        if piece.get("done") % 100 == 0:
            piece.save()
    piece.add("tracebacks", server.log.read_text().count("Traceback"))


def bodies() -> list[tuple[str, bytes]]:
    """Path and body of the requests that cost most."""
    titles = [" ".join(["wrong words of titles"] * 20)[:290] + str(n) for n in range(100)]
    rated = [{"item": n, "rating": 4.0} for n in range(1, 65)]
    person = {"ratings": rated[:20], "k": 500, "why": 5}
    return [
        ("recommend", json.dumps({"ratings": rated, "exclude": titles}).encode()),
        ("recommend", json.dumps({"ratings": rated, "only": titles}).encode()),
        ("recommend", json.dumps({"ratings": rated[:20], "k": 500, "why": 20}).encode()),
        ("recommend/batch", json.dumps({"people": [person] * 33}).encode()),
        ("recommend", b'{"ratings":[' + b"{}," * 300_000 + b"{}]}"),
    ]


def attack(server: Server, piece: Piece, options: argparse.Namespace, more: More) -> None:
    half: list[socket.socket] = []
    began = time.monotonic()
    quiet = []
    for _ in range(200):
        asked = time.monotonic()
        server.ask(HEALTH)
        quiet.append(time.monotonic() - asked)
    with Load(server, HEALTH) as load:
        for _ in range(200):
            link = socket.create_connection(("127.0.0.1", server.port), 5)
            link.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
            half.append(link)
        while time.monotonic() < began + options.seconds and more():
            for path, body in bodies():
                with suppress(OSError, http.client.HTTPException):
                    server.ask(("POST", f"/v1/{path}", body))
            server.send(b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000)
    for link in half:
        link.close()
    took = sorted(load.took)
    piece.counts["worst"] = max(took[-1], piece.counts.get("worst", 0.0))
    piece.counts["median"], piece.counts["before"] = took[len(took) // 2], max(quiet)
    piece.add("done", round(time.monotonic() - began))
    count_lost(load, piece)


def memory(server: Server, piece: Piece, options: argparse.Namespace, more: More) -> None:
    links = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for _ in range(2)]
    asked, sizes = 0, [server.resident()]
    while asked < options.asked and more():
        for _ in range(100):
            for link in links:  # in turn: the server closes one that is idle for seconds
                link.request(*ASKED, JSON)
                link.getresponse().read()
        asked += 200
        if asked % 1000 == 0:
            sizes.append(server.resident())
    for link in links:
        link.close()
    piece.counts |= {"done": asked, "sizes": [sizes[0], sizes[len(sizes) // 3], sizes[-1]]}


def rows(out: Path) -> list[Row]:
    """Rows of the table."""
    found: list[Row] = []
    for part in WANTED:
        if (out / f"{part}.json").exists():
            piece = Piece(out / f"{part}.json")
            if "done" in piece.counts:
                found += row(part, piece)
    return found


def row(part: str, piece: Piece) -> list[Row]:
    """Rows of one part."""
    n, asked, lost = f"{piece.get('done'):,}", f"{piece.get('asked'):,}", piece.get("lost")
    if part == "reloads":
        taken = f"{piece.get('taken')} by the two workers"
        return [(f"requests lost over {n} reloads ({taken})", f"{lost} of {asked}")]
    if part == "deaths":
        what = f"requests lost over {n} worker deaths, but for those that the dead worker held"
        return [(what, f"{lost} of {asked} ({piece.get('held')} were held)")]
    if part == "requests":
        counts = [piece.get(name) for name in ("errors", "tracebacks")]
        counts.append(len(piece.texts("unanswered")))
        what = "{} answered 5xx, {} tracebacks, {} closed".format(*counts)
        return [("malformed requests", f"{n}: {what}")]
    if part == "memory":
        sizes = ", ".join(f"{size:.0f}" for size in piece.counts["sizes"])
        what = f"memory of the two workers: before, after a third and after all of {n} requests"
        return [(what, f"{sizes} MiB")]
    worst, median, before = (1e3 * piece.counts[name] for name in ("worst", "median", "before"))
    return [
        (
            f"/healthz in {n} s of attack: worst, median (worst of 200 before)",
            f"{worst:.0f}, {median:.0f} ms of {asked} ({before:.0f} ms)",
        ),
        ("/healthz lost under attack", f"{lost + piece.get('held')} of {asked}"),
    ]
