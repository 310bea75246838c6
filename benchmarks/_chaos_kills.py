"""Commands killed at random moments and inside their atomic writes, and run again."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from _chaos_forks import ended, hashes, start
from _chaos_pieces import More, Piece, Row
from matinee.base import atomic
from matinee.synth import write_synthetic

SMALL = ["--set", "hidden=8", "--set", "batch_size=32", "--epochs", "2", "--out", "out"]
LONGEST = 600.0
"""Seconds that any command may take."""
TEACHER = "teacher"
"""Part of the names of the files that only teachers write."""
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


@dataclass(frozen=True)
class Command:
    """A command, and the part of it in which to kill it."""

    name: str
    args: list[str]
    teachers: bool | None = None
    """Kill while the teachers train, or after; None for all of it."""

    @property
    def file(self) -> str:
        """Name of its piece."""
        return "kill-" + "-".join(self.name.replace("-", "").split())


def commands(data: Path, model: Path, url: str) -> list[Command]:
    """The commands that write something."""
    train = ["train", str(data), *SMALL]
    one = ["--set", "hidden=4", "--set", "epochs=1"]
    return [
        Command("train, its student", train, teachers=False),
        Command("train, its teachers", train, teachers=True),
        Command("train --preset accurate", [*train, "--preset", "accurate"]),
        Command(
            "study run",
            [*["study", "run", "mine.toml", "--workers", "1", "--threads", "1", "--out", "out"]],
        ),
        Command("sweep", ["sweep", str(data), "--trials", "2", *one, "--out", "best.toml"]),
        Command("data get", ["data", "get", "ml-latest-small", "--url", url]),
        Command("data add", ["data", "add", "mine", str(data)]),
        Command("data split", ["data", "split", str(data), "--out", "out"]),
        Command("recommend --out", ["recommend", str(model), "--all-users", "--out", "lists.csv"]),
        Command("export --items", ["export", str(model), "--items", "vectors.parquet"]),
        Command("report", ["report", str(model), "--out", "report.html"]),
    ]


def begin(folder: Path, args: list[str], at: int = 0, log: Path | None = None) -> int:
    """Start the command in a folder with what it needs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.toml").write_text(STUDY)
    return start(folder, args, at, log)


def leave_alone(command: Command, folder: Path, piece: Piece) -> None:
    """Run it twice without a kill: how long it takes, when it writes, and what is always alike."""
    both, log = [], folder.with_name("steps.txt")
    for _ in range(2):
        log.unlink(missing_ok=True)
        began = time.monotonic()
        code = ended(begin(folder, command.args, log=log), LONGEST)
        whole = time.monotonic() - began
        text = folder.with_name(f"{folder.name}.txt")
        assert code == 0, f"{command.name}: {code}\n{text.read_text()}"
        both.append(hashes(folder))
        shutil.rmtree(folder)
    lines = log.read_text().splitlines() if log.exists() else []
    steps = [(number, *line.split(" ", 1)) for number, line in enumerate(lines, 1)]
    first, last = 0.0, whole
    if command.teachers is not None:
        of_teachers = max(i for i, (_, _, path) in enumerate(steps) if TEACHER in path) + 1
        moment = float(steps[of_teachers - 1][1])
        first, last = (0.0, moment) if command.teachers else (moment, whole)
        steps = steps[:of_teachers] if command.teachers else steps[of_teachers:]
    alike = {path: h for path, h in both[0].items() if both[1].get(path) == h}
    alike.pop("mine.toml")
    piece.counts |= {"alike": alike, "steps": [n for n, _, _ in steps], "window": [first, last]}
    piece.save()
    print(f"{command.name}: {whole:.1f} s, {len(steps)} steps, {sorted(alike)}", flush=True)


