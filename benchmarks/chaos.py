"""Kill, fuzz and overload Matinee on this machine, and print what broke.

    python benchmarks/chaos.py --out chaos [--only kills,attack] [--minutes 60]

Each part keeps its counts in the folder, and a later call adds to them until they are reached: the
parts can be run one by one, or all until the minutes are over. The table is printed from what is
there. Everything stays on the loopback interface and in the folder. The table goes into
docs/reliability.md. Needs ``matinee[test]`` and Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path

from _chaos_pieces import More, Row

COUNTS = {
    "kills": (20, "of each command at random moments"),
    "aimed": (5, "of each command inside its atomic writes"),
    "inputs": (5000, "tables, as many model folders, as many requests"),
    "reloads": (100, "of the model while it is served"),
    "deaths": (20, "of workers of the server"),
    "seconds": (60, "of the attack on the server"),
    "asked": (100_000, "requests while the server's memory is watched"),
}
SERVING = ("reloads", "deaths", "requests", "attack", "memory")
PARTS = ("kills", "tables", "folders", "loop", *SERVING)
"""The first forks this process, so that nothing may have computed in it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the counts")
    parser.add_argument("--minutes", type=float, default=60.0, help="after which it ends")
    parser.add_argument("--only", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    for name, (default, text) in COUNTS.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * options.minutes
    parts = options.only.split(",")
    for part in [part for part in PARTS if part in parts]:
        run(part, out, options, lambda: time.monotonic() < until)
    print_table(out)


def run(part: str, out: Path, options: argparse.Namespace, more: More) -> None:
    """Add to the counts of one part."""
    if part == "kills":
        from _chaos_kills import kills

        kills(out, options.kills, options.aimed, more)
    elif part in SERVING:
        from _chaos_server import serving

        serving(part, out, options, more)
    elif part == "loop":
        from _chaos_loop import loop

        loop(out)
    else:
        from _chaos_inputs import folders, tables

        (tables if part == "tables" else folders)(out, options.inputs, more)


def print_table(out: Path) -> None:
    """Print the rows of every part of which there are counts."""
    from _chaos_inputs import rows as of_inputs
    from _chaos_kills import rows as of_kills
    from _chaos_loop import rows as of_loop
    from _chaos_server import rows as of_serving

    rows: list[Row] = [*of_kills(out), *of_inputs(out), *of_serving(out), *of_loop(out)]
    pieces = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    if not pieces:
        return
    loads = [piece["load"] for piece in pieces]
    minutes = sum(piece["seconds"] for piece in pieces) / 60
    print(f"{max(piece['date'] for piece in pieces)}, {processor()}, ", end="")
    print(f"load {min(loads)} to {max(loads)}, {minutes:.0f} minutes:\n")
    print("| what | result |\n| --- | --- |")
    for what, result in rows:
        print(f"| {what} | {result} |")


def processor() -> str:
    """The processor's name and the number of cores."""
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    name = names[0].partition(": ")[2] if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
