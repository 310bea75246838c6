"""Commands killed at random moments and inside their atomic writes, and run again."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from matinee.base import atomic
from matinee.cli import main
from matinee.synth import write_synthetic
from matinee.train import checkpoint

TRAIN = ["--set", "hidden=8", "--set", "batch_size=32"]
STUDY = """
name = "mine"
title = "Mine"
text = "Which batch size?"
preset = "base"
set = { hidden = [4], epochs = 1 }
seeds = [0]
base = "batch/16"
figures = ["held_out"]

[[data]]
name = "w"
synthetic = { users = 60, items = 30, ratings = 900 }
holdout = 0.2

[[groups]]
name = "batch"
title = "Batch"
key = "batch_size"
values = [16, 64]
"""


@dataclass
class Killed:
    """A command, and what became of it."""

    name: str
    args: list[str]
    alike: dict[str, bytes] = field(default_factory=dict)
    """Hashes of the files that two runs left alone write alike, by path."""
    seconds: float = 0.0
    writes: int = 0
    """Steps of atomic writes of a run left alone."""
    at_random: int = 0
    aimed: int = 0
    lost: list[str] = field(default_factory=list)


def commands(place: Path, url: str) -> list[Killed]:
    """The commands that write something."""
    data, model = str(place / "data"), str(place / "model")
    small = ["--set", "hidden=4", "--set", "epochs=1"]
    found = {
        "train": ["train", data, *TRAIN, "--epochs", "3", "--out", "out"],
        "train --preset accurate": ["train", data, *TRAIN, "--preset", "accurate", "--epochs", "1"],
        "recommend --out": ["recommend", model, "--all-users", "--out", "lists.csv"],
        "export --items": ["export", model, "--items", "vectors.parquet"],
        "report": ["report", model, "--out", "report.html"],
        "data split": ["data", "split", data, "--out", "out"],
        "data add": ["data", "add", "mine", data],
        "data get": ["data", "get", "ml-latest-small", "--url", url],
        "study run": ["study", "run", "mine.toml", "--workers", "1", "--threads", "1"],
        "sweep": ["sweep", data, "--trials", "2", *small, "--out", "best.toml"],
    }
    found["train --preset accurate"] += ["--out", "out"]
    found["study run"] += ["--out", "out"]
    return [Killed(name, args) for name, args in found.items()]


def start(folder: Path, args: list[str], at: int = 0, log: Path | None = None) -> int:
    """Run ``matinee`` in a forked process; ``at`` is the step of an atomic write to die at."""
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
        (folder / "mine.toml").write_text(STUDY)
        out = os.open(folder.with_name(f"{folder.name}.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        checkpoint.SECONDS = 0.0  # a checkpoint after every epoch
        steps = 0

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
                    log.write_text(str(steps))

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
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def hashes(folder: Path) -> dict[str, bytes]:
    """SHA-256 of every file, by its path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).digest() for f in files}


def leave_alone(command: Killed, place: Path, longest: float) -> None:
    """Run it twice, and learn how long it takes and what it writes."""
    found = []
    for number in range(2):
        folder = place / f"whole-{number}"
        log = place / "steps"
        began = time.monotonic()
        code = ended(start(folder, command.args, log=log), longest)
        command.seconds = time.monotonic() - began
        text = folder.with_name(f"{folder.name}.txt")
        assert code == 0, f"{command.name}: {code}\n{text.read_text()}"
        command.writes = int(log.read_text()) if log.exists() else 0
        found.append(hashes(folder))
        shutil.rmtree(folder)
    command.alike = {path: h for path, h in found[0].items() if found[1].get(path) == h}
    command.alike.pop("mine.toml")


def kill(command: Killed, folder: Path, rng: random.Random, *, aim: bool, longest: float) -> None:
    """Kill it once, run it again, and compare."""
    at = rng.randint(1, command.writes) if aim and command.writes else 0
    moment = longest if at else command.seconds * rng.random()
    code = ended(start(folder, command.args, at), moment)
    if code >= 0:  # it was faster this time
        shutil.rmtree(folder)
        return
    if at:
        command.aimed += 1
    else:
        command.at_random += 1
    resume = ["--resume"] if any(folder.glob("out/checkpoint*.safetensors")) else []
    code = ended(start(folder, [*command.args, *resume]), longest)
    after = hashes(folder)
    wrong = [path for path, h in command.alike.items() if after.get(path) != h]
    left = [path.name for path in folder.rglob(".*") if atomic.is_temporary(path)]
    if code or wrong or left:
        text = folder.with_name(f"{folder.name}.txt").read_text()[-400:]
        when = f"write step {at}" if at else f"{moment:.2f} s"
        command.lost.append(f"killed at {when}: exit {code}, differ {wrong}, left {left}\n{text}")
        print(f"  {command.name}: {command.lost[-1]}", flush=True)
    shutil.rmtree(folder)


def kills(place: Path, n: int, seconds: float) -> list[Killed]:
    """Kill every command ``n`` times, in turn, for as long as there is time.

    Nothing may have computed in this process before: the commands run in forks of it.
    """
    until = time.monotonic() + seconds
    archive = place / "archive"
    archive.mkdir()
    with zipfile.ZipFile(archive / "toy.zip", "w", zipfile.ZIP_DEFLATED) as out:
        noise = random.Random(0)
        text = "".join(f"{u}::{noise.getrandbits(40)}::4::9\n" for u in range(200_000))
        out.writestr("Toy/ratings.dat", text)
    md5 = hashlib.md5((archive / "toy.zip").read_bytes()).hexdigest()
    (archive / "toy.zip.md5").write_text(f"{md5}  toy.zip\n")
    serve = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        serve, cwd=archive, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split("port ")[1].split()[0]
            found = commands(place, f"http://127.0.0.1:{port}/toy.zip")
            return kill_all(found, place, n, until)
        finally:
            server.kill()


def kill_all(found: list[Killed], place: Path, n: int, until: float) -> list[Killed]:
    pid = os.fork()
    if not pid:
        try:
            write_synthetic(place / "data", 120, 90, 4000)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    trained = ["train", str(place / "data"), *TRAIN, "--epochs", "1"]
    assert ended(start(place / "first", [*trained, "--out", str(place / "model")]), 300) == 0
    for command in found:
        leave_alone(command, place, 300)
        print(
            f"{command.name}: {command.seconds:.1f} s, {command.writes} steps of atomic writes, "
            f"{len(command.alike)} files the same in two runs",
            flush=True,
        )
    rng = random.Random(0)
    for number in range(n):
        for command in found:
            if time.monotonic() > until:
                return found
            kill(command, place / "killed", rng, aim=number % 2 == 1, longest=300)
    return found