def kill(command: Command, folder: Path, piece: Piece, *, at: int, moment: float) -> bool:
    """Kill it once, run it again, and compare; False if it ended before."""
    code = ended(begin(folder, command.args, at), moment)
    if code >= 0:
        shutil.rmtree(folder)
        return False
    resume = ["--resume"] if any(folder.glob("out/checkpoint*.safetensors")) else []
    code = ended(begin(folder, [*command.args, *resume]), LONGEST)
    after = hashes(folder)
    wrong = [path for path, h in piece.counts["alike"].items() if after.get(path) != h]
    left = [path.name for path in folder.rglob(".*") if atomic.is_temporary(path)]
    if code or wrong or left:
        text = folder.with_name(f"{folder.name}.txt").read_text()[-400:]
        when = f"write step {at}" if at else f"{moment:.2f} s"
        lost = f"killed at {when}: exit {code}, differ {wrong}, left {left}\n{text}"
        piece.texts("lost").append(lost)
        print(f"  {command.name}: {lost}", flush=True)
    piece.add("aimed" if at else "at_random")
    piece.save()
    shutil.rmtree(folder)
    return True


def kill_often(
    command: Command, folder: Path, piece: Piece, at_random: int, aimed: int, more: More
) -> None:
    """Kill a command until it was killed often enough, or there is no more time."""
    shutil.rmtree(folder, ignore_errors=True)
    if "alike" not in piece.counts:
        leave_alone(command, folder, piece)
    steps, (first, last) = piece.counts["steps"], piece.counts["window"]
    while piece.get("aimed") < aimed and steps and more():
        # From the first step to the last, as evenly as they lie.
        at = steps[piece.get("aimed") * (len(steps) - 1) // max(aimed - 1, 1)]
        assert kill(command, folder, piece, at=at, moment=LONGEST)
    faster = 0
    while piece.get("at_random") < at_random and faster < 2 * at_random and more():
        rng = random.Random(1000 * piece.get("at_random") + faster)
        moment = first + (last - first) * rng.random()
        faster += not kill(command, folder, piece, at=0, moment=moment)


def kills(out: Path, at_random: int, aimed: int, more: More) -> None:
    """Kill every command, and keep the counts of each in a piece.

    Nothing may have computed in this process before: the commands run in forks of it.
    """
    import torch  # noqa: F401  (once, rather than in every fork)

    folder = out / "work"
    data, model = folder / "data", folder / "model"
    if not model.exists():
        folder.mkdir(exist_ok=True)
        make = f"from matinee.synth import {write_synthetic.__name__} as write\n"
        make += f"write({str(data)!r}, 120, 90, 4000)"
        subprocess.run([sys.executable, "-c", make], check=True)
        args = ["train", str(data), *SMALL[:-1], str(model), "--set", "teacher=none"]
        assert ended(start(folder / "first", args), LONGEST) == 0
    with archive(folder / "archive") as url:
        for command in commands(data, model, url):
            with Piece(out / f"{command.file}.json") as piece:
                kill_often(command, folder / "run", piece, at_random, aimed, more)


@contextmanager
def archive(folder: Path) -> Iterator[str]:
    """The address of a zip of ratings on the loopback interface."""
    folder.mkdir(exist_ok=True)
    path = folder / "toy.zip"
    if not path.exists():
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            noise = random.Random(0)
            text = "".join(f"{u}::{noise.getrandbits(40)}::4::9\n" for u in range(200_000))
            file.writestr(zipfile.ZipInfo("Toy/ratings.dat"), text)
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    path.with_name("toy.zip.md5").write_text(f"{md5}  toy.zip\n")
    serve = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        serve, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split("port ")[1].split()[0]
            yield f"http://127.0.0.1:{port}/toy.zip"
        finally:
            server.kill()


def rows(out: Path) -> list[Row]:
    """Rows of the table, and a last one of all commands together."""
    found, tried, lost = [], 0, 0
    for command in commands(out, out, ""):
        path = out / f"{command.file}.json"
        if not path.exists():
            continue
        piece = Piece(path)
        at_random, aimed = piece.get("at_random"), piece.get("aimed")
        n, bad = at_random + aimed, len(piece.texts("lost"))
        tried, lost = tried + n, lost + bad
        name = command.name.partition(", ")
        found.append(
            (
                f"`{name[0]}`{''.join(name[1:])}: killed {at_random} times at random, "
                f"{aimed} inside a write",
                f"{n - bad} of {n} survived; {len(piece.counts.get('alike', ()))} files compared",
            )
        )
    return [*found, ("all commands", f"{tried - lost} of {tried} survived")] if found else []
