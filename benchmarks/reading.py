"""CPU seconds of reading ratings with times, against another checkout of Matinee.

    python benchmarks/reading.py [--rows 10000000] [--netflix 10000000] [--source ml-1m]
        [--against PYTHON] [--repeats 3]

Writes a CSV of ROWS made-up ratings and a folder of the Netflix Prize's form to a temporary folder,
reads each and the SOURCE, if given, in processes of their own, in turn with the Python of another
checkout, and prints the least CPU seconds of each (all threads), which other programs on the
machine change less than the time that passes. ``benchmarks/netflix_reader.py`` reads a folder of
the prize's full size.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TIMED = """
import sys, time
from matinee import load
load({"user": [1, 2], "item": [1, 2], "rating": [1, 2]})  # imports, and compiled kernels
load(sys.argv[1])
took = []
for _ in range(int(sys.argv[2])):
    began = time.process_time()
    n = len(load(sys.argv[1]))
    took.append(time.process_time() - began)
print(n, min(took))
"""
CHUNK = 1_000_000


def write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    with path.open("w") as out:
        out.write("userId,movieId,rating,timestamp\n")
        for start in range(0, rows, CHUNK):
            n = min(CHUNK, rows - start)
            columns = (
                np.sort(rng.integers(1, rows // 100, n)),
                rng.integers(1, 20_000, n),
                rng.integers(1, 6, n),
                rng.integers(10**9, 15 * 10**8, n),
            )
            lines = zip(*(column.astype(str) for column in columns), strict=True)
            out.writelines(",".join(line) + "\n" for line in lines)


def write_netflix(folder: Path, rows: int) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    days = np.arange("1999-11-11", "2006-01-01", dtype="datetime64[D]").astype(str)
    each = max(1, rows // 1000)
    with (folder / "combined_data_1.txt").open("w") as out:
        for movie in range(1, 1001):
            users = np.sort(rng.choice(480_000, each, replace=False)) + 1
            stars, dates = rng.integers(1, 6, each), days[rng.integers(0, len(days), each)]
            lines = zip(users.astype(str), stars.astype(str), dates, strict=True)
            out.write(f"{movie}:\n" + "".join(",".join(line) + "\n" for line in lines))


def seconds(python: str, source: str, times: int) -> tuple[int, float]:
    command = [python, "-c", TIMED, source, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    n, took = done.stdout.split()
    return int(n), float(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--netflix", type=int, default=10_000_000)
    parser.add_argument("--source", action="append", default=[])
    parser.add_argument("--against", help="the Python of another checkout's environment")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    pythons = {"here": sys.executable}
    if options.against:
        pythons["against"] = options.against
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        sources = list(options.source)
        if options.rows:
            write(path, options.rows)
            sources.append(str(path))
        if options.netflix:
            write_netflix(Path(folder) / "netflix", options.netflix)
            sources.append(str(Path(folder) / "netflix"))
        for source in sources:
            times = 3 if source in options.source else 1
            found: dict[str, list[float]] = {name: [] for name in pythons}
            for _ in range(options.repeats):
                for name, python in pythons.items():
                    n, took = seconds(python, source, times)
                    found[name].append(took)
            least = {name: min(each) for name, each in found.items()}
            said = "  ".join(f"{name} {value:.2f} CPU s" for name, value in least.items())
            if options.against:
                said += f"  ({100 * (least['here'] / least['against'] - 1):+.1f} %)"
            name = Path(source).name
            print(f"{name}: {n:,} ratings  {said}", flush=True)


if __name__ == "__main__":
    main()
