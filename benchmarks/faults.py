"""Try the faults of an attack on an early version, on the source of any version, and print a table.

    git worktree add ../old 5b58c92
    python benchmarks/faults.py --src ../old/src [--only zip,fork]
    python benchmarks/faults.py --src src

A fault is tried from outside, by the commands, the server and the public functions, as the tests of
docs/reliability.md try it on today's code. Everything stays on the loopback interface and in a
temporary folder. Needs ``matinee[test]`` and Linux.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from _faults import FAULTS
from _faults_place import Place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--src", type=Path, required=True, help="folder with the package in it")
    parser.add_argument("--only", default=",".join(FAULTS), help="of " + ", ".join(FAULTS))
    options = parser.parse_args()
    print("| fault | what happens |\n| --- | --- |", flush=True)
    for name in options.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            place = Place(options.src.resolve(), Path(folder))
            try:
                found = FAULTS[name](place)
            except Exception as error:
                found = f"the trial failed: {type(error).__name__}: {error}"
            finally:
                place.close()
            print(f"| {name} | {found} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
