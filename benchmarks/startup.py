"""Seconds of whole processes until the answer, wall and CPU, of one installation or of two in turn.

    python benchmarks/startup.py MODEL [--against /path/to/other/python] [--first-run]

``--first-run`` also trains a small model on generated ratings, with nothing compiled beforehand and
again: the difference is compiling.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PREDICT = "import matinee; m = matinee.load_model({0!r}); u = m.user_ids.ids; i = m.item_ids.ids; "
PREDICT += "print(m.predict(u[:1], i[:1]))"
TRAIN = "import matinee; from matinee.synth import synthesize; "
TRAIN += "matinee.Autoencoder('default', epochs=1).fit(synthesize(300, 200, 9000, seed=0).ratings)"


def processor() -> str:
    try:
        with Path("/proc/cpuinfo").open() as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def timed(command: list[str], **environment: str) -> tuple[float, float]:
    """Wall and CPU seconds of a process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    env = {**os.environ, **environment}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # users keep the compiled modules
    subprocess.run(command, check=True, capture_output=True, env=env)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--against", help="the Python of another installation, before a change")
    parser.add_argument("--user", default="1")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--first-run", action="store_true")
    args = parser.parse_args()
    pythons = [sys.executable, *([args.against] if args.against else [])]
    tasks = {
        "matinee --help": ["-m", "matinee", "--help"],
        "matinee recommend --user": [
            "-m",
            "matinee",
            "recommend",
            str(args.model),
            "--user",
            args.user,
        ],
        "matinee recommend --all-users": [
            *("-m", "matinee", "recommend", str(args.model), "--all-users"),
        ],
        "import to first prediction": ["-c", PREDICT.format(str(args.model))],
    }
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{processor()}, {os.cpu_count()} cores, load {load}; medians of {args.runs}, in turn")
    for name, rest in tasks.items():
        found = [[timed([p, *rest]) for p in pythons] for _ in range(args.runs + 1)][1:]
        cells = []
        for each in zip(*found, strict=True):
            wall, cpu = (statistics.median(side) for side in zip(*each, strict=True))
            cells.append(f"{wall:.2f} s ({cpu:.2f} s of CPU)")
        print(f"{name}: " + "; the other ".join(cells), flush=True)
    if args.first_run:
        for python in pythons:
            with tempfile.TemporaryDirectory() as cache:
                first, again = (
                    timed([python, "-c", TRAIN], NUMBA_CACHE_DIR=cache)[1] for _ in range(2)
                )
            print(
                f"first training: {first:.1f} s of CPU, again {again:.1f}, so compiling "
                f"{first - again:.1f} with {python}",
                flush=True,
            )


if __name__ == "__main__":
    main()
