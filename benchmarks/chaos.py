"""Kill, fuzz and overload Matinee on this machine, and print what broke.

    python benchmarks/chaos.py [--minutes 15] [--kills 20] [--only kills,inputs,serving]

It ends after about that many minutes, whatever is left to try: the table says how many were tried.
Everything stays on the loopback interface and in a folder for temporary files. The table goes into
docs/reliability.md. Needs ``matinee[test]`` and Linux.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

COUNTS = {
    "kills": (20, "of each command"),
    "reloads": (100, "of the model while it is served"),
    "deaths": (20, "of workers of the server"),
    "inputs": (5000, "tables, as many model folders, as many requests"),
    "seconds": (10, "of the attack on the server"),
    "requests": (100_000, "while its memory is watched"),
}
SHARES = {"kills": 0.6, "inputs": 0.15, "serving": 0.25}
"""Parts of the time. The first forks this process, so that nothing may have computed in it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15.0, help="after which it ends")
    parser.add_argument("--only", default=",".join(SHARES), help="of " + ", ".join(SHARES))
    for name, (default, text) in COUNTS.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    options = parser.parse_args()
    parts = options.only.split(",")
    whole = sum(SHARES[part] for part in parts)
    rows: list[tuple[str, str]] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for part in parts:
            found = run(part, place, options, 60 * options.minutes * SHARES[part] / whole)
            print(*found, sep="\n", flush=True)
            rows += found
    print(f"\n{time.strftime('%Y-%m-%d')}, {processor()}, load {os.getloadavg()[1]:.1f}, ", end="")
    print(f"{(time.monotonic() - began) / 60:.0f} minutes:\n\n| what | result |\n| --- | --- |")
    for what, result in rows:
        print(f"| {what} | {result} |")


def run(
    part: str, place: Path, options: argparse.Namespace, seconds: float
) -> list[tuple[str, str]]:
    """Rows of one part of the table."""
    if part == "kills":
        from _chaos_kills import kills

        return [
            (
                f"`{command.name}` killed {command.at_random} times at random, "
                f"{command.aimed} inside a write",
                f"{command.at_random + command.aimed - len(command.lost)} of "
                f"{command.at_random + command.aimed} survived; "
                f"{len(command.alike)} files compared",
            )
            for command in kills(place, options.kills, seconds)
        ]
    if part == "inputs":
        from _chaos_inputs import folders, tables

        tried = [tables(place, options.inputs, seconds / 2)]
        tried += folders(place, options.inputs, seconds / 2)
        for each in tried:
            print(*each.tracebacks[:5], *each.silent[:5], sep="\n", flush=True)
        return [
            (
                f"malformed {each.name}",
                f"{each.tried:,}: {len(each.tracebacks)} tracebacks, "
                f"{len(each.silent)} silently wrong",
            )
            for each in tried
        ]
    from _chaos_server import serving

    return serving(place, options, seconds)


def processor() -> str:
    """The processor's name and the number of cores."""
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    name = names[0].partition(": ")[2] if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
