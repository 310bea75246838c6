"""Seconds of ``fit`` from Python, on a quiet machine and beside programs that take the cores.

    python benchmarks/busy.py RATINGS [--preset default] [--against /path/to/other/python]

Every figure is of a process of its own; the fit is the second one in it, so that nothing is
compiled. ``torch`` and ``numpy`` are imported before matinee, whose settings then come too late for
them.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

FIT = """
import sys, time
import {first}
import matinee
train = matinee.load({ratings!r})
options = {{"epochs": {epochs}}} if {epochs} else {{}}
matinee.model({preset!r}, **options).fit(train)
model = matinee.model({preset!r}, **options)
start = time.perf_counter()
model.fit(train)
print(time.perf_counter() - start)
"""


def processor() -> str:
    try:
        with Path("/proc/cpuinfo").open() as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def seconds(python: str, code: str, programs: int) -> float:
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(programs)]
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    finally:
        for other in others:
            other.kill()
            other.wait()
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ratings", help="a file, a folder, or a name such as ml-100k")
    parser.add_argument("--against", help="the Python of another installation, before a change")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--epochs", type=int, default=8, help="0: those of the preset")
    parser.add_argument("--programs", type=int, nargs="*", default=[2, 4])
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    pythons = {"this": sys.executable, **({"other": args.against} if args.against else {})}
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{processor()}, {os.cpu_count()} cores, load {load}; medians of {args.runs}")
    print(
        "| installation | imported first | quiet | "
        + "".join(f"{n} programs | ratio | " for n in args.programs)
    )
    for name, python in pythons.items():
        for first in ("matinee", "numpy", "torch"):
            code = FIT.format(
                first=first, ratings=args.ratings, preset=args.preset, epochs=args.epochs
            )
            taken = {
                n: statistics.median(seconds(python, code, n) for _ in range(args.runs))
                for n in (0, *args.programs)
            }
            cells = [name, first, f"{taken[0]:.2f} s"]
            for n in args.programs:
                cells += [f"{taken[n]:.2f} s", f"{taken[n] / taken[0]:.1f}"]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
