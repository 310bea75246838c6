"""Kill, fuzz and overload Matinee on this machine, and print what broke.

    python benchmarks/chaos.py [--kills 4] [--reloads 20] [--deaths 5] [--seconds 8]

Everything stays on the loopback interface and in a folder for temporary files. The table goes into
docs/reliability.md.
"""

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
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from matinee.models import Bias
from matinee.synth import synthesize, write_synthetic

KILLED = """
import os, signal, sys
from matinee.base import atomic
from matinee.cli import main
from matinee.train import checkpoint
at, checkpoint.SECONDS, seen = int(sys.argv[1]), 0.0, 0
def killing(real):
    def called(*args):
        global seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)
    return called
atomic._sync, atomic._put = killing(atomic._sync), killing(atomic._put)
sys.exit(main(sys.argv[2:]))
"""
MATINEE = [sys.executable, "-m", "matinee"]


def run(*args: object) -> subprocess.CompletedProcess[str]:
    command = [*MATINEE, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def kills(place: Path, n: int) -> list[tuple[str, int, int]]:
    """(command, kills, kills after which the result was not that of a run left alone)."""
    train = ["train", place / "data", "--set", "hidden=8", "--set", "batch_size=32"]
    commands: dict[str, tuple[list[Any], str]] = {
        "train": ([*train, "--epochs", 4], "weights.safetensors"),
        "train, accurate": ([*train, "--preset", "accurate", "--epochs", 2], "weights.safetensors"),
        "recommend --out": (["recommend", place / "model", "--all-users"], ".csv"),
        "data split": (["data", "split", place / "data"], "train.parquet"),
    }
    run(*train, "--epochs", 1, "--out", place / "model")
    rng, found = random.Random(0), []
    for name, (args, file) in commands.items():
        lost = 0
        whole = place / f"whole-{len(found)}{file if file == '.csv' else ''}"
        began = time.perf_counter()
        assert run(*args, "--out", whole).returncode == 0
        took = time.perf_counter() - began
        right = (whole if whole.is_file() else whole / file).read_bytes()
        for number in range(n):
            out = place / f"killed-{len(found)}-{number}{file if file == '.csv' else ''}"
            if number % 2:  # inside an atomic write
                at = str(rng.randint(1, 10))
                command = [sys.executable, "-c", KILLED, at, *map(str, args), "--out", str(out)]
                subprocess.run(command, capture_output=True, check=False)
            else:
                command = [*MATINEE, *map(str, args), "--out", str(out)]
                with subprocess.Popen(
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                ) as process:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(took * rng.random())
                    process.kill()
            resume = ["--resume"] if any(out.glob("checkpoint*.safetensors")) else []
            again = run(*args, "--out", out, *resume)
            result = out if out.is_file() else out / file
            same = again.returncode == 0 and result.exists() and result.read_bytes() == right
            left = [path for path in place.iterdir() if path.name.startswith(f".{out.name}.")]
            lost += not same or bool(left)
        found.append((name, n, lost))
        print(f"{name}: {n} kills, {lost} lost", flush=True)
    return found


class Server:
    """``matinee serve`` with two workers, and a client that never stops asking."""

    def __init__(self, model: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.log = log.open("w+")
        command = [*MATINEE, "serve", str(model), "--workers", "2", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stderr=self.log)
        self.asked = self.lost = 0
        self.slowest = 0.0
        self._stop = threading.Event()
        while "serving" not in log.read_text():
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.1)

    def ask(self, method: str, path: str, body: bytes | None = None) -> int:
        """The status of an answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.request(method, path, body, {"content-type": "application/json"})
            answer = link.getresponse()
            answer.read()
            return answer.status
        finally:
            link.close()

    def load(self, method: str, path: str, body: bytes | None = None) -> None:
        """Ask until told to stop."""
        while not self._stop.is_set():
            began = time.perf_counter()
            self.asked += 1
            try:
                self.lost += self.ask(method, path, body) != 200
            except (OSError, http.client.HTTPException):
                self.lost += 1
            self.slowest = max(self.slowest, time.perf_counter() - began)

    def under_load(self, work: Callable[[], None], *request: Any) -> tuple[int, int, float]:
        """Requests asked, requests lost and the slowest in seconds while something is done."""
        self.asked = self.lost = 0
        self.slowest = 0.0
        self._stop.clear()
        threads = [threading.Thread(target=self.load, args=request) for _ in range(2)]
        for thread in threads:
            thread.start()
        work()
        self._stop.set()
        for thread in threads:
            thread.join()
        return self.asked, self.lost, self.slowest

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        pid = self.process.pid
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def resident(self) -> float:
        """MiB of all workers."""
        pages = [int(Path(f"/proc/{n}/statm").read_text().split()[1]) for n in self.workers()]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def serving(place: Path, options: argparse.Namespace) -> list[tuple[str, str]]:
    """Rows of the table."""
    ratings = synthesize(400, 6000, 40_000, seed=3).ratings
    model = Bias().fit(ratings).save(place / "served")
    server = Server(model, place / "log")
    body = json.dumps({"ratings": [{"item": 1, "rating": 4.0}]}).encode()

    def reloads() -> None:
        for number in range(options.reloads):
            Bias(user_reg=5.0 + number).fit(ratings).save(model)
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)

    def deaths() -> None:
        for _ in range(options.deaths):
            os.kill(server.workers()[0], signal.SIGKILL)
            until = time.monotonic() + 30
            while len(server.workers()) < 2 and time.monotonic() < until:
                time.sleep(0.1)
            time.sleep(1.0)

    titles = [" ".join(["wrong words of titles"] * 20)[:290] + str(n) for n in range(100)]
    rated = [{"item": n, "rating": 4.0} for n in range(1, 65)]
    attacks = [
        {"ratings": rated, "exclude": titles},
        {"ratings": rated, "only": titles},
        {"ratings": rated, "k": 500, "why": 20},
    ]

    def attack() -> None:
        until = time.monotonic() + options.seconds
        while time.monotonic() < until:
            for content in attacks:
                server.ask("POST", "/v1/recommend", json.dumps(content).encode())
            server.ask("POST", "/v1/recommend", b'{"ratings":[' + b"{}," * 300_000 + b"{}]}")

    rows = []
    try:
        asked, lost, _ = server.under_load(reloads, "POST", "/v1/recommend", body)
        rows.append((f"requests lost over {options.reloads} reloads", f"{lost} of {asked:,}"))
        asked, lost, _ = server.under_load(deaths, "POST", "/v1/recommend", body)
        rows.append((f"requests lost over {options.deaths} worker deaths", f"{lost} of {asked:,}"))
        before = server.resident()
        asked, lost, slowest = server.under_load(attack, "GET", "/healthz")
        rows.append(("worst /healthz under attack", f"{1e3 * slowest:.0f} ms of {asked:,}"))
        rows.append(
            (
                "memory of the workers, before and after",
                f"{before:.0f}, {server.resident():.0f} MiB",
            )
        )
    finally:
        server.process.terminate()
        server.process.wait(30)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("kills", 4), ("reloads", 20), ("deaths", 5), ("seconds", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_synthetic(place / "data", 120, 90, 4000)
        rows = serving(place, options)
        print(*rows, sep="\n", flush=True)
        found = kills(place, options.kills)
    rows += [
        (f"kills of {command} that lost something", f"{lost} of {n}") for command, n, lost in found
    ]
    print("| what | found |\n| --- | --- |")
    for what, result in rows:
        print(f"| {what} | {result} |")


if __name__ == "__main__":
    main()
